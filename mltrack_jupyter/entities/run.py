"""Runs: one execution of code, with its params, metrics, tags, inputs and outputs."""

from __future__ import annotations

from typing import Any

from msgspec import to_builtins
from msgspec.structs import force_setattr

from mltrack_jupyter.entities.base import (
    Entity,
    Tag,
    Word,
    as_dict,
    number,
    text,
    without_blanks,
)
from mltrack_jupyter.errors import InvalidParameter

REASON = "mltrack.status_reason"
"""Tag of a run with one sentence that says why it has its status."""
ERROR = "mltrack.error"
"""Tag of a run with the traceback of what ended it."""
AUTOLOGGED = "mltrack.autolog.params"
"""Tag of a run with the names of the params that autologging wrote, as a JSON list."""


class RunStatus(Word):
    """Where a run stands; the order gives MLflow's numbers (from 1)."""

    RUNNING = "RUNNING"
    SCHEDULED = "SCHEDULED"
    FINISHED = "FINISHED"
    FAILED = "FAILED"
    KILLED = "KILLED"

    def is_terminated(self) -> bool:
        """Tell whether nothing more is expected of the run."""
        # In MLflow it takes the status or its number: RunStatus.is_terminated(3).
        return RunStatus(self) in (RunStatus.FINISHED, RunStatus.FAILED, RunStatus.KILLED)

    @classmethod
    def all_status(cls) -> list[RunStatus]:
        """Return all of them."""
        return list(cls)


class SourceType(Word):
    """What a run was started from, as its tag ``mlflow.source.type`` has it."""

    NOTEBOOK = "NOTEBOOK"
    JOB = "JOB"
    PROJECT = "PROJECT"
    LOCAL = "LOCAL"
    UNKNOWN = "UNKNOWN"


_NAMED = ("model_id", "dataset_name", "dataset_digest", "run_id")
"""What a point may name: unknown is ``None`` in MLflow's Python, and empty here."""


class Param(Entity, frozen=True, gc=False):
    """A key and its value as text; written once in a run."""

    key: str
    value: str = text()


class Metric(Entity, frozen=True, gc=False):
    """One point of a metric: a float (NaN and infinities included) at a step and a time (ms).

    ``ordinal`` tells points apart that were logged alike in key, step and time, and is their order.
    """

    key: str
    value: float
    timestamp: int
    step: int = number()
    dataset_name: str = ""
    dataset_digest: str = ""
    model_id: str = ""
    run_id: str = ""
    ordinal: int = 0

    def for_reading(self) -> Metric:
        """Return the point with ``None`` for what it does not name, as MLflow's client does."""
        return without_blanks(self, "dataset_name", "dataset_digest", "model_id")

    def to_dictionary(self) -> dict[str, Any]:
        """Return the point by MLflow's names, with ``None`` for what it does not name."""
        known = {
            "key": self.key,
            "value": self.value,
            "timestamp": self.timestamp,
            "step": self.step,
        }
        return known | {name: getattr(self, name) or None for name in _NAMED}

    @classmethod
    def from_dictionary(cls, metric_dict: dict[str, Any]) -> Metric:
        """Return the point that :meth:`to_dictionary` described. Raises ``InvalidParameter``."""
        missing = {"key", "value", "timestamp", "step"} - metric_dict.keys()
        if missing:
            raise InvalidParameter(
                f"Missing required keys in the dictionary of a metric: {', '.join(sorted(missing))}."
            )
        known: dict[str, Any] = {name: metric_dict.get(name) or "" for name in _NAMED}
        return cls(
            metric_dict["key"],
            metric_dict["value"],
            metric_dict["timestamp"],
            metric_dict["step"],
            **known,
        )


