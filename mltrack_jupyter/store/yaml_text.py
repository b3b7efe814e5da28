"""YAML from strangers: safe types only, bounded in size, depth and what its aliases expand to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import yaml

from mltrack_jupyter.errors import InvalidParameter

MAX_BYTES = 2_000_000
# An MLmodel file has some 200 nodes; PyYAML takes half a second for 5,000.
MAX_NODES = 5_000
MAX_DEPTH = 50
# A plain scalar may be resolved to a number, at a cost that is quadratic for some spellings.
MAX_PLAIN = 10_000


def parse_mapping(text: str, name: str) -> dict[str, Any]:
    """Return the mapping that a YAML document holds; ``name`` is used in messages.

    Raises
    ------
    InvalidParameter
        Not YAML, not a mapping, too large, too deep, or an alias bomb.
    """
    if len(text) > MAX_BYTES:
        raise InvalidParameter(f"{name} is too large: more than {MAX_BYTES:,} characters of YAML.")
    try:
        _check_bounds(text, name)
        loaded = yaml.safe_load(text)
    # ValueError: a scalar that looks like a date or a number and is none (2024-99-99).
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        if isinstance(error, InvalidParameter):
            raise
        raise InvalidParameter(f"{name} is corrupt, it is not valid YAML: {error}") from error
    if not isinstance(loaded, dict) or not all(isinstance(key, str) for key in loaded):
        raise InvalidParameter(f"{name} is corrupt: it must hold a mapping with text as keys.")
    return loaded


def _check_bounds(text: str, name: str) -> None:
    # Read as a stream of events, which costs no memory and does not recurse. What counts is the
    # number of nodes after every alias is replaced by a copy of what it points at.
    sizes: dict[str, int] = {}
    open_nodes: list[tuple[str | None, int]] = []
    total = 0
    for event in _events(text):
        anchor = getattr(event, "anchor", None)
        if isinstance(event, yaml.AliasEvent):
            total += sizes.get(str(event.anchor), 1)
        elif isinstance(event, yaml.ScalarEvent):
            if event.style is None and len(event.value) > MAX_PLAIN:
                raise InvalidParameter(
                    f"{name} holds an unquoted value of {len(event.value):,} characters."
                )
            total += 1
            if anchor is not None:
                sizes[anchor] = 1
        elif isinstance(event, yaml.CollectionStartEvent):
            open_nodes.append((anchor, total))
            total += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            anchor, before = open_nodes.pop()
            if anchor is not None:
                sizes[anchor] = total - before
        if total > MAX_NODES or len(open_nodes) > MAX_DEPTH:
            raise InvalidParameter(
                f"{name} is too large: more than {MAX_NODES:,} values, aliases expanded, or nested "
                f"deeper than {MAX_DEPTH}."
            )


def _events(text: str) -> Iterator[Any]:
    # PyYAML's stubs leave `parse` untyped. The pure parser, because `safe_load` uses it too: two
    # parsers that disagree about one byte would be a way around the check.
    events: Iterator[Any] = yaml.parse(text, Loader=yaml.SafeLoader)
    return events
