"""A CSV of old runs as a source: one run a row."""

from __future__ import annotations

import csv
import hashlib
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from mltrack_jupyter.entities import (
    Experiment,
    Metric,
    Param,
    Run,
    RunData,
    RunInfo,
    RunStatus,
    Tag,
)
from mltrack_jupyter.errors import InvalidParameter
from mltrack_jupyter.transfer.source import Broken, ModelRecord, RegisteredRecord, RunRecord

T = TypeVar("T")
_INFO = frozenset(
    {
        "run_id",
        "run_uuid",
        "run_name",
        "name",
        "experiment",
        "experiment_name",
        "experiment_id",
        "start_time",
        "end_time",
        "status",
        "user_id",
        "user",
        "artifact_uri",
        "lifecycle_stage",
    }
)
_LARGEST = 64 * 1024 * 1024
"""The largest table: all of it is looked at to tell metrics from params."""
_PREFIXES = {"metrics.": "metric", "params.": "param", "tags.": "tag"}


class TableSource:
    """A CSV file: ``metrics.x``, ``params.y``, ``tags.z``, and columns that tell of the run itself.

    Other columns are metrics if every value in them is a number, else params.
    """

    def __init__(self, path: Path, experiment: str = "") -> None:
        self.notes: list[str] = []
        self.left: list[Broken] = []
        self._experiment = experiment or path.stem
        self._lines: dict[str, int] = {}
        header, self._rows, self._broken = _read(path)
        self._kinds = {name: self._kind(name) for name in header if name and name not in _INFO}
        self._say_what_was_guessed()

    def _kind(self, name: str) -> str:
        for prefix, kind in _PREFIXES.items():
            if name.startswith(prefix):
                return kind
        values = [row[name] for row in self._rows if row.get(name)]
        return "metric" if values and all(_is_number(value) for value in values) else "param"

    def _say_what_was_guessed(self) -> None:
        for kind in ("metric", "param"):
            guessed = [
                name
                for name, found in self._kinds.items()
                if found == kind and not name.startswith(tuple(_PREFIXES))
            ]
            if guessed:
                self.notes.append(
                    f"read as {kind}s: {', '.join(guessed)} (name a column {kind}s.… to say it yourself)"
                )

    def _experiment_of(self, row: Mapping[str, str]) -> str:
        return row.get("experiment") or row.get("experiment_name") or self._experiment

    def experiments(self) -> Iterator[Experiment | Broken]:
        """Return the experiments that the rows name, else one called as the file is."""
        names = dict.fromkeys(self._experiment_of(row) for row in self._rows)
        for number, name in enumerate(names):
            yield Experiment(experiment_id=f"new-{number}", name=name)

    def runs(self, experiment: Experiment) -> Iterator[RunRecord | Broken]:
        """Return the runs of an experiment, one a row."""
        seen: dict[str, itertools.count[int]] = {}
        for line, row in enumerate(self._rows, 2):
            if self._experiment_of(row) != experiment.name:
                continue
            counter = seen.setdefault(_digest(row, 0), itertools.count())
            try:
                if line in self._broken:
                    raise ValueError(self._broken[line])
                run, points = self._run(row, experiment, next(counter))
                first = self._lines.setdefault(run.info.run_id, line)
                if first != line:
                    raise ValueError(f"the run {run.info.run_id!r} is in row {first} already")
            except (ValueError, OverflowError) as error:
                yield Broken(f"row {line}", str(error))
                continue
            yield RunRecord(run, _always(run), _always(points), None)

    def _run(
        self, row: Mapping[str, str], experiment: Experiment, repetition: int
    ) -> tuple[Run, list[Metric]]:
        start = _time(row.get("start_time", ""))
        end = _time(row.get("end_time", ""))
        found: dict[str, dict[str, str]] = {"metric": {}, "param": {}, "tag": {}}
        for name, kind in self._kinds.items():
            if row.get(name):  # an empty cell is no value
                key = name.partition(".")[2] if name.startswith(tuple(_PREFIXES)) else name
                found[kind][key] = row[name]
        points = [
            Metric(key, _number(key, value), end or start) for key, value in found["metric"].items()
        ]
        # The same row again is the same run, so that reading the file twice changes nothing.
        run_id = row.get("run_id") or row.get("run_uuid") or _digest(row, repetition)
        info = RunInfo(
            run_id=run_id,
            run_name=row.get("run_name") or row.get("name") or "",
            experiment_id=experiment.experiment_id,
            user_id=row.get("user_id") or row.get("user") or "",
            status=_status(row.get("status", "")),
            start_time=start,
            end_time=end or start,
            lifecycle_stage=row.get("lifecycle_stage") or "active",
        )
        data = RunData(
            metric_list=points,
            param_list=[Param(key, value) for key, value in found["param"].items()],
            tag_list=[Tag(key, value) for key, value in found["tag"].items()],
        )
        return Run(info=info, data=data), points

    def logged_models(self, experiment: Experiment) -> Iterator[ModelRecord | Broken]:  # noqa: ARG002
        """Return nothing: a table has no models."""
        return iter(())

    def registered_models(self) -> Iterator[RegisteredRecord | Broken]:
        """Return nothing: a table has no models."""
        return iter(())

    def close(self) -> None:
        """Do nothing: no file stays open."""