class RunInfo(Entity, frozen=True, kw_only=True, gc=False):
    """What is known of a run without its data. ``run_uuid`` always equals ``run_id``."""

    run_id: str
    run_uuid: str = ""
    run_name: str = ""
    experiment_id: str
    user_id: str = text()
    status: RunStatus
    start_time: int = number()
    end_time: int | None = None
    artifact_uri: str = ""
    lifecycle_stage: str = ""

    def __post_init__(self) -> None:
        force_setattr(self, "run_uuid", self.run_id)


class RunData(
    Entity,
    frozen=True,
    kw_only=True,
    rename={"metric_list": "metrics", "param_list": "params", "tag_list": "tags"},
):
    """Params, tags and the latest point of each metric."""

    metric_list: list[Metric] = []
    param_list: list[Param] = []
    tag_list: list[Tag] = []

    @property
    def metrics(self) -> dict[str, float]:
        """Latest value of each metric: the point with the greatest (step, timestamp, ordinal, value)."""
        return {point.key: point.value for point in self.metric_list}

    @property
    def params(self) -> dict[str, str]:
        """Params as a dict."""
        return as_dict(self.param_list)

    @property
    def tags(self) -> dict[str, str]:
        """Tags as a dict."""
        return as_dict(self.tag_list)

    def to_dictionary(self) -> dict[str, Any]:
        """Return the latest metrics, the params and the tags by name."""
        return {"metrics": self.metrics, "params": self.params, "tags": self.tags}


class Dataset(Entity, frozen=True):
    """Data that a run read: known by name and digest."""

    name: str
    digest: str
    source_type: str = ""
    source: str = ""
    schema: str = ""
    profile: str = ""

    def to_dictionary(self) -> dict[str, Any]:
        """Return what is known of the data by name, ``None`` for what is not."""
        return {name: getattr(self, name) or None for name in self.__struct_fields__}


class DatasetSummary(Entity, frozen=True, kw_only=True):
    """A dataset that runs of an experiment read, in one of the roles that they gave it."""

    experiment_id: str
    name: str
    digest: str
    context: str = ""


class DatasetInput(Entity, frozen=True):
    """A dataset in the role that its tags tell (``mlflow.data.context``)."""

    dataset: Dataset
    tags: list[Tag] = []

    def to_dictionary(self) -> dict[str, Any]:
        """Return the data and its tags by name."""
        return {"dataset": self.dataset.to_dictionary(), "tags": as_dict(self.tags)}


class ModelInput(Entity, frozen=True, gc=False):
    """A logged model that a run read."""

    model_id: str


class ModelOutput(Entity, frozen=True, gc=False):
    """A logged model that a run made, and the step at which it did."""

    model_id: str
    step: int = number()


class RunInputs(Entity, frozen=True):
    """What a run read."""

    dataset_inputs: list[DatasetInput] = []
    model_inputs: list[ModelInput] = []

    def to_dictionary(self) -> dict[str, Any]:
        """Return what was read as plain dicts, as MLflow does."""
        data = [item.to_dictionary() for item in self.dataset_inputs]
        return {"model_inputs": to_builtins(self.model_inputs), "dataset_inputs": data}


class RunOutputs(Entity, frozen=True):
    """What a run made."""

    model_outputs: list[ModelOutput] = []

    def to_dictionary(self) -> dict[str, Any]:
        """Return what was made as plain dicts, as MLflow does."""
        return {"model_outputs": to_builtins(self.model_outputs)}


class Run(Entity, frozen=True, omit_defaults=False):
    """A run: ``info``, ``data``, ``inputs`` and ``outputs``, as in MLflow."""

    info: RunInfo
    data: RunData = RunData()
    inputs: RunInputs = RunInputs()
    outputs: RunOutputs = RunOutputs()

    def to_dictionary(self) -> dict[str, Any]:
        """Return the run as plain dicts and lists: its metrics, params and tags by name, as MLflow does."""
        info = {name: getattr(self.info, name) for name in self.info.__struct_fields__}
        known = {
            "info": info | {"status": str(self.info.status)},
            "data": self.data.to_dictionary(),
        }
        return {**to_builtins(self), **known}
