"""Where an export lies: a folder, or a zip file."""

from __future__ import annotations

import os
import shutil
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Protocol, cast

from mltrack_jupyter.errors import InvalidParameter, NotFound, StoreUnreadable, StoreUnwritable
from mltrack_jupyter.store.artifacts import LocalFiles
from mltrack_jupyter.store.artifacts.paths import resolve
from mltrack_jupyter.store.rights import make_folder, write_new
from mltrack_jupyter.transfer.lines import DAMAGED, MANIFEST

_CHUNK = 1024 * 1024


class WritingPlace(Protocol):
    """Takes the files of an export, each once."""

    def has(self, name: str) -> bool:
        """Tell whether a file is there already."""
        ...

    def write(self, name: str, body: BinaryIO) -> None:
        """Write a file."""
        ...

    def finish(self) -> None:
        """Make the export visible under its name."""
        ...

    def abandon(self) -> None:
        """Close without a finished export."""
        ...


class ReadingPlace(Protocol):
    """Gives the files of an export by the names that its format has; nothing is unpacked."""

    def open(self, name: str) -> BinaryIO:
        """Open a file. Raises ``NotFound``."""
        ...

    def size(self, name: str) -> int:
        """Return the size of a file. Raises ``NotFound``."""
        ...

    def close(self) -> None:
        """Give back what is open."""
        ...


class FolderPlace:
    """An export in a folder; blobs that are there from before are kept."""

    def __init__(self, folder: Path) -> None:
        ours = (folder / MANIFEST).exists() or (folder / f".{MANIFEST}").exists()
        if folder.exists() and not ours and any(folder.iterdir()):
            raise InvalidParameter(
                f"{folder} is not empty and is no export; choose a new folder or a name ending in .zip."
            )
        self._folder = folder
        make_folder(folder)
        # So that an export that was stopped can go on.
        mark = folder / f".{MANIFEST}"
        mark.unlink(missing_ok=True)
        write_new(mark).close()
        (folder / MANIFEST).unlink(missing_ok=True)

    def has(self, name: str) -> bool:
        """Tell whether a file is there already."""
        return (self._folder / name).exists()

    def write(self, name: str, body: BinaryIO) -> None:
        """Write a file under a temporary name and then give it its own."""
        place = resolve(self._folder, name)
        make_folder(place.parent)
        fresh = place.with_name(f".{place.name}.new")
        fresh.unlink(missing_ok=True)  # of an export that was stopped
        with write_new(fresh) as file:
            shutil.copyfileobj(body, file, _CHUNK)
        os.replace(fresh, place)

    def finish(self) -> None:
        """Forget that the export was under way."""
        (self._folder / f".{MANIFEST}").unlink(missing_ok=True)

    def abandon(self) -> None:
        """Leave what there is: the next attempt goes on from it."""


class ZipPlace:
    """An export in a zip file, which appears when it is complete."""

    def __init__(self, path: Path) -> None:
        if path.exists() and not _is_export(path):
            raise InvalidParameter(
                f"{path} is there already and is no export; choose another name."
            )
        self._path = path
        self._fresh = path.with_name(f".{path.name}.new")
        make_folder(path.parent)
        self._fresh.unlink(missing_ok=True)
        self._file = write_new(self._fresh)
        self._zip = zipfile.ZipFile(self._file, "w", zipfile.ZIP_DEFLATED, compresslevel=3)
        self._names: set[str] = set()

    def has(self, name: str) -> bool:
        """Tell whether a file is there already."""
        return name in self._names

    def write(self, name: str, body: BinaryIO) -> None:
        """Write a file."""
        with self._zip.open(name, "w", force_zip64=True) as file:
            shutil.copyfileobj(body, file, _CHUNK)
        self._names.add(name)

    def finish(self) -> None:
        """Give the file its name."""
        self._zip.close()
        self._file.close()
        os.replace(self._fresh, self._path)

    def abandon(self) -> None:
        """Remove what there is."""
        self._zip.close()
        self._file.close()
        self._fresh.unlink(missing_ok=True)


def _is_export(path: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as found:
            return MANIFEST in found.namelist()
    except (OSError, zipfile.BadZipFile):
        return False


class FolderReader:
    """Reads an export in a folder."""

    def __init__(self, folder: Path) -> None:
        self._files = LocalFiles(folder)

    def open(self, name: str) -> BinaryIO:
        """Open a file; a link is no part of an export."""
        try:
            return self._files.open(name).file
        except InvalidParameter as error:
            raise NotFound(f"The export has no {name}: {error}") from error
        except NotFound as error:
            raise NotFound(f"The export has no {name}.") from error

    def size(self, name: str) -> int:
        """Return the size of a file. Raises ``NotFound``."""
        with self.open(name) as file:
            return file.seek(0, os.SEEK_END)

    def close(self) -> None:
        """Do nothing: no file stays open."""


class ZipReader:
    """Reads an export in a zip file."""

    def __init__(self, path: Path) -> None:
        try:
            self._zip = zipfile.ZipFile(path)
        except (OSError, zipfile.BadZipFile, ValueError) as error:
            raise StoreUnreadable(f"{path} is no zip file that can be read: {error}.") from error

    def open(self, name: str) -> BinaryIO:
        """Open a file."""
        try:
            found = self._zip.getinfo(name)
            # The other kinds are unpacked as a whole: a kilobyte can be more than fits into memory.
            if found.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise NotFound(
                    f"The export's {name} is packed in a way that is not read: exports are deflated."
                )
            return cast(BinaryIO, self._zip.open(found))
        except KeyError as error:
            raise NotFound(f"The export has no {name}.") from error
        except DAMAGED as error:
            raise NotFound(f"The export is damaged: {name} cannot be read: {error}") from error

    def size(self, name: str) -> int:
        """Return the size that a file has unpacked, as the zip file says. Raises ``NotFound``."""
        try:
            return self._zip.getinfo(name).file_size
        except KeyError as error:
            raise NotFound(f"The export has no {name}.") from error

    def close(self) -> None:
        """Close the zip file."""
        self._zip.close()


@contextmanager
def writing(target: Path) -> Iterator[WritingPlace]:
    """Write an export whole: into a zip file if the name says so, else into a folder."""
    place: WritingPlace | None = None
    finished = False
    try:
        place = ZipPlace(target) if target.suffix == ".zip" else FolderPlace(target)
        yield place
        place.finish()
        finished = True
    except OSError as error:
        raise StoreUnwritable(f"{target} cannot be written: {error.strerror or error}.") from error
    finally:
        if place is not None and not finished:
            place.abandon()
