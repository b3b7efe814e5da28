"""The contract of a place that keeps artifacts, as tests.

A package that adds a scheme (an entry point in the group ``mltrack.artifact_repository``) runs it over its
own repository with one fixture::

    # tests/test_contract.py
    import pytest
    from mltrack_jupyter.store.artifacts import repository_at
    from mltrack_jupyter.testing.repositories import *  # the test classes


    @pytest.fixture
    def repository():
        return repository_at("myscheme://...")  # an empty one

Where there are no listings, ``listings`` is a fixture that answers ``False``; where files are kept in the
memory of this process, or served from it, so is ``streams``.
"""

from __future__ import annotations

import hashlib
import io
import tracemalloc
from collections.abc import Iterator
from typing import BinaryIO, cast

import pytest

from mltrack_jupyter.entities import FileInfo
from mltrack_jupyter.errors import InvalidParameter, MltrackError, NotFound, NotImplementedHere
from mltrack_jupyter.services import Repository
from mltrack_jupyter.store.artifacts import KeptFiles
from mltrack_jupyter.testing.artifacts import ANCHORED, GOOD, WRONG

__all__ = ["TestFiles", "TestNames", "TestTrees", "listings", "streams"]

_LARGE = 40 * 1024 * 1024
# Of a length that nobody sends files in, so that parts in a wrong order are another file.
_BLOCK = (bytes(range(256)) * 256)[:65_521]


@pytest.fixture
def listings() -> bool:
    """Whether the place can list what is in it."""
    return True


@pytest.fixture
def streams() -> bool:
    """Whether a large file passes through this process in parts."""
    return True


