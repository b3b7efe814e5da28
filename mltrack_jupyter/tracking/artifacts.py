"""The files of a run: brought into the store and back, wherever the run keeps them."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from mltrack_jupyter.entities import FileInfo
from mltrack_jupyter.errors import NoSuchFile
from mltrack_jupyter.plain import path_text
from mltrack_jupyter.store.journal import Keeper, send_or_keep
from mltrack_jupyter.tracking.contents import text_bytes

if TYPE_CHECKING:
    from mltrack_jupyter.services import Repository, Services

PathLike = str | os.PathLike[str]


class RunFiles:
    """The artifacts of one run. Paths are relative to its artifact root.

    ``reach`` opens them when something is asked of them. A run that this process has open has a ``keeper``,
    for what it writes while the store is away.
    """

    def __init__(
        self, run_id: str, reach: Callable[[], Repository], keeper: Keeper | None = None
    ) -> None:
        self._run_id = run_id
        self._reach = reach
        self._keeper = keeper
        self._files: Repository | None = None

    @classmethod
    def of(cls, services: Services, run_id: str) -> RunFiles:
        """Return the artifacts of a run that a store has."""

        def reach() -> Repository:
            return services.files_at(services.runs.get(run_id).info.artifact_uri, run_id)

        return cls(run_id, reach)

    def _reached(self) -> Repository:
        # Asked for once: the root of a run never changes.
        if self._files is None:
            self._files = self._reach()
        return self._files

    def write(self, path: PathLike, body: BinaryIO) -> None:
        """Write one file, whole or not at all; into the journal of an open run whose store is away."""
        place = _plain(path)
        if self._keeper is None:
            self._reached().write(place, body)
            return
        journal, begin = self._keeper.journal, body.tell()

        def keep() -> None:
            body.seek(begin)
            journal.spool(self._run_id, place, body)

        send_or_keep(self._keeper, lambda: self._reached().write(place, body), keep)

    def write_text(self, path: PathLike, text: str) -> None:
        """Write text as UTF-8. Raises ``InvalidParameter`` for what is no text."""
        self.write(path, io.BytesIO(text_bytes(text, path_text(path))))

    def add(self, local_path: PathLike, below: PathLike = "") -> None:
        """Copy a file, or a directory with its name, below a path.

        Raises ``NoSuchFile``, ``NotReadable``, and ``InvalidParameter`` for a pipe, a socket or a device.
        """
        from mltrack_jupyter.store.artifacts import open_given, reading

        source = Path(path_text(local_path))
        place = _join(below, source.name)
        with reading(source):
            is_folder = source.is_dir()
        if is_folder:
            self.add_content(source, place)
            return
        try:
            with reading(source):
                file = open_given(source)
            with file:
                self.write(place, file)
        except FileNotFoundError as error:
            raise NoSuchFile(f"There is no file {os.fspath(source)!r} to log.") from error

    def add_content(self, local_dir: PathLike, below: PathLike = "") -> None:
        """Copy what is in a directory below a path. Raises ``NoSuchFile``."""
        from mltrack_jupyter.store.artifacts import files_in, reading

        root = Path(path_text(local_dir))
        with reading(root):
            is_folder = root.is_dir()
        if not is_folder:
            raise NoSuchFile(f"There is no directory {os.fspath(root)!r} to log.")
        for place in files_in(root):
            self.add(place, _join(below, place.relative_to(root).parent.as_posix()))

    def list(self, path: PathLike = "") -> list[FileInfo]:
        """Return the children of a directory; paths are relative to the run's root."""
        path = _plain(path, empty=True)
        prefix = f"{path}/" if path else ""
        return [item.for_reading(prefix) for item in self._reached().list(path)]

    def fetch(self, path: PathLike = "", target: PathLike | None = None) -> str:
        """Copy a file, or a directory, into a local folder, and return its path there.

        Without a folder a new temporary one is made. Raises ``NotFound``, and ``DamagedArtifact`` for a file
        that is not the one that was logged.
        """
        if target is None:
            import tempfile

            target = tempfile.mkdtemp(prefix="mltrack-")
        folder = Path(path_text(target)).absolute()
        folder.mkdir(parents=True, exist_ok=True)
        path = _plain(path, empty=True)
        place = folder / path.rpartition("/")[2]
        if not self._fetch_children(path, place) and path:
            self._fetch_file(path, place)
        return str(place)

    def _fetch_children(self, path: str, place: Path) -> bool:
        files = self.list(path)
        for item in files:
            # The name comes from a server; it is checked like anybody's.
            inner = place / _checked(item.path).rpartition("/")[2]
            if item.is_dir:
                self._fetch_children(item.path, inner)
            else:
                self._fetch_file(item.path, inner)
        return bool(files)

    def _fetch_file(self, path: str, place: Path) -> None:
        from mltrack_jupyter.store.artifacts import save

        save(self._reached().open(path), place, path)


def _join(*given: PathLike) -> str:
    parts = [path_text(part, "An artifact path") for part in given]
    return "/".join(part.rstrip("/") for part in parts if part.rstrip("/") not in ("", "."))


def _plain(path: PathLike, *, empty: bool = False) -> str:
    # Runs that log no files have no use for the places of files, and start sooner without them.
    from mltrack_jupyter.store.artifacts import plain_path

    return plain_path(path, empty=empty)


def _checked(path: str) -> str:
    from mltrack_jupyter.store.artifacts import check_path

    return check_path(path)
