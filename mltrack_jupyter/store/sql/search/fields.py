"""What can be asked of each kind of entity: its attributes, and its tables of keys and values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, String, Table, func

from mltrack_jupyter.store.sql.tables import (
    datasets,
    experiment_tags,
    experiments,
    latest_metrics,
    logged_model_params,
    logged_model_tags,
    logged_models,
    model_version_tags,
    model_versions,
    params,
    registered_model_tags,
    registered_models,
    run_datasets,
    runs,
    tags,
)

NUMBERS = frozenset({"=", "!=", "<", "<=", ">", ">="})
TEXTS = frozenset({"=", "!=", "LIKE", "ILIKE"})
LISTS = frozenset({"IN", "NOT IN"})
NULLS = frozenset({"IS NULL", "IS NOT NULL"})


@dataclass(frozen=True)
class Attribute:
    """A column of the entity's own table; ``choices`` are the texts that it can be compared with."""

    column: ColumnElement[Any]
    operators: frozenset[str] = TEXTS
    numeric: bool = False
    sortable: bool = True
    filterable: bool = True
    choices: tuple[str, ...] = ()
    whole: bool = False


@dataclass(frozen=True)
class Pairs:
    """A table of keys and values that belong to the entity.

    ``absent`` has the values that count where a key is missing; elsewhere a missing key matches nothing.
    """

    table: Table
    owner: str
    operators: frozenset[str] = TEXTS | NULLS
    numeric: bool = False
    absent: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Linked:
    """Columns of a table that is reached through a table of links."""

    link: Table
    owner: str
    target: Table
    columns: dict[str, ColumnElement[Any]]


@dataclass(frozen=True)
class Points:
    """Points of metrics. ``latest`` returns, for a key, the bits of each owner's latest point."""

    latest: Callable[[str], ColumnElement[Any]]
    operators: frozenset[str] = NUMBERS
    numeric: bool = True


Field = Attribute | Pairs | Linked | Points


@dataclass(frozen=True)
class Fields:
    """Everything that can be asked of one kind of entity.

    ``order_by_pairs`` tells whether keys can be ordered by, ``order_bare`` that an order takes nothing
    but bare words.
    """

    table: Table
    attributes: dict[str, Attribute]
    prefixes: tuple[str, ...] = ("attribute", "attributes")
    pairs: dict[str, Pairs] = field(default_factory=dict)
    linked: dict[str, Linked] = field(default_factory=dict)
    points: dict[str, Points] = field(default_factory=dict)
    double_quotes: bool = True
    order_by_pairs: bool = True
    order_bare: bool = False


def _number(column: ColumnElement[Any], *, whole: bool = False) -> Attribute:
    return Attribute(column, NUMBERS, numeric=True, whole=whole)


def _spelled(names: tuple[str, ...], value: Any) -> dict[str, Any]:
    return dict.fromkeys(names, value)


_RUN_TAGS = Pairs(tags, "run")
_RUN_PARAMS = Pairs(params, "run")
_RUN_METRICS = Pairs(latest_metrics, "run", NUMBERS, numeric=True)
_DATASETS = Linked(
    run_datasets,
    "run",
    datasets,
    {"name": datasets.c.name, "digest": datasets.c.digest, "context": run_datasets.c.context},
)

RUN_FIELDS = Fields(
    runs,
    {
        "run_id": Attribute(runs.c.run_id, TEXTS | LISTS),
        "run_name": Attribute(runs.c.name),
        **_spelled(("run name", "Run name", "Run Name"), Attribute(runs.c.name, sortable=False)),
        "status": Attribute(runs.c.status),
        "user_id": Attribute(runs.c.user_id),
        "artifact_uri": Attribute(runs.c.artifact_uri),
        **_spelled(("start_time", "created", "Created"), _number(runs.c.start_time)),
        "end_time": _number(runs.c.end_time),
    },
    ("attribute", "attributes", "attr", "run"),
    {
        **_spelled(("metric", "metrics"), _RUN_METRICS),
        **_spelled(("param", "params", "parameter", "parameters"), _RUN_PARAMS),
        **_spelled(("tag", "tags"), _RUN_TAGS),
    },
    _spelled(("dataset", "datasets"), _DATASETS),
)

