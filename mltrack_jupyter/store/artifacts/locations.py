"""Where artifact URIs lead: ``mlflow-artifacts:`` to the store's own root, other places if they may."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol
from urllib.parse import SplitResult, unquote, urlsplit

from mltrack_jupyter.errors import InvalidParameter
from mltrack_jupyter.plain import file_uri_path
from mltrack_jupyter.services import Repository
from mltrack_jupyter.shown import hide_password
from mltrack_jupyter.store.artifacts.files import ASIDE, SHARED, LocalFiles
from mltrack_jupyter.store.artifacts.paths import check_path
from mltrack_jupyter.store.artifacts.repositories import repository_at
from mltrack_jupyter.store.artifacts.schemes import is_direct, is_local
from mltrack_jupyter.store.uri import scheme_of

PROXY = "mlflow-artifacts"
# Pages, scripts, and names of things in a store: none of them is a folder.
_REFUSED = ("http", "https", "dbfs", "javascript", "data", "runs", "models")


class KeptFiles(Repository, Protocol):
    """A repository that a store keeps records of."""

    def stamp(self, path: str) -> str:
        """Return the mark of the last writing of a file, ``""`` if it is gone."""
        ...

    def walk(self, path: str = "") -> Mapping[str, int]:
        """Return the size of every file below a path, or of the file there."""
        ...

    def remove(self) -> Mapping[str, int]:
        """Delete everything and the root; return what was deleted, with its sizes."""
        ...


class Locations:
    """The places of a store's artifacts, and which others may be named.

    Parameters
    ----------
    root
        Where ``mlflow-artifacts:`` leads: a local folder, or the address of an object store or of a web
        server that takes files.
    default_root
        Below which the artifacts of new experiments go that name no location; ``mlflow-artifacts:`` if
        empty.
    base
        The folder that is moved when the store is, if its database is a file: what is known of files in it
        is known by their path from there.
    local_paths
        For a store in the user's own process: there a run may keep its artifacts anywhere. A server goes
        nowhere but below its own two roots, whatever its callers name.
    readable
        Other folders in which artifacts may be, of a store that is only read.
    """

    def __init__(
        self,
        root: str | os.PathLike[str],
        *,
        local_paths: bool,
        default_root: str = "",
        base: Path | None = None,
        readable: Sequence[Path] = (),
    ) -> None:
        self.root = os.fspath(root)
        if is_local(self.root):
            self.root = os.path.abspath(local_path(self.root))
        self.local_paths = local_paths
        self._readable = [str(folder) for folder in readable]
        self.base = base.absolute() if base else None
        self.default_root = self._default(default_root)
        if scheme_of(self.root):
            _kept(repository_at(self.root))
        if scheme_of(self.default_root) not in ("", "file", PROXY):
            repository_at(self.default_root)

    @property
    def folder(self) -> Path | None:
        """The store's own root if it is a local folder."""
        return None if scheme_of(self.root) else Path(self.root)

    def _default(self, uri: str) -> str:
        scheme = scheme_of(uri)
        if not uri or scheme == PROXY:
            return uri.rstrip("/") or f"{PROXY}:"
        if scheme in _REFUSED:
            raise InvalidParameter(
                f"Invalid default artifact root {hide_password(uri)!r}: no {scheme}: addresses. A web server "
                "that takes files can be the destination of mlflow-artifacts: instead."
            )
        if scheme in ("", "file"):
            return self._spelled(uri, local_path(uri).absolute())
        below = _inner(uri, self.root)
        return uri.rstrip("/") if below is None else f"{PROXY}:/{below}"

    def _spelled(self, uri: str, path: Path) -> str:
        """Return a local location as it is stored: a ``file:`` URI stays one outside of the store's own root."""
        below = self._below_root(path)
        is_own = scheme_of(below) == PROXY or path == path.parent
        return below if is_own or scheme_of(uri) != "file" else _address(uri, path)

    def of_experiment(self, number: int) -> str:
        """Return the location of a new experiment that names none."""
        return f"{self.default_root}/{number}"

    def check(self, uri: str) -> str:
        """Return an artifact location as it is stored. Raises ``InvalidParameter``.

        A place inside the store's own root becomes an ``mlflow-artifacts:`` URI: that is right still when all
        of it was moved, and there is one spelling by which it is known whose the files are.
        """
        scheme = scheme_of(uri)
        rest = uri.partition(":")[2] if scheme else uri
        if len(uri) > 2000 or any(ord(char) < 32 for char in uri) or "#" in uri or ";" in uri:
            raise InvalidParameter(
                f"Invalid artifact_location {uri[:80]!r}: no '#', ';' or control characters, at most "
                "2000 characters."
            )
        if ".." in re.split(r"[/\\?]", unquote(unquote(rest))):
            raise InvalidParameter(f"Invalid artifact_location {uri!r}: '..' is not allowed.")
        if scheme == PROXY:
            split(uri)
        elif scheme in ("", "file"):
            return self._spelled(uri, self._allowed(local_path(uri).absolute(), uri))
        elif scheme in _REFUSED:
            raise InvalidParameter(f"Invalid artifact_location {uri!r}: no {scheme}: addresses.")
        below = _inner(uri, self.root)
        found = uri.rstrip("/") if below is None else f"{PROXY}:/{below}"
        if scheme_of(found) == PROXY and split(found).partition("/")[0].lower() in (ASIDE, SHARED):
            raise InvalidParameter(
                f"Invalid artifact_location {uri!r}: it is the store's own folder."
            )
        return found

    @property
    def top(self) -> str:
        """The place that callers in the user's own process are told for the store's own root; ``""`` for none.

        It opens: a folder, or the address of an object store unless there is a password in it. Who asks a server, or
        copies a store, is told ``mlflow-artifacts:`` URIs.
        """
        scheme = scheme_of(self.root)
        opens = not scheme or (is_direct(scheme) and "@" not in self.root)
        return self.root.rstrip("/") if self.local_paths and opens else ""

    def kept(self, uri: str) -> str:
        """Return a location as the store keeps it, also if it is the place that callers are told.

        Another place stays as it is named.
        """
        try:
            if not uri or not is_local(uri):
                below = _inner(uri, self.root)
                return uri if below is None else f"{PROXY}:/{below}"
            found = self._below_root(local_path(uri).absolute())
        except InvalidParameter:  # whoever goes there says why that is refused
            return uri
        return found if scheme_of(found) == PROXY else uri

    def split(self, uri: str) -> str:
        """Return the path below the root that an ``mlflow-artifacts:`` URI stands for."""
        return split(uri)

    def files(self, uri: str) -> KeptFiles:
        """Return the files below an artifact URI. Raises ``InvalidParameter`` where they may not be."""
        uri = self.kept(uri)
        scheme = scheme_of(uri)
        if scheme == PROXY:
            found = self.own(split(uri))
            # A store that somebody hands on may have a link there to the reader's own folders.
            if (
                isinstance(found, LocalFiles)
                and found.top.is_symlink()
                and "artifacts" not in found.way.split("/")[1:]
            ):
                _close(found)
            return found
        if scheme in ("", "file"):
            path = local_path(uri).absolute()
            return self._below(path) or self._elsewhere(self._allowed(path, uri))
        if not (self.local_paths and scheme not in _REFUSED) and not self._is_owned(uri):
            raise InvalidParameter(
                f"Artifacts at {scheme}: are not read through this store, which keeps to its own artifact "
                f"roots; use a client of {scheme} directly."
            )
        return _kept(repository_at(uri))

    def _elsewhere(self, path: Path) -> LocalFiles:
        """Return the files at a place that the user chose, as far as that can be told.

        A row of a store that somebody else made may name any folder. What our runs and models have is at
        ``<location>/<id>/artifacts``; nothing is written to or deleted from what has not this form.
        """
        files = LocalFiles(path, chosen_location(path))
        if "artifacts" not in path.parts[2:]:
            _close(files)
        return files

    def own(self, path: str = "") -> KeptFiles:
        """Return the files below a path of the store's own root; ``""`` is the root."""
        folder = self.folder
        if folder is not None:
            if path.partition("/")[0].lower() == ASIDE:
                raise InvalidParameter(f"Invalid path {path!r}: {ASIDE} is the store's own folder.")
            return LocalFiles(folder / path if path else folder, folder)
        return _kept(repository_at(f"{self.root.rstrip('/')}/{path}".rstrip("/")))

    def name(self, uri: str) -> str:
        """Return the one spelling of a location under which the store knows the files there."""
        scheme = scheme_of(uri)
        if scheme in ("", "file"):
            path = self._below_root(local_path(uri).absolute())
            return path.removeprefix(f"{self.base}/") if self.base else path
        below = _inner(uri, self.root)
        return uri if scheme == PROXY or below is None else f"{PROXY}:/{below}"

    def is_own(self, uri: str) -> bool:
        """Tell whether a location is below one of the store's own roots, so that its files are the store's."""
        if is_local(uri):
            found = self._below(local_path(uri).absolute())
            return found is not None and found.root not in self.folders
        return scheme_of(uri) == PROXY or self._is_owned(uri)

    def _is_owned(self, uri: str) -> bool:
        return any(_inner(uri, root) for root in (self.root, self.default_root))

    @property
    def folders(self) -> list[Path]:
        """The local folders among the store's own roots; the way below them is gone without links."""
        roots = dict.fromkeys((self.root, self.default_root, *self._readable))
        return [local_path(root) for root in roots if is_local(root)]

    def _below(self, path: Path) -> LocalFiles | None:
        """Return the files at a path of the store's own folders, however it is written; else ``None``."""
        for folder in self.folders:
            real = folder.resolve()
            for way in (path, path.resolve()):
                for top in (folder, real):
                    if way.is_relative_to(top) and ".." not in way.parts:
                        names = way.relative_to(top).parts
                        if names and names[0].lower() == ASIDE:
                            raise InvalidParameter(
                                f"Invalid path '{path}': it is the store's own folder."
                            )
                        return LocalFiles(folder.joinpath(*names), folder)
        return None

    def _allowed(self, path: Path, uri: str) -> Path:
        if ".." in path.parts:
            raise InvalidParameter(f"Invalid artifact_location {uri!r}: '..' is not allowed.")
        if not self.local_paths and self._below(path) is None:
            raise InvalidParameter(
                f"Invalid artifact_location {uri!r}: a server keeps artifacts below its own root only; "
                "leave the location out."
            )
        return path

    def _below_root(self, path: Path) -> str:
        top = self.folder
        if top and path.is_relative_to(top) and path != top:
            return f"{PROXY}:/{check_path(path.relative_to(top).as_posix())}"
        return str(path)


