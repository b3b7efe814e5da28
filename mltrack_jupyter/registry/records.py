"""What a run remembers of the models that were logged to it: two tags, ours and MLflow's."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from mltrack_jupyter.entities import ModelRecord
from mltrack_jupyter.errors import InvalidParameter
from mltrack_jupyter.models import ModelMetadata
from mltrack_jupyter.models.mlmodel import GENERIC
from mltrack_jupyter.store.artifacts import check_path
from mltrack_jupyter.store.rules import HISTORY_TAG, MODEL_TAG


def record_of(
    about: ModelMetadata, digests: Mapping[str, str], *, foreign: bool = False
) -> ModelRecord:
    """Return what a run is to remember of a model that is being logged."""
    class_name = str(about.ours.get("class") or "")
    ours = {"class": class_name, "sha256": dict(digests), "foreign": foreign}
    entry = {
        "run_id": about.run_id,
        "artifact_path": about.artifact_path,
        "model_id": about.model_id,
        "utc_time_created": about.utc_time_created,
        "model_uuid": about.model_uuid,
        "flavors": {name: dict(config) for name, config in about.flavors.items()},
        "metadata": {"mltrack": ours},
    }
    return ModelRecord(
        artifact_path=about.artifact_path,
        model_id=about.model_id,
        flavor=next((name for name in about.flavors if name != GENERIC), GENERIC),
        class_name=class_name,
        digests=dict(digests),
        foreign=foreign,
        entry=json.dumps(entry),
    )


def records_of(tags: Mapping[str, str]) -> list[ModelRecord]:
    """Return the newest model at each path that a run remembers, the newest first."""
    found = _all_records(tags)
    return list({record.artifact_path: record for record in reversed(found)}.values())[::-1]


def find_record(tags: Mapping[str, str], model_id: str, path: str) -> ModelRecord | None:
    """Return what a run remembers of one model: by its id, or the newest at a path where it has none."""
    for record in _all_records(tags):
        if record.model_id == model_id and (model_id or record.artifact_path == path):
            return record
    return None


def longer_history(tags: Mapping[str, str], record: ModelRecord) -> str:
    """Return MLflow's history tag with one more model."""
    history = _loaded(tags.get(HISTORY_TAG))
    return json.dumps([*(history if isinstance(history, list) else []), json.loads(record.entry)])


def _all_records(tags: Mapping[str, str]) -> list[ModelRecord]:
    """Return every model that can be read from the tags, the newest first; others are skipped."""
    newest = _loaded(tags.get(MODEL_TAG))
    found = [] if not isinstance(newest, dict) else list(_records([newest], newest))
    history = _loaded(tags.get(HISTORY_TAG))
    for entry in reversed(history if isinstance(history, list) else []):
        metadata = entry.get("metadata") if isinstance(entry, dict) else None
        ours = metadata.get("mltrack") if isinstance(metadata, dict) else None
        found += _records([entry], ours if isinstance(ours, dict) else {})
    return found


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
            artifact_path=path,
            model_id=str(entry.get("model_id") or ""),
            flavor=str(entry.get("flavor") or (names[0] if names else "")),
            class_name=str(ours.get("class") or ""),
            digests={str(k): str(v) for k, v in digests.items()}
            if isinstance(digests, dict)
            else {},
            foreign=bool(ours.get("foreign")),
        )


def _loaded(text: str | None) -> Any:
    try:
        return json.loads(text) if text else None
    except (ValueError, RecursionError):
        return None
