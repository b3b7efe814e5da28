"""The tables: integer keys inside, MLflow's ids outside.

Metric points are clustered by (run, key, step, timestamp, ordinal) and hold the eight bytes of their value
as an integer whose order is the order of the floats, so that NaN, infinities and -0.0 survive every database,
and a history comes sorted. The ordinal tells points apart that were logged alike in key, step and time; an
exact repetition, ordinal included, is stored once. `latest_metrics` repeats the last point of each key as a
number (NULL for NaN), so that searches never touch the history.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    UniqueConstraint,
    text,
)

from mltrack_jupyter.store.sql.types import LONG, NUMBER, Place, string

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# SQLite gives out ids of its own only for a column that is exactly INTEGER.
_ID = BigInteger().with_variant(Integer, "sqlite")
_NAME = string(500)
_KEY = string(250)
SHORT_VALUE = text("length(value) <= 250")
"""What can be indexed in every database; a query that repeats it can use such an index."""


def _reference(target: str) -> Column[int]:
    name = target.split(".", maxsplit=1)[0].removesuffix("s")
    return Column(name, _ID, ForeignKey(target, ondelete="CASCADE"), primary_key=True)


def _ordinal(**options: Any) -> Column[int]:
    """Return the column of a point's place among those that are alike in key, step and time."""
    return Column("ordinal", Integer, server_default=text("0"), **options)


def _tags(name: str, owner: str) -> Table:
    return Table(
        name,
        metadata,
        _reference(f"{owner}.id"),
        Column("key", _KEY, primary_key=True),
        Column("value", LONG, nullable=False),
        sqlite_with_rowid=False,
    )


experiments = Table(
    "experiments",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("name", _NAME, nullable=False, unique=True),
    Column("artifact_location", Place(), nullable=False),
    Column("lifecycle_stage", string(16), nullable=False),
    Column("creation_time", BigInteger, nullable=False),
    Column("last_update_time", BigInteger, nullable=False),
    sqlite_autoincrement=True,
)
experiment_tags = _tags("experiment_tags", "experiments")

runs = Table(
    "runs",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("run_id", string(256), nullable=False, unique=True),
    Column("experiment", _ID, ForeignKey("experiments.id"), nullable=False),
    Column("name", LONG, nullable=False),
    Column("user_id", string(256), nullable=False),
    Column("status", string(16), nullable=False),
    Column("start_time", BigInteger, nullable=False),
    Column("end_time", BigInteger),
    Column("artifact_uri", Place(), nullable=False),
    Column("lifecycle_stage", string(16), nullable=False),
    Index("ix_runs_newest_first", "experiment", "lifecycle_stage", "start_time", "run_id"),
)
# Who writes a run that goes on. `lapsed` are leases whose process was given up and may still come back.
run_leases = Table(
    "run_leases",
    metadata,
    _reference("runs.id"),
    Column("process_id", string(64), nullable=False),
    Column("host", string(256), nullable=False),
    Column("boot_id", string(128), nullable=False),
    Column("pid", BigInteger, nullable=False),
    Column("started", BigInteger, nullable=False),
    Column("kernel_id", string(64), nullable=False),
    Column("heartbeat", BigInteger, nullable=False),
    Column("lapsed", Boolean, nullable=False),
    Index("ix_run_leases_process_id", "process_id"),
    Index("ix_run_leases_kernel_id", "kernel_id"),
)
params = _tags("params", "runs")
tags = _tags("tags", "runs")
# Which runs have this param, which this tag. Params are short and ordered by, too; tags may hold whole
# texts, and who looks for a tag looks for a short one. See search/compiler.py.
_of_params = Index("ix_params_key_value", params.c.key, params.c.value)
_of_tags = Index("ix_tags_key_value", tags.c.key, tags.c.value, sqlite_where=SHORT_VALUE)

metric_keys = Table(
    "metric_keys",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("key", _KEY, nullable=False, unique=True),
)
metrics = Table(
    "metrics",
    metadata,
    _reference("runs.id"),
    Column("key_id", _ID, ForeignKey("metric_keys.id"), primary_key=True),
    Column("step", BigInteger, primary_key=True),
    Column("timestamp", BigInteger, primary_key=True),
    _ordinal(primary_key=True),
    Column("bits", BigInteger, primary_key=True),
    sqlite_with_rowid=False,
)
latest_metrics = Table(
    "latest_metrics",
    metadata,
    _reference("runs.id"),
    Column("key", _KEY, primary_key=True),
    Column("step", BigInteger, nullable=False),
    Column("timestamp", BigInteger, nullable=False),
    _ordinal(nullable=False),
    Column("bits", BigInteger, nullable=False),
    Column("value", NUMBER),
    Column("min", NUMBER),
    Column("max", NUMBER),
    Column("count", BigInteger, nullable=False),
    Index("ix_latest_metrics_key_value", "key", "value"),
    sqlite_with_rowid=False,
)

