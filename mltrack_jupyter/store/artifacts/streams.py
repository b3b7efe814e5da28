"""Copying files in bounded memory, with their digest: taken while they are written, checked when they are read."""

from __future__ import annotations

import hashlib
import io
import os
import uuid
from pathlib import Path
from typing import BinaryIO

from mltrack_jupyter.errors import DamagedArtifact
from mltrack_jupyter.services import Download

CHUNK = 1024 * 1024
TEMPORARY = ".upload-"
"""How the names of files begin that are not complete yet; they are in no listing."""


class PassingReader(io.RawIOBase):
    """Passes the bytes of a body on; what is done with them besides is told by its subclasses."""

    def __init__(self, body: BinaryIO) -> None:
        super().__init__()
        self._body = body

    def readable(self) -> bool:
        """Tell that this is for reading."""
        return True

    def seekable(self) -> bool:
        """Tell whether the body can be read again; what is read in another order has another digest."""
        return self._body.seekable()

    def tell(self) -> int:
        """Return where the file stands."""
        return self._body.tell()

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        """Move to another place, and back before more is read."""
        return self._body.seek(offset, whence)

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes."""
        return self._body.read(size)


class HashedReader(PassingReader):
    """Knows how many bytes were passed on, and their SHA-256."""

    def __init__(self, body: BinaryIO) -> None:
        super().__init__(body)
        self._digest = hashlib.sha256()
        self.size = 0

    @property
    def sha256(self) -> str:
        """The digest of what was read so far, in hexadecimal digits."""
        return self._digest.hexdigest()

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes."""
        chunk = super().read(size)
        self._digest.update(chunk)
        self.size += len(chunk)
        return chunk


class CheckedReader(HashedReader):
    """Reads a file that was written through a store; at its end, raises ``DamagedArtifact`` if it is another."""

    def __init__(self, download: Download, path: str = "") -> None:
        super().__init__(download.file)
        self._download = download
        self._path = path or download.name

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes."""
        chunk = super().read(size)
        if size != 0 and (size < 0 or not chunk):
            self._check()
        return chunk

    def _check(self) -> None:
        expected = self._download.sha256
        if expected and self.sha256 != expected:
            raise DamagedArtifact(
                f"The artifact {self._path!r} is not what was written: its {self.size:,} bytes have the "
                f"SHA-256 {self.sha256}, and {expected} was noted. It was damaged, or changed behind the "
                "store's back; log it again, or restore it from a backup."
            )


def save(download: Download, place: Path, path: str = "") -> None:
    """Write a file to a place of this machine, whole and as it was logged, or not at all.

    Parameters
    ----------
    path
        What the file is called in an error; by default its name.

    Raises
    ------
    DamagedArtifact
        It is not the file that was written through the store.
    """
    place.parent.mkdir(parents=True, exist_ok=True)
    fresh = place.with_name(f"{TEMPORARY}{uuid.uuid4().hex}")
    try:
        with download.file, fresh.open("xb") as file:
            reader = CheckedReader(download, path)
            while chunk := reader.read(CHUNK):
                file.write(chunk)
        os.replace(fresh, place)
    finally:
        fresh.unlink(missing_ok=True)
