"""Logged and registered models in an ``mlruns`` folder."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from mltrack_jupyter.entities import (
    Alias,
    LoggedModel,
    LoggedModelData,
    LoggedModelInfo,
    LoggedModelStatus,
    ModelVersion,
    Param,
    RegisteredModel,
    Tag,
)
from mltrack_jupyter.transfer.reading import (
    UnreadableError,
    artifacts_of,
    read_pairs,
    read_points,
    read_yaml,
    text_of,
    whole_number,
)
from mltrack_jupyter.transfer.source import Broken, ModelRecord, RegisteredRecord
from mltrack_jupyter.transfer.store_source import with_aliases

_META = "meta.yaml"
_VERSION = "version-"


def model_status(value: object) -> LoggedModelStatus:
    """Return the status that MLflow's stores keep as a number from 0."""
    statuses = list(LoggedModelStatus)
    text = str(value)
    known = text.isdigit() and int(text) < len(statuses)
    return statuses[int(text)] if known else statuses[0]


def logged_model(root: Path, folder: Path, experiment_id: str, notes: list[str]) -> ModelRecord:
    """Return the logged model of a folder. Raises ``UnreadableError``."""
    meta = read_yaml(root, folder / _META)
    what = f"logged model {folder.name}"
    info = LoggedModelInfo(
        model_id=text_of(meta, "model_id") or folder.name,
        experiment_id=experiment_id,
        name=text_of(meta, "name"),
        creation_timestamp_ms=whole_number(meta, "creation_timestamp"),
        last_updated_timestamp_ms=whole_number(meta, "last_updated_timestamp"),
        artifact_uri=text_of(meta, "artifact_location"),
        status=model_status(meta.get("status")),
        model_type=text_of(meta, "model_type"),
        source_run_id=text_of(meta, "source_run_id"),
        tag_list=[Tag(key, text) for key, text in read_pairs(root, folder / "tags")],
    )
    data = LoggedModelData(
        param_list=[Param(key, text) for key, text in read_pairs(root, folder / "params")],
        metrics=list(read_points(root, folder / "metrics", notes, what)),
    )
    place = folder / "artifacts"
    there = place.is_symlink() or place.is_dir()
    files = artifacts_of(root, place, what, notes) if there else None
    return ModelRecord(LoggedModel(info=info, data=data), files)


def registered_model(
    root: Path, folder: Path, children: Sequence[Path]
) -> Iterator[RegisteredRecord | Broken]:
    """Return the registered model of a folder, and what is broken in it."""
    try:
        model = _model(root, folder)
    except (UnreadableError, OSError) as error:
        yield Broken(f"registered model {folder.name!r}", str(error))
        return
    versions = []
    for child in children:
        if not child.name.startswith(_VERSION):
            continue
        try:
            version = _version(root, child, model.name)
        except (UnreadableError, OSError) as error:
            number = child.name.removeprefix(_VERSION)
            yield Broken(f"model version {model.name}/{number}", str(error))
            continue
        if version.current_stage != "Deleted_Internal":  # MLflow's mark of a deleted version
            versions.append(with_aliases(version, model))
    yield RegisteredRecord(model, versions)


def _model(root: Path, folder: Path) -> RegisteredModel:
    meta = read_yaml(root, folder / _META)
    pointing = dict(read_pairs(root, folder / "aliases"))
    return RegisteredModel(
        name=text_of(meta, "name") or folder.name,
        creation_timestamp=whole_number(meta, "creation_timestamp"),
        last_updated_timestamp=whole_number(meta, "last_updated_timestamp"),
        description=text_of(meta, "description"),
        tag_list=[Tag(key, text) for key, text in read_pairs(root, folder / "tags")],
        alias_list=[Alias(alias=alias, version=text.strip()) for alias, text in pointing.items()],
    )


def _version(root: Path, folder: Path, name: str) -> ModelVersion:
    meta = read_yaml(root, folder / _META)
    number = folder.name.removeprefix(_VERSION)
    if not number.isdigit():
        raise UnreadableError(f"{folder.name!r} has no version number")
    return ModelVersion(
        name=name,
        version=number,
        creation_timestamp=whole_number(meta, "creation_timestamp"),
        last_updated_timestamp=whole_number(meta, "last_updated_timestamp"),
        user_id=text_of(meta, "user_id"),
        current_stage=text_of(meta, "current_stage") or "None",
        description=text_of(meta, "description"),
        source=text_of(meta, "source"),
        run_id=text_of(meta, "run_id"),
        run_link=text_of(meta, "run_link"),
        status=text_of(meta, "status") or "READY",
        model_id=text_of(meta, "model_id"),
        tag_list=[Tag(key, text) for key, text in read_pairs(root, folder / "tags")],
    )
