"""Which places can keep artifacts: the scheme of a URI, what reads and writes there, and what to install."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.util import find_spec
from typing import Any

from mltrack_jupyter.errors import InvalidParameter
from mltrack_jupyter.services import Repository
from mltrack_jupyter.store.uri import StoreUri, scheme_of

GROUP = "mltrack.artifact_repository"
"""The entry points by which a package adds a scheme: its name, and what makes a repository of a URI."""


@dataclass(frozen=True)
class Scheme:
    """How a scheme is served by fsspec.

    ``atomic`` says that a file appears there when all of it has arrived; elsewhere it gets a temporary
    name first.
    """

    protocol: str
    package: str
    extra: str
    atomic: bool = False
    options: Mapping[str, Any] = field(default_factory=dict)


# Others write there too: what was listed before is no answer.
_FRESH = {"use_listings_cache": False}
_S3 = Scheme("s3", "s3fs", "s3", atomic=True, options=_FRESH)
_GOOGLE = Scheme("gs", "gcsfs", "gcs", atomic=True, options=_FRESH)
_AZURE = Scheme("abfs", "adlfs", "azure", atomic=True, options=_FRESH)
# The keys of hosts are looked up in known_hosts, as ssh does; sshfs alone would take any.
_SSH = Scheme("sftp", "sshfs", "sftp", options={"known_hosts": ()})
SCHEMES: Mapping[str, Scheme] = {
    "s3": _S3,
    "gs": _GOOGLE,
    "gcs": _GOOGLE,
    **dict.fromkeys(("abfs", "abfss", "az", "wasb", "wasbs"), _AZURE),
    "hdfs": Scheme("hdfs", "pyarrow", "hdfs"),
    "sftp": _SSH,
    "memory": Scheme("memory", "fsspec", "s3"),  # of this process, for tests
}
"""What fsspec serves here; a package may add more with an entry point."""


def is_local(uri: str) -> bool:
    """Tell whether a place is the path of a file system."""
    return scheme_of(uri) in ("", "file")


def is_here(uri: str, store: str) -> bool:
    """Tell whether a place that the store of a URI names is a path of this machine: a server means its own."""
    return is_local(uri) and not StoreUri.of(store).is_server


def is_direct(scheme: str) -> bool:
    """Tell whether a client reads and writes there itself, with credentials of its own."""
    return scheme in SCHEMES or (scheme not in ("", "file", "http", "https") and scheme in added())


@cache
def added() -> Mapping[str, Any]:
    """Return the entry points of installed packages by scheme."""
    from importlib.metadata import entry_points

    return {found.name: found for found in entry_points(group=GROUP)}


def repository_at(uri: str) -> Repository:
    """Return the files below a URI that is no local path; nothing is asked of the place yet.

    Raises ``InvalidParameter`` where nothing serves the scheme, or a package for it is missing; the
    message says which.
    """
    scheme = scheme_of(uri)
    if scheme in ("http", "https"):
        from mltrack_jupyter.store.artifacts.web import WebFiles

        return WebFiles(uri)
    if scheme in SCHEMES:
        from mltrack_jupyter.store.artifacts.objects import ObjectFiles

        check_installed(scheme)
        return ObjectFiles(uri, SCHEMES[scheme])
    if scheme in added():
        make: Callable[[str], Repository] = added()[scheme].load()
        return make(uri)
    raise InvalidParameter(
        f"Nothing here keeps artifacts at {scheme}: addresses. Right would be one of "
        f"{', '.join(sorted({*SCHEMES, *added()} - {'memory'}))}, or a package with an entry point "
        f"{scheme!r} in the group {GROUP!r}."
    )


def check_installed(scheme: str) -> None:
    """Raise ``InvalidParameter`` if the package for a scheme is missing, with what installs it."""
    needed = SCHEMES[scheme]
    for package in ("fsspec", needed.package):
        if find_spec(package) is None:
            raise InvalidParameter(
                f"Artifacts at {scheme}: need the package {package}: "
                f"pip install 'mltrack-jupyter[{needed.extra}]'"
            )
