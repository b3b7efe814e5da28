"""Bringing in what was tracked elsewhere: whole runs, experiments and models, with their ids and times."""

from __future__ import annotations

from typing import Protocol

from mltrack_jupyter.entities import (
    Amendment,
    Experiment,
    InlineFile,
    LoggedModel,
    Metric,
    ModelVersion,
    RegisteredModel,
    Run,
    RunArrival,
    RunStatus,
)
from mltrack_jupyter.services.operation import LARGE_BODY, operation


class Transfer(Protocol):
    """Writes that keep ids, numbers and times. Each may be repeated: the second time changes nothing."""

    @operation("POST", "/api/1/experiments/import", answer="experiment")
    def import_experiment(self, experiment: Experiment) -> Experiment:
        """Create an experiment, or find the one of this name, and return it as it is here.

        It keeps its id where that is free, and an artifact location in an object store; else its
        artifacts belong to this store. One that is here already only gains tags.
        """
        ...

    @operation("POST", "/api/1/runs/import", answer="run", body_limit=LARGE_BODY)
    def import_run(
        self,
        run: Run,
        points: list[Metric] | None = None,
        amendments: list[Amendment] | None = None,
    ) -> RunArrival:
        """Write a whole run: its info, params, tags, inputs and outputs, and points of its metrics.

        A long history comes in several calls. The latest values in ``run.data.metrics`` are not read: they
        follow from the points. ``amendments`` tell which values its params had before, and amend the same
        here. Raises ``InvalidParameter`` if a param has another value here all the same.
        """
        ...

    @operation("POST", "/api/1/logged-models/import", answer="artifact_uri", body_limit=LARGE_BODY)
    def import_logged_model(self, model: LoggedModel) -> str:
        """Write a logged model with its params, tags and metrics; return where its files belong."""
        ...

    @operation("POST", "/api/1/registered-models/import")
    def import_registered_model(self, model: RegisteredModel) -> None:
        """Write a registered model without its versions: description, tags and times."""
        ...

    @operation("POST", "/api/1/model-versions/import", answer="model_version")
    def import_model_version(self, version: ModelVersion) -> ModelVersion:
        """Write a version under its own number, with its stage, tags, aliases and times.

        Raises ``InvalidParameter`` if the number belongs to another version here.
        """
        ...

    @operation("POST", "/api/1/transfer/marks", answer="marks", safe=True)
    def marks(self, entity: str, ids: list[str]) -> dict[str, str]:
        """Return the marks of those that are here; a transfer skips what bears the mark it would set."""
        ...

    @operation("POST", "/api/1/transfer/mark")
    def mark(self, entity: str, marks: dict[str, str]) -> None:
        """Note in the change feed that these were imported whole, each with a mark of what it was."""
        ...

    @operation(
        "POST", "/api/1/runs/register", answer="run", idempotent=False, body_limit=LARGE_BODY
    )
    def register_run(
        self,
        experiment: str = "Default",
        run_name: str = "",
        run_id: str = "",
        status: RunStatus = RunStatus.FINISHED,
        start_time: int = 0,
        end_time: int = 0,
        user_id: str = "",
        params: dict[str, str | int | float | bool] | None = None,
        metrics: dict[str, float] | None = None,
        points: list[Metric] | None = None,
        tags: dict[str, str] | None = None,
        artifacts: list[InlineFile] | None = None,
    ) -> Run:
        """Register a run that happened elsewhere, in one call; all of it is written or nothing.

        ``experiment`` is a name and is created if it is new. ``metrics`` are last values, ``points`` whole
        histories. Artifacts may have 16 MB together. Without times the run has just ended.
        Raises ``AlreadyExists`` for a ``run_id`` that is taken.
        """
        ...
