"""The records of a journal: length, checksum, content. A torn tail ends what can be read, nothing else.

A record is ``<length: 4 bytes><CRC-32 of the content: 4 bytes><content>``, little-endian; the first byte
of the content is its kind. The first record of a file is its header. A place in a journal is
``index << 32 | count``: in which of its files, and how many records of that are before the place.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from typing import NamedTuple

import msgspec

from mltrack_jupyter.entities import RunEntry
from mltrack_jupyter.entities.base import Entity

HEAD = struct.Struct("<II")
POINT = struct.Struct("<BIqqd")
_MANY = struct.Struct("<Iqqd")
_NAME = struct.Struct("<BI")
POINT_KIND, MANY_KIND, NAME_KIND, ENTRY_KIND, FILE_KIND, HEADER_KIND = b"PQNEFH"
_MAX_RECORD = 1 << 30

Columns = tuple[int, int, int, float]
"""A point: the number of its name, its step, its time in ms, its value."""


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
    """A record that was read whole: its kind and its content without the kind."""

    kind: int
    content: bytes


def framed(content: bytes) -> bytes:
    """Return a record with this content."""
    return HEAD.pack(len(content), zlib.crc32(content)) + content


def header_content(header: Header) -> bytes:
    """Return the content of a file's first record."""
    return bytes([HEADER_KIND]) + msgspec.json.encode(header)


def name_content(number: int, name: Name) -> bytes:
    """Return the content that gives a metric of a run its number."""
    return _NAME.pack(NAME_KIND, number) + msgspec.json.encode(name)


def many_content(points: list[Columns]) -> bytes:
    """Return the content of points that are written all or none."""
    return bytes([MANY_KIND]) + b"".join([_MANY.pack(*point) for point in points])


def entry_content(entry: RunEntry) -> bytes:
    """Return the content of whatever else happened to a run."""
    return bytes([ENTRY_KIND]) + msgspec.msgpack.encode(entry)


def file_content(file: SpooledFile) -> bytes:
    """Return the content that tells of an artifact that waits."""
    return bytes([FILE_KIND]) + msgspec.json.encode(file)


def read_header(data: bytes) -> Header | None:
    """Return the header at the beginning of a file, ``None`` if there is none that can be read."""
    first = next(scan(data), None)
    if first is None or first[0].kind != HEADER_KIND:
        return None
    try:
        header = msgspec.json.decode(first[0].content, type=Header)
    except msgspec.DecodeError:
        return None
    return header if header.format == 1 else None


def scan(data: bytes) -> Iterator[tuple[Record, int]]:
    """Yield the whole records at the beginning of ``data``, each with the place where it ends."""
    place, size, head, crc32 = 0, len(data), HEAD.size, zlib.crc32
    while place + head < size:
        length, checksum = HEAD.unpack_from(data, place)
        end = place + head + length
        if not 0 < length <= _MAX_RECORD or end > size:
            return
        content = data[place + head : end]
        if crc32(content) != checksum:
            return
        yield Record(content[0], content[1:]), end
        place = end


def read_name(record: Record) -> tuple[int, Name]:
    """Return the number and the name that a record of the kind ``NAME_KIND`` joins."""
    (number,) = struct.unpack_from("<I", record.content)
    return number, msgspec.json.decode(record.content[4:], type=Name)


def read_point(record: Record) -> Columns:
    """Return the point of a record of the kind ``POINT_KIND``."""
    point: Columns = _MANY.unpack(record.content)
    return point


def read_points(record: Record) -> Iterator[Columns]:
    """Yield the points of a record of the kind ``POINT_KIND`` or ``MANY_KIND``."""
    return _MANY.iter_unpack(record.content)


def read_entry(record: Record) -> RunEntry:
    """Return what a record of the kind ``ENTRY_KIND`` tells."""
    return msgspec.msgpack.decode(record.content, type=RunEntry)


def read_file(record: Record) -> SpooledFile:
    """Return what a record of the kind ``FILE_KIND`` tells."""
    return msgspec.json.decode(record.content, type=SpooledFile)