def split(uri: str) -> str:
    """Return the path below a store's root that an ``mlflow-artifacts:`` URI stands for."""
    parts = _split(uri)
    path = parts.path.strip("/")
    if parts.netloc or parts.query or not path:
        raise InvalidParameter(
            f"Invalid artifact URI {uri!r}: {PROXY}:/<path> is expected, without a host."
        )
    return check_path(path)


def chosen_location(root: Path) -> Path:
    """Return the location that an experiment was given, of the root of one of its runs or models."""
    if root.name != "artifacts":
        return root
    above = root.parent.parent
    return above.parent if above.name == "models" else above


def _close(files: LocalFiles) -> None:
    files.closed = (
        f"Nothing is written to {files.root}: only a row of the store names it, and it is no place of a "
        "run (<location>/<run id>/artifacts)."
    )


def _kept(found: Repository) -> KeptFiles:
    if all(hasattr(found, name) for name in ("stamp", "walk", "remove")):
        return found  # type: ignore[return-value]
    raise InvalidParameter(
        f"The repository {type(found).__name__} cannot be a root of a store: it lacks stamp, walk or remove."
    )


def _inner(uri: str, root: str) -> str | None:
    """Return the path of an address below another one; ``None`` if it is elsewhere, or the same."""
    scheme = scheme_of(uri)
    if not scheme or scheme != scheme_of(root) or scheme == PROXY:
        return None
    top = root.partition("://")[2].rstrip("/")
    path = uri.partition("://")[2]
    if not path.startswith(f"{top}/"):
        return None
    try:
        return check_path(path.removeprefix(f"{top}/").rstrip("/"))
    except InvalidParameter:
        return None


def _split(uri: str) -> SplitResult:
    try:
        return urlsplit(uri)
    except ValueError as error:
        raise InvalidParameter(f"Invalid artifact URI {uri!r}: {error}.") from error


def _address(uri: str, path: Path) -> str:
    """Return a ``file:`` URI as it is stored. Raises ``InvalidParameter`` if it is not one of a path of this machine."""
    parts = _split(uri)
    if parts.netloc not in ("", "localhost") or parts.query:
        raise InvalidParameter(
            f"Invalid artifact location {uri!r}: file:///folder is expected, of this machine, with %3F for '?'."
        )
    rest = uri.partition(":")[2].rstrip("/")
    return f"file:{rest}" if rest.startswith("//") else path.as_uri()


def local_path(uri: str) -> Path:
    """Return the path of a local artifact location."""
    if scheme_of(uri) != "file":
        return Path(uri)
    return Path(file_uri_path(uri)[1])