datasets = Table(
    "datasets",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("experiment", _ID, ForeignKey("experiments.id", ondelete="CASCADE"), nullable=False),
    Column("name", _NAME, nullable=False),
    Column("digest", string(36), nullable=False),
    Column("source_type", string(36), nullable=False),
    Column("source", LONG, nullable=False),
    Column("schema", LONG, nullable=False),
    Column("profile", LONG, nullable=False),
    UniqueConstraint("experiment", "name", "digest"),
)
run_datasets = Table(
    "run_datasets",
    metadata,
    _reference("runs.id"),
    _reference("datasets.id"),
    Column("context", LONG, nullable=False),
    Column("tags", LONG, nullable=False),
)
run_models = Table(
    "run_models",
    metadata,
    _reference("runs.id"),
    Column("direction", string(8), primary_key=True),
    Column("model_id", string(64), primary_key=True),
    Column("step", BigInteger, nullable=False),
)

logged_models = Table(
    "logged_models",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("model_id", string(64), nullable=False, unique=True),
    Column("experiment", _ID, ForeignKey("experiments.id", ondelete="CASCADE"), nullable=False),
    Column("name", _NAME, nullable=False),
    Column("model_type", string(500), nullable=False),
    Column("source_run_id", string(256), nullable=False),
    Column("artifact_uri", Place(), nullable=False),
    Column("status", string(32), nullable=False),
    Column("creation_timestamp", BigInteger, nullable=False),
    Column("last_updated_timestamp", BigInteger, nullable=False),
    Column("deleted", Boolean, nullable=False),
    Index("ix_logged_models_newest_first", "experiment", "creation_timestamp"),
)
logged_model_params = _tags("logged_model_params", "logged_models")
logged_model_tags = _tags("logged_model_tags", "logged_models")

# Under which path of its run a logged model is found; of several at one path the newest is meant.
model_paths = Table(
    "model_paths",
    metadata,
    _reference("logged_models.id"),
    Column("run_id", string(256), nullable=False),
    Column("path", LONG, nullable=False),
    Index("ix_model_paths_run_id", "run_id"),
)

# The points that name a logged model, once more with the model; there are few, so not by key numbers.
# Those of all models of a step are in `step_points` instead.
logged_model_metrics = Table(
    "logged_model_metrics",
    metadata,
    _reference("logged_models.id"),
    Column("run_id", string(256), primary_key=True),
    Column("key", _KEY, primary_key=True),
    Column("step", BigInteger, primary_key=True),
    Column("timestamp", BigInteger, primary_key=True),
    _ordinal(primary_key=True),
    Column("bits", BigInteger, primary_key=True),
    Column("dataset_name", _NAME, nullable=False),
    Column("dataset_digest", string(36), nullable=False),
    sqlite_with_rowid=False,
)
# The models that a run made at a step, in their order: what it logs at the step belongs to each of them.
step_models = Table(
    "step_models",
    metadata,
    Column("run_id", string(256), primary_key=True),
    Column("step", BigInteger, primary_key=True),
    Column("place", BigInteger, primary_key=True),
    Column("logged_model", _ID, ForeignKey("logged_models.id", ondelete="CASCADE"), nullable=False),
    UniqueConstraint("logged_model", "run_id"),
    sqlite_with_rowid=False,
)
# Points of a run that belong to its models of their step up to a place: one row for all of these models.
step_points = Table(
    "step_points",
    metadata,
    Column("run_id", string(256), primary_key=True),
    Column("step", BigInteger, primary_key=True),
    Column("upto", BigInteger, primary_key=True),
    Column("key", _KEY, primary_key=True),
    Column("timestamp", BigInteger, primary_key=True),
    _ordinal(primary_key=True),
    Column("bits", BigInteger, primary_key=True),
    sqlite_with_rowid=False,
)

