"""What a run remembers of the models that were logged to it: two tags, ours and MLflow's."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from mltrack_jupyter.errors import InvalidParameter
from mltrack_jupyter.models import ModelMetadata
from mltrack_jupyter.models.mlmodel import GENERIC
from mltrack_jupyter.store.artifacts import check_path

MODEL_TAG = "mltrack.model"
"""The run's newest model: where it is, of what class, and the digests of its files."""

HISTORY_TAG = "mlflow.log-model.history"
"""Every model of the run, in MLflow's JSON, by which its tools find them."""


@dataclass(frozen=True)
class ModelRecord:
    """What a run remembers of one model.

    ``digests`` are those of the bytes that were logged. ``foreign`` says that they were not made here
    but came in a folder, so that knowing them is no reason to trust them.
    """

    artifact_path: str
    flavor: str = ""
    class_name: str = ""
    digests: Mapping[str, str] = field(default_factory=dict)
    foreign: bool = False

    def to_json(self) -> str:
        """Return the value of the tag ``mltrack.model``."""
        content = {
            "artifact_path": self.artifact_path,
            "flavor": self.flavor,
            "class": self.class_name,
            "sha256": dict(self.digests),
        }
        return json.dumps({**content, "foreign": True} if self.foreign else content)

    @classmethod
    def of(
        cls, about: ModelMetadata, digests: Mapping[str, str], foreign: bool = False
    ) -> ModelRecord:
        """Return the record of a model that is being logged."""
        flavor = next((name for name in about.flavors if name != GENERIC), GENERIC)
        class_name = str(about.ours.get("class") or "")
        return cls(about.artifact_path, flavor, class_name, digests, foreign)


def records_of(tags: Mapping[str, str]) -> list[ModelRecord]:
    """Return the models that a run remembers, the newest first; tags that cannot be read are skipped."""
    newest = _loaded(tags.get(MODEL_TAG))
    found = [] if not isinstance(newest, dict) else list(_records([newest], newest))
    history = _loaded(tags.get(HISTORY_TAG))
    for entry in reversed(history if isinstance(history, list) else []):
        metadata = entry.get("metadata") if isinstance(entry, dict) else None
        ours = metadata.get("mltrack") if isinstance(metadata, dict) else None
        found += _records([entry], ours if isinstance(ours, dict) else {})
    # The first of a path is the newest; a model that was logged again replaced the older one.
    return list({record.artifact_path: record for record in reversed(found)}.values())[::-1]


def longer_history(tags: Mapping[str, str], about: ModelMetadata, record: ModelRecord) -> str:
    """Return MLflow's history tag with one more model."""
    history = _loaded(tags.get(HISTORY_TAG))
    ours = {"class": record.class_name, "sha256": dict(record.digests), "foreign": record.foreign}
    entry = {
        "run_id": about.run_id,
        "artifact_path": about.artifact_path,
        "utc_time_created": about.utc_time_created,
        "model_uuid": about.model_uuid,
        "flavors": {name: dict(config) for name, config in about.flavors.items()},
        "metadata": {"mltrack": ours},
    }
    return json.dumps([*(history if isinstance(history, list) else []), entry])


def _records(entries: list[Any], ours: Mapping[str, Any]) -> Iterator[ModelRecord]:
    for entry in entries:
        if not isinstance(entry, dict):
            continue
        try:
            path = check_path(str(entry.get("artifact_path") or ""))
        except InvalidParameter:
            continue
        digests = ours.get("sha256")
        flavors = entry.get("flavors")
        names = [name for name in flavors if name != GENERIC] if isinstance(flavors, dict) else []
        yield ModelRecord(
            path,
            str(entry.get("flavor") or (names[0] if names else "")),
            str(ours.get("class") or ""),
            {str(k): str(v) for k, v in digests.items()} if isinstance(digests, dict) else {},
            bool(ours.get("foreign")),
        )


def _loaded(text: str | None) -> Any:
    try:
        return json.loads(text) if text else None
    except (ValueError, RecursionError):
        return None
