"""The records of a journal: length, checksum, content. A torn tail ends what can be read, nothing else.

A record is ``<length: 4 bytes><CRC-32 of the content: 4 bytes><content>``, little-endian; the first byte
of the content is its kind. The first record of a file is its header. A place in a journal is
``index << 32 | count``: in which of its files, and how many records of that are before the place.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import chain
from typing import NamedTuple
from zlib import crc32

import msgspec

from mltrack_jupyter.entities import RunEntry
from mltrack_jupyter.entities.base import Entity

HEAD = struct.Struct("<II")
POINT = struct.Struct("<BIqqd")
"""The content of a record of the kind ``POINT_KIND``: the kind, and the columns of a point."""
_MANY = struct.Struct("<Iqqd")
_ALONE = struct.Struct("<9xIqqd")
_NAME = struct.Struct("<BI")
FIRST = struct.Struct("<BIIIqqd")
"""How the content of a record of the kind ``FIRST_KIND`` begins: the kind, the numbers of a run and of its
first metric, how many metrics follow, and the columns of their points. Then come their names, a line each."""
_FIRSTS = struct.Struct("<BIII")
_FIRST_IN_ROW = struct.Struct("<I4xxIIIqqd")
_HEAD_AND_KIND = struct.Struct("<IIB")
POINT_KIND, MANY_KIND, NAME_KIND, ENTRY_KIND, FILE_KIND, HEADER_KIND = b"PQNEFH"
RUN_KIND, FIRST_KIND = b"RM"
_ENTRY_KIND = bytes([ENTRY_KIND])
POINT_KINDS = (POINT_KIND, MANY_KIND)
"""One point, and several that are written all or none: the kind, and the columns of each."""
FORMAT = 2
"""The newest format of a file: the first one has no records of the kinds ``RUN_KIND`` and ``FIRST_KIND``."""
_FEW = 100
"""Of how many points one layout is kept, as a training loop logs them together."""
_MAX_RECORD = 1 << 30
FILES = ".files"
"""After the id of a journal, the name of the folder beside it with the artifacts that wait."""
_SPOOLED = re.compile(r"[0-9a-f]{32}")

Point = tuple[int, int, int, float]
"""The number of its name, its step, its time in ms, its value."""
Columns = tuple[list[int], list[int], list[int], list[float]]
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
    format: int = 1  # what is absent in a file


class Firsts(NamedTuple):
    """Metrics of one run with their first points in a file, as columns; later points call them by their numbers."""

    run: int
    numbers: list[int]
    keys: list[str]
    steps: list[int]
    timestamps: list[int]
    values: list[float]


class Name(Entity, frozen=True, array_like=True, gc=False):
    """A metric of a run, which points of the same file call by a number."""

    run_id: str
    key: str


class SpooledFile(Entity, frozen=True, kw_only=True):
    """An artifact of a run that waits in a file beside the journal until its server is there again."""

    run_id: str
    path: str
    spooled: str

    def name_beside(self, journal_id: str) -> str:
        """Return the name of the file in the folder of a journal; "" for what no journal writes.

        Whoever reads a journal uploads the file, and removes it: it is never anything else.
        """
        folder, _, name = self.spooled.partition("/")
        is_ours = folder == f"{journal_id}{FILES}" and _SPOOLED.fullmatch(name)
        return name if is_ours else ""


# Made once: one a call would take as long as the call.
_encode, _encode_json = msgspec.msgpack.Encoder().encode, msgspec.json.Encoder().encode
_decode_entry = msgspec.msgpack.Decoder(RunEntry).decode
_decode_name = msgspec.json.Decoder(Name).decode


class Record(NamedTuple):
    """A record that was read whole: its kind, its content (which begins with the kind), where it ends.

    Records of points that are alike and in a row, of which a training loop writes many, are read as one:
    their ``size``, and as content all of them with their lengths and checksums.
    """

    kind: int
    content: bytes
    end: int
    size: int = 1

    def divide(self, count: int) -> tuple[Record, Record]:
        """Return the first ``count`` of records in a row, and the others."""
        place = count * (len(self.content) // self.size)
        if self.kind == FIRST_KIND:  # they have no one length
            place = 0
            for _ in range(count):
                place += HEAD.size + HEAD.unpack_from(self.content, place)[0]
        first, rest = self.content[:place], self.content[place:]
        return (
            self._replace(content=first, end=self.end - len(rest), size=count),
            self._replace(content=rest, size=self.size - count),
        )


def framed(content: bytes) -> bytes:
    """Return a record with this content."""
    return HEAD.pack(len(content), crc32(content)) + content


def header_content(header: Header) -> bytes:
    """Return the content of a file's first record."""
    return bytes([HEADER_KIND]) + msgspec.json.encode(header)