registered_models = Table(
    "registered_models",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("name", string(256), nullable=False, unique=True),
    Column("description", LONG, nullable=False),
    Column("creation_timestamp", BigInteger, nullable=False),
    Column("last_updated_timestamp", BigInteger, nullable=False),
    Column("last_version", Integer, nullable=False),
)
registered_model_tags = _tags("registered_model_tags", "registered_models")
model_versions = Table(
    "model_versions",
    metadata,
    Column("id", _ID, primary_key=True),
    Column(
        "registered_model",
        _ID,
        ForeignKey("registered_models.id", ondelete="CASCADE"),
        nullable=False,
    ),
    Column("version", Integer, nullable=False),
    Column("source", Place(), nullable=False),
    Column("download_uri", Place(), nullable=False),
    Column("run_id", string(256), nullable=False),
    Column("run_link", LONG, nullable=False),
    Column("model_id", string(64), nullable=False),
    Column("user_id", string(256), nullable=False),
    Column("description", LONG, nullable=False),
    Column("current_stage", string(16), nullable=False),
    Column("status", string(32), nullable=False),
    Column("creation_timestamp", BigInteger, nullable=False),
    Column("last_updated_timestamp", BigInteger, nullable=False),
    UniqueConstraint("registered_model", "version"),
    Index("ix_model_versions_run_id", "run_id"),
    Index("ix_model_versions_model_id", "model_id"),
)
model_version_tags = _tags("model_version_tags", "model_versions")
aliases = Table(
    "aliases",
    metadata,
    _reference("registered_models.id"),
    Column("alias", string(255), primary_key=True),
    Column("version", Integer, nullable=False),
    sqlite_with_rowid=False,
)

# How far the files that processes log to have been read into this store.
journals = Table(
    "journals",
    metadata,
    Column("journal_id", string(64), primary_key=True),
    Column("position", BigInteger, nullable=False),
    Column("updated", BigInteger, nullable=False),
)

# What was written through the store, by the SHA-256 of where: a place has no length that can be a key.
artifact_digests = Table(
    "artifact_digests",
    metadata,
    Column("place", string(64), primary_key=True),
    Column("size", BigInteger, nullable=False),
    Column("sha256", string(64), nullable=False),
    sqlite_with_rowid=False,
)

# What was deleted for good: a journal that is found later must not bring it back. `place` is where files of
# it are still to be deleted, in an object store.
tombstones = Table(
    "tombstones",
    metadata,
    Column("entity", string(32), primary_key=True),
    Column("entity_id", string(256), primary_key=True),
    Column("deleted", BigInteger, nullable=False),
    Column("place", Place(), nullable=False),
    sqlite_with_rowid=False,
)

# Files that many runs have, each content once, below the store's own root.
shared_files = Table(
    "shared_files",
    metadata,
    Column("sha256", string(64), primary_key=True),
    Column("place", string(200), nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("used", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
# A file that a run has may not be deleted: the database refuses it.
run_shared_files = Table(
    "run_shared_files",
    metadata,
    _reference("runs.id"),
    Column("path", _KEY, primary_key=True),
    Column("sha256", string(64), ForeignKey("shared_files.sha256"), nullable=False),
    Index("ix_run_shared_files_sha256", "sha256"),
    sqlite_with_rowid=False,
)

# What requests that carry a key were answered, so that one whose answer was lost may come again.
request_keys = Table(
    "request_keys",
    metadata,
    Column("key", string(128), primary_key=True),
    Column("request", string(64), nullable=False),
    Column("answer", LONG, nullable=False),
    Column("created", BigInteger, nullable=False, index=True),
    sqlite_with_rowid=False,
)

changes = Table(
    "changes",
    metadata,
    Column("seq", _ID, primary_key=True),
    Column("timestamp", BigInteger, nullable=False),
    Column("actor", string(256), nullable=False),
    Column("entity", string(32), nullable=False),
    Column("entity_id", LONG, nullable=False),
    Column("parent_id", LONG, nullable=False),
    Column("action", string(32), nullable=False),
    Column("detail", LONG, nullable=False),
    sqlite_autoincrement=True,
)
# Text keys of unbounded length cannot be indexed everywhere; ids are short, a prefix is enough.
_of_changes = Index("ix_changes_entity", changes.c.entity, changes.c.entity_id)


def suit(kind: str) -> None:
    """Let the indexes be what they have to be on a kind of database server.

    Not said where they are made: SQLAlchemy imports a dialect to hear of it, which takes longer than
    opening an SQLite file.
    """
    if kind == "postgresql":
        for index in (_of_params, _of_tags):
            index.dialect_kwargs["postgresql_where"] = SHORT_VALUE
    elif kind == "mysql":
        for index in (_of_params, _of_tags):
            index.dialect_kwargs["mysql_length"] = {"value": 100}
        _of_changes.dialect_kwargs["mysql_length"] = {"entity_id": 255}
