"""The records of a journal: length, checksum, content. A torn tail ends what can be read, nothing else.

A record is ``<length: 4 bytes><CRC-32 of the content: 4 bytes><content>``, little-endian; the first byte
of the content is its kind. The first record of a file is its header. A place in a journal is
``index << 32 | count``: in which of its files, and how many records of that are before the place.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import msgspec

from mltrack_jupyter.entities import RunEntry
from mltrack_jupyter.entities.base import Entity

HEAD = struct.Struct("<II")
POINT = struct.Struct("<BIqqd")
"""The content of a record of the kind ``POINT_KIND``: the kind, and the columns of a point."""
_POINT_IN_ROW = "9xIqqd"  # the same behind its length and checksum
_IN_ROW = struct.Struct("<" + _POINT_IN_ROW)
_MANY = struct.Struct("<Iqqd")
_NAME = struct.Struct("<BI")
POINT_KIND, MANY_KIND, NAME_KIND, ENTRY_KIND, FILE_KIND, HEADER_KIND = b"PQNEFH"
_MAX_RECORD = 1 << 30

Point = tuple[int, int, int, float]
"""The number of its name, its step, its time in ms, its value."""
Columns = tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...], tuple[float, ...]]
"""The same of many points: numbers, steps, times, values."""


class Header(Entity, frozen=True, kw_only=True):
    """What a file of a journal says of itself.

    ``index`` counts the files of the journal, from 0; ``began`` is when this one was made (ms since 1970).
    """

    journal_id: str
    uri: str
    index: int
    pid: int
    began: int = 0
    format: int = 1


class Name(Entity, frozen=True, array_like=True):
    """A metric of a run, which points of the same file call by a number."""

    run_id: str
    key: str


class SpooledFile(Entity, frozen=True, kw_only=True):
    """An artifact of a run that waits in a file beside the journal until its server is there again."""

    run_id: str
    path: str
    spooled: str


class Record(NamedTuple):
    """A record that was read whole: its kind, its content (which begins with the kind), where it ends.

    Points in a row, of which a training loop writes many, are read as one: their ``size``, and as content
    their records with lengths and checksums.
    """

    kind: int
    content: bytes
    end: int
    size: int = 1

    def divide(self, count: int) -> tuple[Record, Record]:
        """Return the first ``count`` of points in a row, and the others."""
        first, rest = self.content[: count * _IN_ROW.size], self.content[count * _IN_ROW.size :]
        return (
            self._replace(content=first, end=self.end - len(rest), size=count),
            self._replace(content=rest, size=self.size - count),
        )


def framed(content: bytes) -> bytes:
    """Return a record with this content."""
    return HEAD.pack(len(content), zlib.crc32(content)) + content


def header_content(header: Header) -> bytes:
    """Return the content of a file's first record."""
    return bytes([HEADER_KIND]) + msgspec.json.encode(header)


def name_content(number: int, name: Name) -> bytes:
    """Return the content that gives a metric of a run its number."""
    return _NAME.pack(NAME_KIND, number) + msgspec.json.encode(name)


def many_content(points: list[Point]) -> bytes:
    """Return the content of points that are written all or none."""
    return bytes([MANY_KIND]) + b"".join([_MANY.pack(*point) for point in points])


def entry_content(entry: RunEntry) -> bytes:
    """Return the content of whatever else happened to a run."""
    return bytes([ENTRY_KIND]) + msgspec.msgpack.encode(entry)


def file_content(file: SpooledFile) -> bytes:
    """Return the content that tells of an artifact that waits."""
    return bytes([FILE_KIND]) + msgspec.json.encode(file)


def read_header(data: bytes) -> tuple[Header, int] | None:
    """Return the header at the beginning of a file and where it ends, ``None`` if it cannot be read."""
    if len(data) < HEAD.size:
        return None
    first = scan(data[: HEAD.size + HEAD.unpack_from(data)[0]])
    if not first or first[0].kind != HEADER_KIND:
        return None
    try:
        header = msgspec.json.decode(first[0].content[1:], type=Header)
    except msgspec.DecodeError:
        return None
    return (header, first[0].end) if header.format == 1 else None


def scan(data: bytes) -> list[Record]:
    """Return the whole records at the beginning of ``data``."""
    found: list[Record] = []
    place, size, head, crc32 = HEAD.size, len(data), HEAD.size, zlib.crc32
    begin = row = 0  # where points in a row began, and how many they are
    while place < size:
        length, checksum = HEAD.unpack_from(data, place - head)
        end = place + length
        if not 0 < length <= _MAX_RECORD or end > size:
            break
        content = data[place:end]
        if crc32(content) != checksum:
            break
        if length == POINT.size and content[0] == POINT_KIND:
            row += 1
        else:
            if row:
                found.append(Record(POINT_KIND, data[begin : place - head], place - head, row))
            found.append(Record(content[0], content, end))
            begin, row = end, 0
        place = end + head
    if row:
        found.append(Record(POINT_KIND, data[begin : place - head], place - head, row))
    return found


def divide(records: Sequence[Record], count: int) -> tuple[list[Record], list[Record]]:
    """Return the first ``count`` records, and the others."""
    for place, record in enumerate(records):
        if count < record.size:
            if count <= 0:
                return list(records[:place]), list(records[place:])
            first, rest = record.divide(count)
            return [*records[:place], first], [rest, *records[place + 1 :]]
        count -= record.size
    return list(records), []


def count_of(records: Iterable[Record]) -> int:
    """Return how many records there are."""
    return sum(record.size for record in records)


def read_name(record: Record) -> tuple[int, Name]:
    """Return the number and the name that a record of the kind ``NAME_KIND`` joins."""
    _, number = _NAME.unpack_from(record.content)
    return number, msgspec.json.decode(record.content[_NAME.size :], type=Name)


def read_row(record: Record) -> Columns:
    """Return the columns of points in a row, of the kind ``POINT_KIND``."""
    # One flat tuple, and no object for each point. (struct.unpack would keep such long formats.)
    flat = struct.Struct("<" + _POINT_IN_ROW * record.size).unpack(record.content)
    return flat[0::4], flat[1::4], flat[2::4], flat[3::4]


def read_points(record: Record) -> Iterator[Point]:
    """Yield the points of a record of the kind ``MANY_KIND``."""
    return _MANY.iter_unpack(memoryview(record.content)[1:])


def read_entry(record: Record) -> RunEntry:
    """Return what a record of the kind ``ENTRY_KIND`` tells."""
    return msgspec.msgpack.decode(memoryview(record.content)[1:], type=RunEntry)


def read_file(record: Record) -> SpooledFile:
    """Return what a record of the kind ``FILE_KIND`` tells."""
    return msgspec.json.decode(memoryview(record.content)[1:], type=SpooledFile)
