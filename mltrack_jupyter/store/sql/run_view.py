"""The files of a run as they are seen: its own, and at their paths those of the models that it made.

The run's own come first: so a version of before, which is made of them, is what it was.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import BinaryIO

from mltrack_jupyter.entities import FileInfo
from mltrack_jupyter.errors import InvalidParameter, NotFound
from mltrack_jupyter.services import Download, Repository, Written
from mltrack_jupyter.store.artifacts import check_path
from mltrack_jupyter.store.sql.model_places import Placed


class RunView:
    """Files of a run, written to its own folder.

    Parameters
    ----------
    files
        The run's own.
    models
        What returns the newest model at each path of the run, the newest last.
    files_at
        What returns the files at the place of a model.
    """

    def __init__(
        self,
        files: Repository,
        models: Callable[[], Sequence[Placed]],
        files_at: Callable[[str], Repository],
    ) -> None:
        self._files = files
        self._models = models
        self._files_at = files_at

    def list(self, path: str = "") -> list[FileInfo]:
        """Return the children of a folder by base name."""
        check_path(path, empty=True)
        found: dict[str, FileInfo] = {}
        for model in self._elsewhere():
            inner = _inside(path, model.path)
            if inner is not None:
                found |= {item.path: item for item in self._files_at(model.uri).list(inner)}
            elif (above := _inside(model.path, path)) is not None:
                name = above.split("/")[0]
                found[name] = FileInfo(path=name, is_dir=True)
        found |= {item.path: item for item in self._files.list(path)}
        return [found[name] for name in sorted(found)]

    def open(self, path: str) -> Download:
        """Open a file: the run's own, else that of the newest model there."""
        try:
            return self._files.open(path)
        except NotFound:
            for model in reversed(self._elsewhere()):
                inner = _inside(path, model.path)
                if inner == "" or _inside(model.path, path) is not None:
                    raise InvalidParameter(
                        f"{path!r} is a directory; list it and ask for its files."
                    ) from None
                if inner:
                    try:
                        return self._files_at(model.uri).open(inner)
                    except NotFound:
                        continue
            raise

    def write(self, path: str, body: BinaryIO) -> Written:
        """Write a file of the run's own."""
        return self._files.write(path, body)

    def delete(self, path: str) -> None:
        """Delete a file or a tree of the run's own."""
        self._files.delete(path)

    def _elsewhere(self) -> Sequence[Placed]:
        """Return the models that are not in the run's folder, where those of old stores are."""
        return [item for item in self._models() if item.uri != f"{item.root}/{item.path}"]


def _inside(path: str, folder: str) -> str | None:
    """Return a path relative to a folder; ``None`` if it is elsewhere. Everything is inside of ``""``."""
    if path == folder:
        return ""
    if not folder:
        return path
    return path.removeprefix(f"{folder}/") if path.startswith(f"{folder}/") else None