def name_content(number: int, name: Name) -> bytes:
    """Return the content that gives a metric of a run its number."""
    return _NAME.pack(NAME_KIND, number) + _encode_json(name)


def run_content(number: int, run_id: str) -> bytes:
    """Return the content that gives a run its number."""
    return _NAME.pack(RUN_KIND, number) + run_id.encode()


def firsts_content(run: int, number: int, points: Sequence[tuple[str, int, int, float]]) -> bytes:
    """Return the content of ``FIRST_KIND`` for metrics whose numbers follow each other; they are written all or none."""
    keys, steps, timestamps, values = zip(*points, strict=True)
    size = len(keys)
    columns = struct.pack(f"<{size}q{size}q{size}d", *steps, *timestamps, *values)
    # No name has a line break in it.
    return _FIRSTS.pack(FIRST_KIND, run, number, size) + columns + "\n".join(keys).encode()


def many_content(points: Sequence[Point]) -> bytes:
    """Return the content of points that are written all or none."""
    if len(points) > _FEW:
        return bytes([MANY_KIND]) + b"".join([_MANY.pack(*point) for point in points])
    return _few(len(points)).pack(MANY_KIND, *chain.from_iterable(points))


@lru_cache(maxsize=_FEW)
def _few(size: int) -> struct.Struct:
    return struct.Struct("<B" + "Iqqd" * size)


def entry_content(entry: RunEntry) -> bytes:
    """Return the content of whatever else happened to a run."""
    return _ENTRY_KIND + _encode(entry)


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
    return (header, first[0].end) if header.format <= FORMAT else None


def scan(data: bytes, *, is_own: bool = False) -> list[Record]:
    """Return the whole records at the beginning of ``data``.

    What ``is_own`` was never elsewhere than in the memory of this process, so that it needs no checksums.
    """
    found: list[Record] = []
    place = 0
    while place + HEAD.size < len(data):
        length, checksum = HEAD.unpack_from(data, place)
        begin = place + HEAD.size
        end = begin + length
        if not 0 < length <= _MAX_RECORD or end > len(data):
            break
        if data[begin] in POINT_KINDS:
            size = _row(data, place, length, is_own)
            end = place + size * (HEAD.size + length)
            record = Record(data[begin], data[place:end], end, size)
        elif data[begin] == FIRST_KIND:
            size, end = _row_of_firsts(data, place, is_own)
            record = Record(FIRST_KIND, data[place:end], end, size)
        else:
            record = Record(data[begin], data[begin:end], end)
            size = int(crc32(record.content) == checksum)
        if not size:
            break
        found.append(record)
        place = end
    return found


def _row(data: bytes, place: int, length: int, is_own: bool) -> int:
    """Return how many records like the one at ``place`` follow each other there, all of them whole."""
    begin = place + HEAD.size
    end = begin + length
    if (
        data[end : end + 4] != data[place : place + 4]
        or data[end + 8 : end + 9] != data[begin : begin + 1]
    ):
        # Of many names each comes once: what is alone needs no search for its like.
        return int(crc32(data[begin:end]) == int.from_bytes(data[place + 4 : begin], "little"))
    alike = _alike(data[begin], length).match(data, place)
    if is_own and alike is not None:
        return len(alike[0]) // (HEAD.size + length)
    count = 0
    if alike is not None:
        for checksum, content in struct.iter_unpack(f"<4xI{length}s", alike[0]):
            if crc32(content) != checksum:
                break
            count += 1
    return count


