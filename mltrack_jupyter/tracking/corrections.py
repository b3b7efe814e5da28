"""Params that a user logs where autologging has written others: the user's win, and both are kept."""

from __future__ import annotations

import json
from collections.abc import Sequence

from mltrack_jupyter.entities import AUTOLOGGED, Param, Tag
from mltrack_jupyter.tracking import origins


def corrected(run_id: str, pairs: Sequence[Param]) -> tuple[list[Param], list[Tag]]:
    """Return what is to be written with params of a user's: the values of autologging that they replace.

    These are kept as ``autolog.<name>``, and the tag that lists what autologging wrote follows.
    """
    mine = origins.known(run_id).params
    changed = [pair.key for pair in pairs if mine.get(pair.key, pair.value) != pair.value]
    if not changed:
        return [], []
    kept = [Param(f"autolog.{key}", mine.pop(key)) for key in changed]
    mine.update((pair.key, pair.value) for pair in kept)
    return kept, [Tag(AUTOLOGGED, json.dumps(sorted(mine), ensure_ascii=False))]
