"""Logged models (MLflow 3): a model with an id of its own, made by a run."""

from __future__ import annotations

import json
from enum import Enum
from typing import Any

from msgspec import field

from mltrack_jupyter.entities.base import Entity, Tag, as_dict, member_of_number, text
from mltrack_jupyter.entities.run import Metric, Param


class LoggedModelStatus(str, Enum):
    """Whether a model's files are all there; the order gives MLflow's numbers (from 0)."""

    UNSPECIFIED = "LOGGED_MODEL_STATUS_UNSPECIFIED"
    PENDING = "LOGGED_MODEL_PENDING"
    READY = "LOGGED_MODEL_READY"
    FAILED = "LOGGED_MODEL_UPLOAD_FAILED"

    def __str__(self) -> str:
        # MLflow's word in Python; the value is that of the wire.
        return self.name

    @classmethod
    def _missing_(cls, value: object) -> LoggedModelStatus | None:
        return cls.__members__.get(str(value)) or member_of_number(cls, value, first=0)

    @classmethod
    def from_int(cls, number: int) -> LoggedModelStatus:
        """Return the status of MLflow's number."""
        return cls(number)

    def to_int(self) -> int:
        """Return MLflow's number."""
        return list(LoggedModelStatus).index(self)

    @staticmethod
    def is_finalized(status: LoggedModelStatus) -> bool:
        """Tell whether nothing more is expected of the model's files."""
        return LoggedModelStatus(status) in (LoggedModelStatus.READY, LoggedModelStatus.FAILED)


class LoggedModelInfo(Entity, frozen=True, kw_only=True, rename={"tag_list": "tags"}):
    """What is known of a logged model; ``model_id`` is ``m-`` and 32 hex digits.

    ``artifact_path`` is the path of its run at which it is found, as ``runs:/<source_run_id>/<path>``; the
    files are at ``artifact_uri``, wherever that is.
    """

    model_id: str
    experiment_id: str
    name: str = text()
    creation_timestamp_ms: int = 0
    last_updated_timestamp_ms: int = 0
    artifact_uri: str = text()
    status: LoggedModelStatus = LoggedModelStatus.UNSPECIFIED
    model_type: str = text()
    source_run_id: str = text()
    status_message: str = ""
    artifact_path: str = ""
    tag_list: list[Tag] = []

    @property
    def tags(self) -> dict[str, str]:
        """Tags as a dict."""
        return as_dict(self.tag_list)


class ModelRecord(
    Entity, frozen=True, kw_only=True, rename={"class_name": "class", "digests": "sha256"}
):
    """What a run remembers of a model: where it is, of what class, and the digests of its files.

    None of it is a reason to trust the files. ``foreign`` says that they are known to be made elsewhere;
    ``entry`` is what MLflow's list of a run's models says of it, as JSON.
    """

    artifact_path: str
    model_id: str = ""
    flavor: str = text()
    class_name: str = text()
    digests: dict[str, str] = field(default_factory=dict)
    foreign: bool = False
    entry: str = ""

    def to_tag(self) -> str:
        """Return the value of the tag by which a run names its newest model, as JSON."""
        content: dict[str, Any] = {
            "artifact_path": self.artifact_path,
            "flavor": self.flavor,
            "class": self.class_name,
            "sha256": self.digests,
        }
        if self.model_id:
            content["model_id"] = self.model_id
        return json.dumps({**content, "foreign": True} if self.foreign else content)


class MadeModel(Entity, frozen=True, kw_only=True):
    """A model that a process made while its store was away, under an id that the process chose.

    Its files are among those of its run, at a path that no other model has.
    """

    record: ModelRecord
    model_type: str = ""
    params: list[Param] = []
    tags: list[Tag] = []
    step: int = 0

    @property
    def place(self) -> str:
        """The path of the run at which the files are."""
        return f"models/{self.record.model_id}/{self.record.artifact_path}"


class LoggedModelData(Entity, frozen=True, kw_only=True, rename={"param_list": "params"}):
    """Params of a logged model and every metric point that names it."""

    param_list: list[Param] = []
    metrics: list[Metric] = []

    @property
    def params(self) -> dict[str, str]:
        """Params as a dict."""
        return as_dict(self.param_list)


class ModelOrder(Entity, frozen=True):
    """What logged models are ordered by: an attribute, or a metric, on one dataset where it names one."""

    field_name: str
    ascending: bool = True
    dataset_name: str = ""
    dataset_digest: str = ""


class ModelDataset(Entity, frozen=True):
    """A dataset on which logged models were measured; of any digest where it names none."""

    dataset_name: str
    dataset_digest: str = ""


class LoggedModel(Entity, frozen=True, kw_only=True):
    """A logged model: ``info`` and ``data``."""

    info: LoggedModelInfo
    data: LoggedModelData = LoggedModelData()

    @property
    def model_id(self) -> str:
        """The id: ``m-`` and 32 hex digits."""
        return self.info.model_id

    @property
    def model_uri(self) -> str:
        """The URI that loads the model."""
        return f"models:/{self.info.model_id}"

    @property
    def experiment_id(self) -> str:
        """The experiment that the model is in."""
        return self.info.experiment_id

    @property
    def name(self) -> str:
        """The name, which several models may have."""
        return self.info.name

    @property
    def artifact_location(self) -> str:
        """Where the files are."""
        return self.info.artifact_uri

    @property
    def creation_timestamp(self) -> int:
        """When it was made, in ms since 1970."""
        return self.info.creation_timestamp_ms

    @property
    def last_updated_timestamp(self) -> int:
        """When it was changed last, in ms since 1970."""
        return self.info.last_updated_timestamp_ms

    @property
    def status(self) -> LoggedModelStatus:
        """Whether the files are all there."""
        return self.info.status

    @property
    def model_type(self) -> str | None:
        """What kind of model it is, in the words of who made it; ``None`` if they said nothing."""
        return self.info.model_type or None

    @property
    def source_run_id(self) -> str | None:
        """The run that made it; ``None`` for a model without one."""
        return self.info.source_run_id or None

    @property
    def status_message(self) -> str | None:
        """Why it has its status, or ``None``."""
        return self.info.status_message or None

    @property
    def tags(self) -> dict[str, str]:
        """Tags as a dict."""
        return self.info.tags

    @property
    def params(self) -> dict[str, str]:
        """Params as a dict."""
        return self.data.params

    @property
    def metrics(self) -> list[Metric]:
        """Every point that names the model."""
        return self.data.metrics

    def to_dictionary(self) -> dict[str, Any]:
        """Return what is known of the model by name, as MLflow does."""
        derived = ("info", "data", "model_uri")
        return {name: value for name, value in self if name not in derived}
