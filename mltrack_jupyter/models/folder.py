"""A model's folder, read with suspicion: every name in it was written by somebody else."""

from __future__ import annotations

import re
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

from mltrack_jupyter.errors import InvalidParameter, NotFound
from mltrack_jupyter.plain import path_text
from mltrack_jupyter.store.artifacts import reading, resolve

_RUN_ID = re.compile("[0-9a-f]{32}")


@dataclass(frozen=True)
class ModelFolder:
    """A directory with a model; nothing outside of it is ever read."""

    root: Path

    @classmethod
    def open(cls, path: str | PathLike[str]) -> ModelFolder:
        """Open a folder. Raises ``NotFound`` if there is none."""
        root = Path(path_text(path)).expanduser()
        with reading(root):
            is_folder = root.is_dir()
        if not is_folder:
            what = "is a file" if root.exists() else "does not exist"
            raise NotFound(f"There is no model folder at '{root}': it {what}.{_instead(root)}")
        return cls(root.resolve())

    def path(self, name: str) -> Path:
        """Return the file of that relative name; links may not lead outside of the folder."""
        if not isinstance(name, str) or not name:
            raise InvalidParameter(f"The model '{self.root}' names no file where one is needed.")
        found = resolve(self.root, name)
        with reading(found):
            is_file = found.is_file()
        if not is_file:
            raise NotFound(f"The model '{self.root}' has no file '{name}'; it is incomplete.")
        return found

    def read(self, name: str, limit: int | None = None) -> bytes:
        """Return the bytes of a file; ``limit`` is the largest size that is accepted, in bytes."""
        path = self.path(name)
        with reading(path), path.open("rb") as file:
            data = file.read(-1 if limit is None else limit + 1)
        if limit is not None and len(data) > limit:
            raise InvalidParameter(
                f"The file '{name}' of the model '{self.root}' is larger than {limit:,} bytes, "
                "more than such a file may have."
            )
        return data


def _instead(root: Path) -> str:
    """Return what a word may have meant that is no folder."""
    here = root.relative_to(Path.cwd()) if root.is_relative_to(Path.cwd()) else root
    name, _, rest = here.as_posix().partition("/")
    if root.exists() or here.is_absolute() or "/" in rest:
        return ""
    if _RUN_ID.fullmatch(name):
        return f" The model of a run is named by runs:/{name}/{rest or 'model'}."
    if "@" in name and not rest:
        return f" A registered model is named by models:/{name}."
    if rest and not rest.isdigit():
        return ""
    return f" A registered model is named by models:/{name}/{rest or 'latest'}."
