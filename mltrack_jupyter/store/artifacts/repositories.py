"""What reads and writes the files below a URI that is no local path."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec

from mltrack_jupyter.errors import InvalidParameter
from mltrack_jupyter.services import Repository
from mltrack_jupyter.store.artifacts.schemes import GROUP, SCHEMES, added
from mltrack_jupyter.store.uri import scheme_of


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