class Pattern(io.RawIOBase):
    """A large file that is in no memory; it fails after ``broken_at`` bytes."""

    def __init__(self, size: int, broken_at: int = -1) -> None:
        super().__init__()
        self.size, self.place, self.broken_at = size, 0, broken_at

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self.place

    def seek(self, offset: int, whence: int = 0, /) -> int:
        self.place = offset if whence == 0 else self.size
        return self.place

    def read(self, size: int = -1) -> bytes:
        if 0 <= self.broken_at <= self.place:
            raise OSError("the line was cut")
        left = self.size - self.place
        count = left if size < 0 else min(size, left)
        start = self.place % len(_BLOCK)
        self.place += count
        return (_BLOCK * (count // len(_BLOCK) + 2))[start : start + count]


def chunks(body: BinaryIO) -> Iterator[bytes]:
    """Read a file in parts."""
    while chunk := body.read(1024 * 1024):
        yield chunk


def content(repository: Repository, path: str) -> bytes:
    """Return the bytes of a file."""
    with repository.open(path).file as file:
        return file.read()


def put(repository: Repository, path: str, body: bytes = b"content") -> None:
    """Write a file."""
    repository.write(path, io.BytesIO(body))


class TestFiles:
    """One file: whole or not at all, and known by its digest."""

    @pytest.mark.parametrize("body", [b"", b"x", bytes(range(256)) * 5000])
    def test_written_and_read(self, repository: Repository, body: bytes) -> None:
        written = repository.write("plots/a b.png", io.BytesIO(body))
        assert (written.size, written.sha256) == (len(body), hashlib.sha256(body).hexdigest())
        found = repository.open("plots/a b.png")
        with found.file as file:
            assert (found.name, found.size, file.read()) == ("a b.png", len(body), body)

    def test_a_part_of_it(self, repository: Repository) -> None:
        put(repository, "a", b"0123456789")
        with repository.open("a").file as file:
            file.seek(4)
            assert file.read(3) == b"456"

    def test_overwritten(self, repository: Repository) -> None:
        put(repository, "a", b"longer than before")
        put(repository, "a", b"new")
        assert content(repository, "a") == b"new"

    def test_from_where_the_file_stands(self, repository: Repository) -> None:
        body = io.BytesIO(b"skipped, kept")
        body.seek(9)
        repository.write("a", body)
        assert content(repository, "a") == b"kept"

    def test_what_is_not_there(self, repository: Repository) -> None:
        with pytest.raises(NotFound):
            repository.open("none")
        repository.delete("none")

    def test_deleted(self, repository: Repository) -> None:
        put(repository, "a")
        repository.delete("a")
        with pytest.raises(NotFound):
            repository.open("a")

    def test_a_large_one_in_little_memory(self, repository: Repository, streams: bool) -> None:
        expected = hashlib.sha256()
        for chunk in chunks(cast(BinaryIO, Pattern(_LARGE))):
            expected.update(chunk)
        put(repository, "small")  # so that what is imported is
        if streams:
            tracemalloc.start()
        try:
            written = repository.write("large", cast(BinaryIO, Pattern(_LARGE)))
            digest = hashlib.sha256()
            with repository.open("large").file as file:
                for chunk in chunks(file):
                    digest.update(chunk)
            most = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert written.size == _LARGE
        assert digest.hexdigest() == expected.hexdigest() == written.sha256
        assert most < _LARGE

    @pytest.mark.parametrize("cut", [1000, 12 * 1024 * 1024])
    @pytest.mark.parametrize("before", [None, b"before"])
    def test_what_was_cut_off_leaves_nothing(
        self, repository: Repository, cut: int, before: bytes | None
    ) -> None:
        if before is not None:
            put(repository, "a", before)
        with pytest.raises((MltrackError, OSError)):
            repository.write("a", cast(BinaryIO, Pattern(_LARGE, broken_at=cut)))
        if before is not None:
            assert content(repository, "a") == before
            return
        with pytest.raises(NotFound):
            repository.open("a")


class TestTrees:
    """Folders, as far as the place knows any."""

    @pytest.fixture(autouse=True)
    def _lists(self, repository: Repository, listings: bool) -> None:
        if not listings:
            with pytest.raises(NotImplementedHere, match="no listings"):
                repository.list()
            pytest.skip("this place has no listings, and says so")

    def test_listed(self, repository: Repository) -> None:
        for name in ("b.txt", "a/x.txt", "a/y/z.txt", "a/empty"):
            put(repository, name, b"" if name.endswith("empty") else b"1234")
        assert repository.list() == [
            FileInfo(path="a", is_dir=True),
            FileInfo(path="b.txt", is_dir=False, file_size=4),
        ]
        assert [item.path for item in repository.list("a")] == ["empty", "x.txt", "y"]
        # What is no folder has no children, and that is no error.
        for path in ("b.txt", "none", "b.txt/x"):
            assert list(repository.list(path)) == []

    def test_walked_and_removed(self, repository: KeptFiles) -> None:
        for name in ("b", "a/x", "a/y/z"):
            put(repository, name, b"12")
        assert repository.walk() == {"b": 2, "a/x": 2, "a/y/z": 2}
        assert repository.walk("a") == {"a/x": 2, "a/y/z": 2}
        assert repository.walk("b") == {"b": 2}
        assert repository.walk("none") == {}
        assert repository.remove() == {"b": 2, "a/x": 2, "a/y/z": 2}
        assert list(repository.list()) == []

    def test_every_writing_has_its_own_stamp(self, repository: KeptFiles) -> None:
        first = repository.write("a", io.BytesIO(b"1"))
        assert repository.stamp("a") == first.stamp
        second = repository.write("a", io.BytesIO(b"22"))
        assert repository.stamp("a") == second.stamp != first.stamp
        assert repository.stamp("none") == ""

    def test_deleted_as_a_tree(self, repository: Repository) -> None:
        for name in ("t/x", "t/y/z", "tx"):
            put(repository, name)
        repository.delete("t")
        assert [item.path for item in repository.list()] == ["tx"]

    def test_a_folder_is_no_file(self, repository: Repository) -> None:
        put(repository, "a/b")
        with pytest.raises(InvalidParameter, match="directory"):
            repository.open("a")
        with pytest.raises(InvalidParameter):
            put(repository, "a")
        with pytest.raises(InvalidParameter):
            put(repository, "a/b/c")
        assert content(repository, "a/b") == b"content"


class TestNames:
    """What a path may be."""

    def test_unusual_names_come_back_as_they_were(
        self, repository: Repository, listings: bool
    ) -> None:
        names = [name for name in GOOD if "/" not in name and len(name) < 200]
        for name in names:
            put(repository, f"names/{name}", name.encode())
        for name in names:
            assert content(repository, f"names/{name}") == name.encode()
        if listings:
            assert [item.path for item in repository.list("names")] == sorted(names)

    def test_nothing_leads_out(self, repository: Repository) -> None:
        for path in (*WRONG, *ANCHORED, ""):
            for call in (repository.open, repository.delete):
                with pytest.raises(InvalidParameter):
                    call(path)
            with pytest.raises(InvalidParameter):
                put(repository, path)
