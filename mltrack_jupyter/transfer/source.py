"""What a source of runs and models offers; one short class for each kind of source.

A source is read in this order: experiments, then for each of them its logged models and its runs, then
registered models. What cannot be read comes as ``Broken`` in its place, so that the rest goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

from mltrack_jupyter.entities import (
    Experiment,
    LoggedModel,
    Metric,
    ModelVersion,
    RegisteredModel,
    Run,
)
from mltrack_jupyter.transfer.files import Files


@dataclass(frozen=True)
class Broken:
    """Something that cannot be moved, and why."""

    what: str
    reason: str


@dataclass(frozen=True)
class RunRecord:
    """A run; what is costly to read (all of it, its history) is read only if the run is new.

    ``files`` is ``None`` where the artifacts cannot be read from here.
    """

    run: Run
    whole: Callable[[], Run]
    points: Callable[[], Iterable[Metric]]
    files: Files | None


@dataclass(frozen=True)
class ModelRecord:
    """A logged model and its files."""

    model: LoggedModel
    files: Files | None


@dataclass(frozen=True)
class RegisteredRecord:
    """A registered model and all its versions, each with its aliases."""

    model: RegisteredModel
    versions: list[ModelVersion]


class Source(Protocol):
    """Where runs and models come from. ``notes`` grows while it is read."""

    notes: list[str]

    def experiments(self) -> Iterator[Experiment | Broken]:
        """Return every experiment, deleted ones too."""
        ...

    def logged_models(self, experiment: Experiment) -> Iterator[ModelRecord | Broken]:
        """Return the logged models of an experiment."""
        ...

    def runs(self, experiment: Experiment) -> Iterator[RunRecord | Broken]:
        """Return the runs of an experiment, deleted ones too."""
        ...

    def registered_models(self) -> Iterator[RegisteredRecord | Broken]:
        """Return every registered model."""
        ...

    def close(self) -> None:
        """Give back what is open."""
        ...