EXPERIMENT_FIELDS = Fields(
    experiments,
    {
        "name": Attribute(experiments.c.name),
        "experiment_id": Attribute(experiments.c.id, frozenset({"=", "!="}) | LISTS),
        "creation_time": _number(experiments.c.creation_time, whole=True),
        "last_update_time": _number(experiments.c.last_update_time, whole=True),
    },
    pairs=_spelled(("tag", "tags"), Pairs(experiment_tags, "experiment")),
    order_by_pairs=False,
)

IS_PROMPT = "mlflow.prompt.is_prompt"
"""The tag by which MLflow keeps prompts among the registered models."""

REGISTERED_MODEL_FIELDS = Fields(
    registered_models,
    {
        "name": Attribute(registered_models.c.name, TEXTS | LISTS),
        **_spelled(
            ("timestamp", "last_updated_timestamp"),
            Attribute(registered_models.c.last_updated_timestamp, filterable=False),
        ),
    },
    ("attribute",),
    _spelled(
        ("tag", "tags"),
        Pairs(registered_model_tags, "registered_model", TEXTS, absent={IS_PROMPT: "false"}),
    ),
    order_by_pairs=False,
    order_bare=True,
)

MODEL_VERSION_FIELDS = Fields(
    model_versions,
    {
        "name": Attribute(registered_models.c.name, TEXTS | LISTS),
        "run_id": Attribute(model_versions.c.run_id, TEXTS | LISTS, sortable=False),
        "source_path": Attribute(model_versions.c.source, sortable=False),
        "version_number": _number(model_versions.c.version, whole=True),
        "creation_timestamp": Attribute(model_versions.c.creation_timestamp, filterable=False),
        "last_updated_timestamp": Attribute(
            model_versions.c.last_updated_timestamp, filterable=False
        ),
    },
    ("attribute",),
    _spelled(("tag", "tags"), Pairs(model_version_tags, "model_version", TEXTS)),
    order_by_pairs=False,
)

_LOGGED_MODEL_TEXT = TEXTS | LISTS
# Filters say READY, PENDING or FAILED; the wire says LOGGED_MODEL_READY and LOGGED_MODEL_UPLOAD_FAILED.
_STATUS = func.replace(
    func.replace(logged_models.c.status, "LOGGED_MODEL_", ""), "UPLOAD_", "", type_=String
)
LOGGED_MODEL_FIELDS = Fields(
    logged_models,
    {
        "name": Attribute(logged_models.c.name, _LOGGED_MODEL_TEXT),
        "model_id": Attribute(logged_models.c.model_id, _LOGGED_MODEL_TEXT),
        "model_type": Attribute(logged_models.c.model_type, _LOGGED_MODEL_TEXT),
        "status": Attribute(
            _STATUS, frozenset({"=", "!="}) | LISTS, choices=("PENDING", "READY", "FAILED")
        ),
        "source_run_id": Attribute(logged_models.c.source_run_id, _LOGGED_MODEL_TEXT),
        "experiment_id": Attribute(logged_models.c.experiment, frozenset({"=", "!="}) | LISTS),
        **_spelled(
            ("creation_timestamp", "creation_time"), _number(logged_models.c.creation_timestamp)
        ),
        "last_updated_timestamp": _number(logged_models.c.last_updated_timestamp),
    },
    ("attributes",),
    {
        "params": Pairs(logged_model_params, "logged_model", TEXTS | LISTS),
        "tags": Pairs(logged_model_tags, "logged_model", TEXTS | LISTS),
    },
    double_quotes=False,
)
