"""Floats as integers of the same order, so that every bit of a value survives every database."""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence

_FLIP = 0x7FFF_FFFF_FFFF_FFFF


def to_bits(value: float) -> int:
    """Return the eight bytes of a float as a signed integer that sorts as the floats do."""
    bits: int = struct.unpack("<q", struct.pack("<d", value))[0]
    return bits if bits >= 0 else bits ^ _FLIP


def to_bits_many(values: Sequence[float]) -> list[int]:
    """Return the integers of many floats at once."""
    if len(values) == 1:
        return [to_bits(values[0])]
    raw = struct.unpack(f"<{len(values)}q", struct.pack(f"<{len(values)}d", *values))
    if min(raw, default=0) >= 0:
        return list(raw)
    return [bits if bits >= 0 else bits ^ _FLIP for bits in raw]


def from_bits(bits: int) -> float:
    """Return the float that :func:`to_bits` was given."""
    value: float = struct.unpack("<d", struct.pack("<q", bits if bits >= 0 else bits ^ _FLIP))[0]
    return value


def from_bits_many(bits: Sequence[int]) -> list[float]:
    """Return the floats of many integers at once."""
    raw = bits if min(bits, default=0) >= 0 else [x if x >= 0 else x ^ _FLIP for x in bits]
    return list(struct.unpack(f"<{len(raw)}d", struct.pack(f"<{len(raw)}q", *raw)))


def to_number(value: float) -> float | None:
    """Return a float as a column of numbers holds it: ``None`` for NaN, which SQLite cannot store."""
    return None if math.isnan(value) else value
