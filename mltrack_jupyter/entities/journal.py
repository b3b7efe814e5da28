"""What a process did to runs since it last told the store: the form in which a journal is handed over."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from mltrack_jupyter.entities.base import Entity, Tag, text
from mltrack_jupyter.entities.logged_model import MadeModel
from mltrack_jupyter.entities.process import Process
from mltrack_jupyter.entities.run import (
    DatasetInput,
    Metric,
    ModelInput,
    ModelOutput,
    Param,
    RunStatus,
)


class NewRun(Entity, frozen=True, kw_only=True):
    """A run that began in a process, under an id that the process chose.

    ``experiment_name`` says which experiment where its id is not known, because the store was away, or is
    another one's by now, because the store is a new one.
    """

    experiment_id: str = ""
    experiment_name: str = ""
    user_id: str = text()
    start_time: int


class Points(Entity, frozen=True, kw_only=True, gc=False):
    """Points of one metric as columns of one length; times are milliseconds since 1970.

    ``ordinals`` tell points apart that are alike in step and time; there are none where all of them are 0.
    The store gives them: those of a journal that is handed over are not read, but its order is.
    """

    key: str
    steps: list[int]
    timestamps: list[int]
    values: list[float]
    ordinals: list[int] = []


class RunEntry(Entity, frozen=True, kw_only=True):
    """Everything that happened to one run; params and tags in the order in which they were written.

    ``noted`` are points that name a logged model or a dataset; ``models`` are logged models that were read,
    ``outputs`` those that were made; ``made`` are those that the store does not know yet. ``shared`` are
    digests, by their paths in the run, of files that the store keeps for several runs and has already; those
    that it has not are left out. ``process`` is the one that writes it from now on, where that is new.
    """

    run_id: str
    new: NewRun | None = None
    points: list[Points] = []
    noted: list[Metric] = []
    params: list[Param] = []
    tags: list[Tag] = []
    datasets: list[DatasetInput] = []
    models: list[ModelInput] = []
    outputs: list[ModelOutput] = []
    shared: dict[str, str] = {}
    made: list[MadeModel] = []
    process: Process | None = None
    status: RunStatus | None = None
    end_time: int | None = None

    def divided(self) -> tuple[RunEntry, RunEntry]:
        """Return how the run began, and what else happened to it."""
        begin = RunEntry(run_id=self.run_id, new=self.new, tags=self.tags, process=self.process)
        return begin, replace(self, new=None, tags=[], process=None)


class Singles(Entity, frozen=True, kw_only=True, gc=False):
    """Points of metrics of which each has one, as columns: the keys are different from each other."""

    keys: list[str]
    steps: list[int]
    timestamps: list[int]
    values: list[float]


class ManyNames(RunEntry, frozen=True, kw_only=True):
    """An entry with a great many metrics that have one point each, as it is handed over in one process.

    None of them is in ``points``. Everybody else is given :meth:`spelled_out`.
    """

    singles: Singles

    def spelled_out(self) -> RunEntry:
        """Return the same entry in the form that every store takes."""
        one = self.singles
        found = [
            Points(key=key, steps=[step], timestamps=[time], values=[value])
            for key, step, time, value in zip(
                one.keys, one.steps, one.timestamps, one.values, strict=True
            )
        ]
        fields = {name: getattr(self, name) for name in RunEntry.__struct_fields__}
        return RunEntry(**{**fields, "points": [*found, *self.points]})


def spelled_out(entries: Sequence[RunEntry]) -> list[RunEntry]:
    """Return entries in the form that every store takes."""
    return [entry.spelled_out() if isinstance(entry, ManyNames) else entry for entry in entries]


class Refusal(Entity, frozen=True):
    """A run of which an entry could not be stored, and why."""

    run_id: str
    reason: str


class JournalAnswer(Entity, frozen=True, kw_only=True, omit_defaults=False):
    """How far the store has read a journal, in records, and what it could not take.

    ``missing`` are the SHA-256 of shared files that runs were given, and that nobody has brought there.
    """

    position: int = 0
    refused: list[Refusal] = []
    missing: list[str] = []


class Amendment(Entity, frozen=True, kw_only=True):
    """A param that was given another value while its run went on; the time is ms since 1970."""

    key: str
    before: str = text()
    after: str = text()
    timestamp: int = 0
    actor: str = text()