def _always(value: T) -> Callable[[], T]:
    return lambda: value


def _read(path: Path) -> tuple[list[str], Sequence[dict[str, str]], dict[int, str]]:
    """Return the names of the columns, the rows, and what is wrong with some of these by their lines."""
    if path.stat().st_size > _LARGEST:
        raise InvalidParameter(
            f"{path} has more than {_LARGEST:,} bytes: cut it into several files, each with the line of names."
        )
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            sample = file.read(64 * 1024)
            file.seek(0)
            try:
                dialect: type[csv.Dialect] = csv.Sniffer().sniff(sample, ",;\t|")
            except csv.Error:
                dialect = csv.excel
            reader = csv.reader(file, dialect=dialect)
            header = next(reader, [])
            cells = [row for row in reader if row]
    except (UnicodeDecodeError, csv.Error) as error:
        raise InvalidParameter(f"{path} is no CSV file in UTF-8: {error}.") from error
    twice = sorted({name for name in header if name and header.count(name) > 1})
    if twice:
        raise InvalidParameter(f"{path} has several columns of the name {twice[0]!r}.")
    if not cells:
        raise InvalidParameter(
            f"{path} has no rows; right would be a line with the names of the columns, and a line for each run."
        )
    broken = {
        line: f"it has {len(row)} cells, but the table has {len(header)} columns"
        for line, row in enumerate(cells, 2)
        if len(row) > len(header)
    }
    padded = ([*row, *[""] * (len(header) - len(row))] for row in cells)
    return header, [dict(zip(header, row, strict=False)) for row in padded], broken


def _digest(row: Mapping[str, str], repetition: int) -> str:
    text = repr((sorted(row.items()), repetition))
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _number(key: str, text: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise ValueError(f"the metric {key!r} is no number: {text!r}") from error


def _status(text: str) -> RunStatus:
    if not text:
        return RunStatus.FINISHED
    try:
        return RunStatus(text.strip().upper())
    except ValueError as error:
        raise ValueError(
            f"the status {text!r} is none of {', '.join(item.value for item in RunStatus)}"
        ) from error


def _time(text: str) -> int:
    """Return milliseconds: from an ISO date, or a number of seconds or milliseconds."""
    text = text.strip()
    if not text:
        return 0
    if _is_number(text):
        value = float(text)
        return int(value if abs(value) >= 1e11 else value * 1000)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise ValueError(f"{text!r} is no time such as 2024-05-03 12:00:00") from error
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return round(moment.timestamp() * 1000)
