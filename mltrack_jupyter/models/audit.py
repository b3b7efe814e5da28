"""Whether a model may be loaded: the reader decides, the model's folder has no say.

To unpickle a file is to run a program. Before that happens, its bytes are read once, hashed, and
compared with what the reader has reason to trust:

1. bytes that this very process wrote;
2. bytes that bear a seal of the reader: when a process of this user serialised the object, it signed the
   SHA-256 of the bytes together with the model's place, by a key that is in no store (``privacy/seals.py``);
3. a source that the reader's configuration lists (``MLTRACK_TRUST``);
4. ``trust=True``, said for this one call.

Anything else raises ``PermissionDenied``, and so does a recorded digest that differs from the bytes,
whoever is trusted: then the file was changed after it was logged. Files of skops build objects by name
instead of running code; without any of the four reasons only the types are built that skops itself knows to
be safe. The namespaces of numpy, scipy and scikit-learn are no such reason, because they hold functions that
run code (``numpy.testing``) and types that read outside their memory (``sklearn.tree._tree.Tree``).
"""

from __future__ import annotations

import hashlib
import os
import pickle
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mltrack_jupyter import config
from mltrack_jupyter.errors import InvalidParameter, PermissionDenied
from mltrack_jupyter.models.folder import ModelFolder
from mltrack_jupyter.privacy.seals import Subject, vouches

TRUST_VARIABLE = "MLTRACK_TRUST"
TYPES_VARIABLE = "MLTRACK_TRUSTED_TYPES"

# What this process wrote it may read. Digests, not paths: a path can be given other bytes.
_written: set[str] = set()


