"""Runs as columns: what the screens draw."""

from __future__ import annotations

from msgspec.structs import force_setattr

from mltrack_jupyter.entities.base import Entity


class Column(Entity, frozen=True, kw_only=True, omit_defaults=False):
    """One param, metric or tag over the rows of a table; ``None`` where a run has no value."""

    kind: str
    key: str
    values: list[str | float | None]

    def __post_init__(self) -> None:
        # JSON has no NaN and no infinities; they come over the wire as text.
        if self.kind == "metric" and any(isinstance(value, str) for value in self.values):
            values = [float(value) if isinstance(value, str) else value for value in self.values]
            force_setattr(self, "values", values)


class RunTable(Entity, frozen=True, kw_only=True):
    """Runs as parallel arrays: index ``i`` of every array and column belongs to ``run_ids[i]``."""

    run_ids: list[str] = []
    run_names: list[str] = []
    experiment_ids: list[str] = []
    statuses: list[str] = []
    start_times: list[int] = []
    end_times: list[int | None] = []
    user_ids: list[str] = []
    columns: list[Column] = []
    next_page_token: str = ""
    total: int | None = None
