"""Logged and registered models in MLflow's database."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from mltrack_jupyter.entities import (
    Alias,
    LoggedModel,
    LoggedModelData,
    LoggedModelInfo,
    Metric,
    ModelVersion,
    Param,
    RegisteredModel,
    Tag,
)
from mltrack_jupyter.transfer.filestore_models import model_status
from mltrack_jupyter.transfer.reading import UnreadableError
from mltrack_jupyter.transfer.rows import Rows, number, text
from mltrack_jupyter.transfer.source import Broken, RegisteredRecord
from mltrack_jupyter.transfer.store_source import with_aliases

_LARGEST = 1.7976931348623157e308


def logged_model(rows: Rows, row: dict[str, Any]) -> LoggedModel:
    """Return the logged model of a row."""
    model_id = text(row, "model_id")
    tags = rows.where("logged_model_tags", model_id=model_id)
    params = rows.where("logged_model_params", model_id=model_id)
    points = rows.where("logged_model_metrics", model_id=model_id)
    info = LoggedModelInfo(
        model_id=model_id,
        experiment_id=text(row, "experiment_id"),
        name=text(row, "name"),
        creation_timestamp_ms=number(row, "creation_timestamp_ms"),
        last_updated_timestamp_ms=number(row, "last_updated_timestamp_ms"),
        artifact_uri=text(row, "artifact_location"),
        status=model_status(row.get("status")),
        model_type=text(row, "model_type"),
        source_run_id=text(row, "source_run_id"),
        tag_list=[Tag(text(tag, "tag_key"), text(tag, "tag_value")) for tag in tags],
    )
    data = LoggedModelData(
        param_list=[Param(text(item, "param_key"), text(item, "param_value")) for item in params],
        metrics=[_point(item) for item in points],
    )
    return LoggedModel(info=info, data=data)


def _point(row: dict[str, Any]) -> Metric:
    found = row.get("metric_value")
    try:
        value = math.nan if found is None else float(found)
    except (TypeError, ValueError) as error:
        raise UnreadableError(f"a metric is no number: {found!r}") from error
    if abs(value) == _LARGEST:
        value = math.copysign(math.inf, value)
    return Metric(
        text(row, "metric_name"),
        value,
        number(row, "metric_timestamp_ms"),
        number(row, "metric_step"),
        text(row, "dataset_name"),
        text(row, "dataset_digest"),
        text(row, "model_id"),
        text(row, "run_id"),
    )


def registered_models(rows: Rows) -> Iterator[RegisteredRecord | Broken]:
    """Return every registered model with its versions."""
    for row in rows.all("registered_models", order="name"):
        try:
            yield _registered_model(rows, row)
        except UnreadableError as error:
            yield Broken(f"registered model {text(row, 'name')!r}", str(error))


def _registered_model(rows: Rows, row: dict[str, Any]) -> RegisteredRecord:
    name = text(row, "name")
    tags = rows.where("registered_model_tags", name=name)
    pointing = rows.where("registered_model_aliases", name=name)
    model = RegisteredModel(
        name=name,
        creation_timestamp=number(row, "creation_time"),
        last_updated_timestamp=number(row, "last_updated_time"),
        description=text(row, "description"),
        tag_list=[Tag(text(tag, "key"), text(tag, "value")) for tag in tags],
        alias_list=[
            Alias(alias=text(item, "alias"), version=text(item, "version")) for item in pointing
        ],
    )
    versions = [
        with_aliases(_version(rows, item), model)
        for item in rows.where("model_versions", name=name)
        if item.get("current_stage") != "Deleted_Internal"  # MLflow's mark of a deleted one
    ]
    return RegisteredRecord(model, versions)


def _version(rows: Rows, row: dict[str, Any]) -> ModelVersion:
    tags = rows.where("model_version_tags", name=row["name"], version=row["version"])
    return ModelVersion(
        name=text(row, "name"),
        version=text(row, "version"),
        creation_timestamp=number(row, "creation_time"),
        last_updated_timestamp=number(row, "last_updated_time"),
        user_id=text(row, "user_id"),
        current_stage=text(row, "current_stage") or "None",
        description=text(row, "description"),
        source=text(row, "source"),
        run_id=text(row, "run_id"),
        run_link=text(row, "run_link"),
        status=text(row, "status") or "READY",
        tag_list=[Tag(text(tag, "key"), text(tag, "value")) for tag in tags],
    )
