"""What a source of runs and models offers; one short class for each kind of source.

A source is read in this order: experiments, then for each of them its logged models and its runs, then
registered models. What cannot be read comes as ``Broken`` in its place, so that the rest goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from mltrack_jupyter.entities import (
    Amendment,
    Experiment,
    LoggedModel,
    Metric,
    ModelVersion,
    RegisteredModel,
    Run,
)
from mltrack_jupyter.errors import (
    EndpointNotFound,
    MltrackError,
    NotImplementedHere,
    PermissionDenied,
    Unauthenticated,
    Unavailable,
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
    amendments: Callable[[], Sequence[Amendment]] = list


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


T = TypeVar("T")
FATAL = (Unavailable, Unauthenticated, PermissionDenied, EndpointNotFound, NotImplementedHere)
"""After one of these nothing else would succeed either: the transfer stops and can be repeated."""


def readable(items: Iterator[T | Broken], what: str) -> Iterator[T | Broken]:
    """Return what a source gives; where giving it fails, that ends this list and nothing else."""
    try:
        yield from items
    except FATAL:
        raise
    except (MltrackError, OSError, ValueError) as error:
        yield Broken(what, f"the rest of it cannot be read: {error}")


class Source(Protocol):
    """Where runs and models come from.

    While it is read, ``notes`` grows, and ``left``: what is missing of things that are given otherwise.
    """

    notes: list[str]
    left: list[Broken]

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
