"""Where artifact URIs lead: ``mlflow-artifacts:`` to the store's own root, local paths if they may."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

from mltrack_jupyter.entities import FileInfo, FileList
from mltrack_jupyter.errors import InvalidParameter
from mltrack_jupyter.store.artifacts.files import LocalFiles
from mltrack_jupyter.store.artifacts.paths import check_path

PROXY = "mlflow-artifacts"
# Pages, scripts, and names of things in a store: none of them is a folder.
_REFUSED = ("http", "https", "dbfs", "javascript", "data", "runs", "models")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):")


class Locations:
    """The artifact root of a store, and which other places may be named.

    ``local_paths`` is for a store in the user's own process: there a run may keep its artifacts in any
    folder of theirs. A server never follows a local path that a caller chose.
    """

    def __init__(self, root: Path, *, local_paths: bool) -> None:
        self.root = root
        self.local_paths = local_paths

    def check(self, uri: str) -> str:
        """Return an artifact location that may be stored. Raises ``InvalidParameter``."""
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
            self.split(uri)
        elif scheme in ("", "file"):
            self._local(uri)
        elif scheme in _REFUSED:
            raise InvalidParameter(f"Invalid artifact_location {uri!r}: no {scheme}: addresses.")
        return uri.rstrip("/")

    def split(self, uri: str) -> str:
        """Return the path below the root that an ``mlflow-artifacts:`` URI stands for."""
        parts = _split(uri)
        path = parts.path.strip("/")
        if parts.netloc or parts.query or not path:
            raise InvalidParameter(
                f"Invalid artifact URI {uri!r}: {PROXY}:/<path> is expected, without a host."
            )
        return check_path(path)

    def files(self, uri: str) -> LocalFiles:
        """Return the files below an artifact URI. Raises ``InvalidParameter`` where they are elsewhere."""
        scheme = scheme_of(uri)
        if scheme == PROXY:
            return LocalFiles(self.root / self.split(uri))
        if scheme in ("", "file"):
            return LocalFiles(self._local(uri))
        raise InvalidParameter(
            f"Artifacts at {scheme}: are not read through this store; use a client of {scheme} directly."
        )

    def children(self, uri: str, path: str) -> FileList:
        """Return the children of a path below an artifact URI, by their paths below that URI."""
        check_path(path, empty=True)
        prefix = f"{path}/" if path else ""
        files = [
            FileInfo(path=prefix + item.path, is_dir=item.is_dir, file_size=item.file_size)
            for item in self.files(uri).list(path)
        ]
        return FileList(root_uri=uri, files=files)

    def _local(self, uri: str) -> Path:
        path = Path(unquote(_split(uri).path) if scheme_of(uri) == "file" else uri).absolute()
        inside = path.resolve().is_relative_to(self.root.resolve())
        if not (self.local_paths or inside):
            raise InvalidParameter(
                f"Invalid artifact_location {uri!r}: a server keeps artifacts below its own root only; "
                "leave the location out."
            )
        return path


def _split(uri: str) -> SplitResult:
    try:
        return urlsplit(uri)
    except ValueError as error:
        raise InvalidParameter(f"Invalid artifact URI {uri!r}: {error}.") from error


def scheme_of(uri: str) -> str:
    """Return the scheme of a URI in lower case; ``""`` for a path (also one with a drive letter)."""
    match = _SCHEME.match(uri.strip())
    return match[1].lower() if match else ""
