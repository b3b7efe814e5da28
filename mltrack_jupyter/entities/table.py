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


class ColumnStats(Entity, frozen=True, kw_only=True):
    """What the values of one param, metric or tag have in common over some runs.

    ``count`` runs have it; ``varying`` says whether they differ in it, runs without it included. ``min``
    and ``max`` are of the finite numbers among its values; ``categories`` are the distinct texts of a
    param or tag, sorted, empty where there are more than was asked for.
    """

    kind: str
    key: str
    count: int
    distinct: int
    varying: bool
    min: float | None = None
    max: float | None = None
    categories: list[str] = []


class RunColumns(Entity, frozen=True, kw_only=True):
    """The columns that a table of some runs would have, without its values."""

    total: int
    columns: list[ColumnStats] = []


class MetricSeries(Entity, frozen=True, kw_only=True, omit_defaults=False):
    """A metric of one run as a line: parallel arrays by step, of at most as many points as asked for.

    ``total`` points were logged. NaN and infinities are no points of a line; ``odd_values`` has them
    (the first of them, as many as a line may have points) with their steps, ``odd_total`` how many
    there are.
    """

    run_id: str
    key: str
    total: int
    steps: list[int]
    timestamps: list[int]
    values: list[float]
    odd_total: int = 0
    odd_steps: list[int] = []
    odd_values: list[float] = []


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
