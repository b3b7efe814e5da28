"""From records to what the store takes over: many records of a run become one entry."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from functools import partial
from itertools import compress

import msgspec

from mltrack_jupyter.entities import (
    ERROR,
    REASON,
    DatasetInput,
    MadeModel,
    ManyNames,
    Metric,
    ModelInput,
    ModelOutput,
    Param,
    Points,
    Process,
    RunEntry,
    RunStatus,
    Singles,
    Tag,
)
from mltrack_jupyter.store.journal.records import (
    ENTRY_KIND,
    FIRST_KIND,
    NAME_KIND,
    POINT_KIND,
    POINT_KINDS,
    RUN_KIND,
    Firsts,
    Name,
    Record,
    read_entry,
    read_firsts,
    read_name,
    read_point,
    read_points,
    read_run,
)

UNREADABLE = (msgspec.MsgspecError, struct.error, KeyError, ValueError)
"""What a record raises that is whole, and was written by another version of this package."""
_MANY = 50
"""From how many metrics on that have one point each these are handed over as columns."""
_Columns = tuple[list[int], list[int], list[float]]
"""Steps, times (ms) and values of a metric's points."""


@dataclass
class _Single:
    """The metrics of a run that have one point so far, as columns, and their places in these by their numbers."""

    keys: list[str] = field(default_factory=list)
    columns: _Columns = field(default_factory=lambda: ([], [], []))
    places: dict[int, int] = field(default_factory=dict)
    taken: set[int] = field(default_factory=set)

    def add(self, found: Firsts) -> None:
        begin = len(self.keys)
        self.places.update(zip(found.numbers, range(begin, begin + len(found.keys)), strict=True))
        self.keys += found.keys
        _extend(self.columns, (found.steps, found.timestamps, found.values))

    def take(self, number: int) -> tuple[int, int, float] | None:
        """Return the point of a metric that is given another one."""
        place = self.places.pop(number, None)
        if place is None:
            return None
        self.taken.add(place)
        steps, timestamps, values = self.columns
        return steps[place], timestamps[place], values[place]

    def rest(self) -> Singles:
        """Return what was not taken."""
        keys, (steps, timestamps, values) = self.keys, self.columns
        if self.taken:
            left = [place not in self.taken for place in range(len(keys))]
            keys, values = list(compress(keys, left)), list(compress(values, left))
            steps, timestamps = list(compress(steps, left)), list(compress(timestamps, left))
        return Singles(keys=keys, steps=steps, timestamps=timestamps, values=values)


@dataclass
class _Growing:
    """The entry of a run while records are added to it."""

    run_id: str
    points: dict[str, _Columns] = field(default_factory=dict)
    single: _Single = field(default_factory=_Single)
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

    def columns(self, key: str, number: int = -1) -> _Columns:
        found = self.points.get(key)
        if found is None:
            found = self.points[key] = ([], [], [])
        first = self.single.take(number)
        if first is not None:
            _append(found, *first)
        return found

    def add_firsts(self, found: Firsts) -> None:
        if not self.points or self.points.keys().isdisjoint(found.keys):
            self.single.add(found)
            return
        columns = zip(found.keys, found.steps, found.timestamps, found.values, strict=True)
        for key, step, timestamp, value in columns:
            _append(self.columns(key), step, timestamp, value)

    def _spell_out(self, singles: Singles) -> None:
        earlier, self.points = self.points, {}
        single = zip(singles.keys, singles.steps, singles.timestamps, singles.values, strict=True)
        for key, step, timestamp, value in single:
            _append(self.columns(key), step, timestamp, value)
        for key, columns in earlier.items():
            _extend(self.columns(key), columns)

    def whole(self) -> RunEntry:
        singles = self.single.rest()
        # An interrupt may have given a metric two numbers.
        is_many = len(singles.keys) >= _MANY and (
            len({*singles.keys, *self.points}) == len(singles.keys) + len(self.points)
        )
        if not is_many:
            self._spell_out(singles)
        points = [
            Points(key=key, steps=steps, timestamps=timestamps, values=values)
            for key, (steps, timestamps, values) in self.points.items()
        ]
        made = partial(ManyNames, singles=singles) if is_many else RunEntry
        return made(
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


def _append(columns: _Columns, step: int, timestamp: int, value: float) -> None:
    columns[0].append(step)
    columns[1].append(timestamp)
    columns[2].append(value)


def _extend(columns: _Columns, more: _Columns) -> None:
    columns[0].extend(more[0])
    columns[1].extend(more[1])
    columns[2].extend(more[2])


class Names:
    """The numbers by which the points of one file call the metrics of runs, and those of the runs."""

    def __init__(self) -> None:
        self.runs: dict[int, str] = {}
        self._names: dict[int, Name] = {}
        self._unread: list[Record] = []

    def learn(self, record: Record) -> None:
        """Take in a name; other records teach nothing."""
        if record.kind == NAME_KIND:
            try:
                number, name = read_name(record)
            except UNREADABLE:  # its points are not known, then, and kept as they are
                return
            self._names[number] = name
        elif record.kind == RUN_KIND:
            try:
                number, run_id = read_run(record)
            except UNREADABLE:
                return
            self.runs[number] = run_id
        elif record.kind == FIRST_KIND:
            self._unread.append(record)  # of many metrics no other point is asked for

    def __getitem__(self, number: int) -> Name:
        if number not in self._names:
            while self._unread:
                for found in read_firsts(self._unread.pop()):
                    run_id = self.runs[found.run]
                    names = [Name(run_id, key) for key in found.keys]
                    self._names.update(zip(found.numbers, names, strict=True))
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
            _append(self._columns_of(number), step, timestamp, value)
        elif record.kind == FIRST_KIND:
            for found in read_firsts(record):
                self._run(self._names.runs[found.run]).add_firsts(found)
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
            columns = self._columns[number] = self._run(name.run_id).columns(name.key, number)
        return columns

    def _run(self, run_id: str) -> _Growing:
        found = self._runs.get(run_id)
        if found is None:
            found = self._runs[run_id] = _Growing(run_id)
        return found

    def entries(self) -> list[RunEntry]:
        """Return the entries."""
        return [*self._begun, *[run.whole() for run in self._runs.values()]]
