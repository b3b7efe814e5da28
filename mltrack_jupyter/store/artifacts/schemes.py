"""Which places can keep artifacts, by the scheme of a URI, and what has to be installed for them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

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
