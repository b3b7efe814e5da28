"""From records to what the store takes over: many records of a run become one entry."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

import msgspec

from mltrack_jupyter.entities import (
    ERROR,
    REASON,
    DatasetInput,
    MadeModel,
    Metric,
    ModelInput,
    ModelOutput,
    Param,
    Points,
    Process,
    RunEntry,
    RunStatus,
    Tag,
)
from mltrack_jupyter.store.journal.records import (
    ENTRY_KIND,
    NAME_KIND,
    POINT_KIND,
    POINT_KINDS,
    Name,
    Record,
    read_entry,
    read_name,
    read_point,
    read_points,
)

UNREADABLE = (msgspec.MsgspecError, struct.error, KeyError)
"""What a record raises that is whole, and was written by another version of this package."""
_Columns = tuple[list[int], list[int], list[float]]
"""Steps, times (ms) and values of a metric's points."""


@dataclass
class _Growing:
    """The entry of a run while records are added to it."""

    run_id: str
    points: dict[str, _Columns] = field(default_factory=dict)
    noted: list[Metric] = field(default_factory=list)
    params: list[Param] = field(default_factory=list)
    tags: list[Tag] = field(default_factory=list)
    datasets: list[DatasetInput] = field(default_factory=list)
    models: list[ModelInput] = field(default_factory=list)
    outputs: list[ModelOutput] = field(default_factory=list)
    shared: dict[str, str] = field(default_factory=dict)
    made: list[MadeModel] = field(default_factory=list)
    process: Process | None = None
    status: RunStatus | None = None
    end_time: int | None = None

    def add(self, entry: RunEntry) -> None:
        self.noted += entry.noted
        self.params += entry.params
        if entry.status is not None:  # why it had ended before is over
            self.tags = [tag for tag in self.tags if tag.key not in (REASON, ERROR)]
        self.tags += entry.tags
        self.datasets += entry.datasets
        self.models += entry.models
        self.outputs += entry.outputs
        self.shared |= entry.shared
        self.made += entry.made
        self.process = entry.process or self.process
        if entry.status is not None:
            self.status, self.end_time = entry.status, entry.end_time

    def columns(self, key: str) -> _Columns:
        found = self.points.get(key)
        if found is None:
            found = self.points[key] = ([], [], [])
        return found

    def whole(self) -> RunEntry:
        points = [
            Points(key=key, steps=steps, timestamps=timestamps, values=values)
            for key, (steps, timestamps, values) in self.points.items()
        ]
        return RunEntry(
            run_id=self.run_id,
            points=points,
            noted=self.noted,
            params=self.params,
            tags=self.tags,
            datasets=self.datasets,
            models=self.models,
            outputs=self.outputs,
            shared=self.shared,
            made=self.made,
            process=self.process,
            status=self.status,
            end_time=self.end_time,
        )


class Names:
    """The numbers by which the points of one file call the metrics of runs."""

    def __init__(self) -> None:
        self._names: dict[int, Name] = {}

    def learn(self, record: Record) -> None:
        """Take in a name; other records teach nothing."""
        if record.kind == NAME_KIND:
            try:
                number, name = read_name(record)
            except UNREADABLE:  # its points are not known, then, and kept as they are
                return
            self._names[number] = name

    def __getitem__(self, number: int) -> Name:
        return self._names[number]


def _turn(numbers: list[int]) -> int:
    """Return after how many points their names come again in the same order, as in a training loop."""
    try:
        turn = numbers.index(numbers[0], 1)
    except ValueError:
        return len(numbers)
    again = numbers[:turn] * (len(numbers) // turn + 1)
    # A name that comes twice in a turn would not keep the order of its points.
    is_turn = again[: len(numbers)] == numbers and len(set(numbers[:turn])) == turn
    return turn if is_turn else len(numbers)


class Fold:
    """Entries of several runs that grow by records, in the order in which the runs were first met.

    How a run began is an entry of its own, before all others: a store that has heard of it already takes
    nothing back that was written to the run since.
    """

    def __init__(self, names: Names) -> None:
        self._names = names
        self._begun: list[RunEntry] = []
        self._runs: dict[str, _Growing] = {}
        self._columns: dict[int, _Columns] = {}

    def add(self, record: Record) -> None:
        """Add what a record tells."""
        if record.kind == POINT_KIND and record.size == 1:
            number, step, timestamp, value = read_point(record)
            columns = self._columns_of(number)
            columns[0].append(step)
            columns[1].append(timestamp)
            columns[2].append(value)
        elif record.kind in POINT_KINDS:
            self._add_points(*read_points(record))
        elif record.kind == ENTRY_KIND:
            entry = read_entry(record)
            if entry.new is not None:
                begin, entry = entry.divided()
                self._begun.append(begin)
                if entry == RunEntry(run_id=entry.run_id):
                    return
            self._run(entry.run_id).add(entry)

    def _add_points(
        self,
        numbers: list[int],
        steps: list[int],
        timestamps: list[int],
        values: list[float],
    ) -> None:
        turn = _turn(numbers)
        for place in range(turn):
            columns = self._columns_of(numbers[place])
            columns[0].extend(steps[place::turn])
            columns[1].extend(timestamps[place::turn])
            columns[2].extend(values[place::turn])

    def _columns_of(self, number: int) -> _Columns:
        columns = self._columns.get(number)
        if columns is None:
            name = self._names[number]
            columns = self._columns[number] = self._run(name.run_id).columns(name.key)
        return columns

    def _run(self, run_id: str) -> _Growing:
        found = self._runs.get(run_id)
        if found is None:
            found = self._runs[run_id] = _Growing(run_id)
        return found

    def entries(self) -> list[RunEntry]:
        """Return the entries."""
        return [*self._begun, *[run.whole() for run in self._runs.values()]]