def _row_of_firsts(data: bytes, place: int, is_own: bool) -> tuple[int, int]:
    """Return how many records of the kind ``FIRST_KIND`` follow each other, all of them whole, and their end."""
    count, last = 0, len(data) - _HEAD_AND_KIND.size
    while place <= last:
        length, checksum, kind = _HEAD_AND_KIND.unpack_from(data, place)
        if kind != FIRST_KIND or not length or place + 8 + length > len(data):
            break
        if not is_own and crc32(data[place + 8 : place + 8 + length]) != checksum:
            break
        place += 8 + length
        count += 1
    return count, place


@lru_cache(maxsize=64)
def _alike(kind: int, length: int) -> re.Pattern[bytes]:
    """Return what finds records of a kind and a length: at the speed of C, and in one pass."""
    head, first = re.escape(length.to_bytes(4, "little")), re.escape(bytes([kind]))
    return re.compile(b"(?:%b.{4}%b.{%d})++" % (head, first, length - 1), re.DOTALL)


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
    return number, _decode_name(record.content[_NAME.size :])


def read_run(record: Record) -> tuple[int, str]:
    """Return the number and the id of a run that a record of the kind ``RUN_KIND`` joins."""
    _, number = _NAME.unpack_from(record.content)
    return number, record.content[_NAME.size :].decode()


def read_firsts(record: Record) -> list[Firsts]:
    """Return the metrics with their first points in a row of records; those of one run are together."""
    content, place, at_keys = record.content, 0, HEAD.size + FIRST.size
    found: list[Firsts] = []
    names: list[list[bytes]] = []
    read, last = _FIRST_IN_ROW.unpack_from, -1
    while place < len(content):
        length, run, number, size, step, timestamp, value = read(content, place)
        end = place + HEAD.size + length
        if run != last:
            last = run
            of_run = Firsts(run, numbers := [], [], steps := [], times := [], values := [])
            found.append(of_run)
            names.append(keys := [])
        if size == 1:
            numbers.append(number)
            steps.append(step)
            times.append(timestamp)
            values.append(value)
            keys.append(content[place + at_keys : end])
        else:
            begin = place + HEAD.size + _FIRSTS.size
            columns = struct.unpack_from(f"<{size}q{size}q{size}d", content, begin)
            numbers.extend(range(number, number + size))
            steps.extend(columns[:size])
            times.extend(columns[size : 2 * size])
            values.extend(columns[2 * size :])
            keys.append(content[begin + 24 * size : end])
        place = end
    for of_run, keys in zip(found, names, strict=True):
        of_run.keys.extend(b"\n".join(keys).decode().split("\n"))
    return found


def read_point(record: Record) -> tuple[int, int, int, float]:
    """Return the one point of a record of the kind ``POINT_KIND`` that is alone."""
    return _ALONE.unpack(record.content)


def read_points(record: Record) -> Columns:
    """Return the columns of the points in a row of records, of one of the ``POINT_KINDS``."""
    each = len(record.content) // record.size  # a head, the kind, and some points
    layout = "<9x" + "Iqqd" * ((each - HEAD.size - 1) // _MANY.size)
    # (struct.iter_unpack would keep such long layouts.)
    flat = list(chain.from_iterable(struct.Struct(layout).iter_unpack(record.content)))
    return flat[0::4], flat[1::4], flat[2::4], flat[3::4]


def read_entry(record: Record) -> RunEntry:
    """Return what a record of the kind ``ENTRY_KIND`` tells."""
    return _decode_entry(memoryview(record.content)[1:])


def read_file(record: Record) -> SpooledFile:
    """Return what a record of the kind ``FILE_KIND`` tells."""
    return msgspec.json.decode(memoryview(record.content)[1:], type=SpooledFile)