def digest(data: bytes) -> str:
    """Return the SHA-256 of some bytes, in hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def remember(data: bytes) -> str:
    """Note bytes that this process wrote itself, and return their digest."""
    found = digest(data)
    _written.add(found)
    return found


@dataclass(frozen=True)
class Origin:
    """Where a model came from, and what is known of its files.

    Parameters
    ----------
    sources
        URIs and paths by which the reader's configuration may list it.
    digests
        Path of a file in the folder to the SHA-256 that was recorded when it was logged. Whoever writes to a
        store can write them, so that they show changes and are never a reason to trust.
    subject
        The model that the store says it is, for which a seal must have been made; ``None`` where no store
        says so. One without a path is sealed for the path that its ``MLmodel`` names.
    foreign
        Whether it is known to be made elsewhere; only the message says so.
    """

    sources: Sequence[str] = ()
    digests: Mapping[str, str] = field(default_factory=dict)
    subject: Subject | None = None
    foreign: bool = False


@dataclass(frozen=True)
class TrustPolicy:
    """What a reader trusts.

    Parameters
    ----------
    trust
        ``True`` loads anything, ``False`` nothing that could run code, ``None`` decides by digest and source.
    sources
        URIs, folders, tracking servers and ``sha256:`` digests; what lies below one of them is included.
    types
        Names of types that files of skops may hold beyond those that skops knows to be safe.
    """

    trust: bool | None = None
    sources: tuple[str, ...] = ()
    types: tuple[str, ...] = ()

    @classmethod
    def of_reader(cls, trust: bool | Iterable[str] | None = None) -> TrustPolicy:
        """Return the policy of this process' environment, and what the caller adds to it.

        ``trust`` is a yes, a no, or the names of types that a file of skops may hold.
        """
        sources, types = _listed(TRUST_VARIABLE), _listed(TYPES_VARIABLE)
        if trust is None or isinstance(trust, bool):
            return cls(trust, sources, types)
        if isinstance(trust, str):
            raise InvalidParameter(
                f"trust={trust!r} is not understood: say True, False, or a list of names of types."
            )
        return cls(None, sources, (*types, *trust))

    def lists(self, sources: Iterable[str], sha256: str) -> bool:
        """Whether the configuration names one of the sources or the digest."""
        return any(
            listed == f"sha256:{sha256}" or any(_below(source, listed) for source in sources)
            for listed in self.sources
        )


def _listed(variable: str) -> tuple[str, ...]:
    return tuple(item.strip() for item in config.setting(variable).split(",") if item.strip())


def _below(source: str, listed: str) -> bool:
    if _is_uri(source) != _is_uri(listed):
        return False
    if not _is_uri(listed):
        # Folders are compared as they are on the disk, so that neither links nor ".." lead into one.
        listed, source = os.path.realpath(os.path.expanduser(listed)), os.path.realpath(source)
    listed = listed.rstrip("/")
    # models:/name lists models:/name/3 and models:/name@alias.
    ends = "/@" if listed.startswith("models:/") else "/"
    return source == listed or (source.startswith(listed) and source[len(listed)] in ends)


def _is_uri(text: str) -> bool:
    return ":/" in text or text.startswith("sha256:")


@dataclass(frozen=True)
class Auditor:
    """Reads the files of one model's folder under a policy."""

    folder: ModelFolder
    origin: Origin = Origin()
    policy: TrustPolicy = TrustPolicy()
    seals: Mapping[str, str] = field(default_factory=dict)

    def read(self, name: str) -> bytes:
        """Return the bytes of a file that is only data; changed bytes raise ``PermissionDenied``."""
        return self._read(name)[0]

    def unpickle(self, name: str) -> Any:
        """Unpickle a file, if the policy allows it.

        Raises
        ------
        PermissionDenied
            There is no reason to trust the file; the message says how to give one.
        InvalidParameter
            The file is not a pickle, or needs something that is not here.
        """
        data, sha256 = self._read(name)
        if not self._trusted(name, sha256):
            raise PermissionDenied(self._refusal(name, sha256))
        return _unpickle(data, name)

    def read_skops(self, name: str) -> Any:
        """Build the object in a file of skops from the types that the policy allows.

        Raises
        ------
        PermissionDenied
            The file holds other types; the message lists them.
        """
        from mltrack_jupyter.models.skops_file import build, foreign_types

        data, sha256 = self._read(name)
        foreign = foreign_types(data, name)
        unknown = (
            [] if self._trusted(name, sha256) else sorted(set(foreign) - set(self.policy.types))
        )
        if unknown:
            raise PermissionDenied(
                f"The file '{name}' of the model {self._where} holds types that are not known to be safe: "
                f"{', '.join(unknown)}. Nothing was built of it. To allow types may be to run code that the "
                "file chooses: only if you know where the model comes from, and what these types do, load it "
                f"with trust={unknown!r}, or list them in the environment variable {TYPES_VARIABLE}. "
                "(trust=True allows whatever types it holds.)"
            )
        return build(data, foreign)

    @property
    def _where(self) -> str:
        return f"'{next(iter(self.origin.sources), self.folder.root)}'"

    def _read(self, name: str) -> tuple[bytes, str]:
        data = self.folder.read(name)
        found, recorded = digest(data), self.origin.digests.get(name)
        if recorded is not None and recorded != found:
            raise PermissionDenied(
                f"The file '{name}' of the model {self._where} is not the one that was logged: its "
                f"SHA-256 is {found}, recorded was {recorded}. It was changed or damaged since, and is "
                "not loaded. mltrack.artifacts.download_artifacts(...) brings the files here, to be looked at: "
                "to load such a file, in whatever way, would run the program that it may be now."
            )
        return data, found

    def _trusted(self, name: str, sha256: str) -> bool:
        if self.policy.trust is not None:
            return self.policy.trust
        # A download is known by where it came from, never by the folder that it happens to lie in.
        sources = self.origin.sources or (str(self.folder.root),)
        return (
            sha256 in _written
            or self.policy.lists(sources, sha256)
            or not self._unsealed(name, sha256)
        )

    def _unsealed(self, name: str, sha256: str) -> str:
        """Return why a file is not proved to be the reader's own; ``""`` if it is."""
        subject = self.origin.subject
        seal = self.seals.get(name, "")
        if subject is None or not seal:
            return self._without_seal()
        try:
            if vouches(subject, name, sha256, seal):
                return ""
        except PermissionDenied as error:
            return f"whether you logged it cannot be told. {error.message.rstrip('.')}"
        return (
            "it was not signed by your key as this model: somebody else logged it, or you on another machine, "
            "or it was put in the place of another one"
        )

    def _without_seal(self) -> str:
        if self.origin.foreign:
            return "it was registered from a folder or imported, and is no safer for that"
        return "it was not logged to your own store with your key, so that nothing proves that it is yours"

    def _refusal(self, name: str, sha256: str) -> str:
        if self.policy.trust is False:
            return f"The file '{name}' of the model {self._where} is a pickle, and trust=False was said."
        return (
            f"The file '{name}' of the model {self._where} is a pickle, and to load a pickle is to run a "
            f"program; {self._unsealed(name, sha256)}. Nothing was run. Only if you know where it comes from, "
            "and want that program to run, load it with trust=True, or list the source in the environment "
            f"variable {TRUST_VARIABLE}, for example {TRUST_VARIABLE}=sha256:{sha256}."
        )


def _unpickle(data: bytes, name: str) -> Any:
    try:
        # The one place where a model is unpickled; every caller has asked the policy before.
        return pickle.loads(data)  # noqa: S301
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        raise InvalidParameter(
            f"The model in '{name}' needs the module '{error.name}', which is not installed here. If you know "
            f"the package of '{package}', install it; what the model's own requirements.txt names was chosen "
            "by who made the model, and to install a package is to run its code."
        ) from error
    except (AttributeError, ImportError) as error:
        raise InvalidParameter(
            f"The model in '{name}' needs something that is not here: {error}. It was made with another "
            "version of a library, or with a class of a notebook that no longer defines it."
        ) from error
    except (pickle.UnpicklingError, EOFError, IndexError, KeyError, ValueError, TypeError) as error:
        raise InvalidParameter(
            f"The file '{name}' of the model cannot be unpickled: {error}"
        ) from error
