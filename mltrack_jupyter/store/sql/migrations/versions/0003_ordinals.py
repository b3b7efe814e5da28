"""Ordinals of points that were logged alike in key, step and time."""

import sqlalchemy as sa
from alembic import op

from mltrack_jupyter.store.sql.types import NUMBER, string

revision = "0003"
down_revision = "0002"

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_KEYS = {
    "metrics": ["run", "key_id", "step", "timestamp", "ordinal", "bits"],
    "logged_model_metrics": [
        "logged_model",
        "run_id",
        "key",
        "step",
        "timestamp",
        "ordinal",
        "bits",
    ],
    "latest_metrics": ["run", "key"],
}


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        _make_anew()
        return
    for table, columns in _KEYS.items():
        op.execute(_alter(table, columns))


def _alter(table: str, columns: list[str]) -> str:
    """Return one statement that adds the column, and puts it into the key of the table."""
    if table == "latest_metrics":
        return f"ALTER TABLE {table} ADD COLUMN ordinal INTEGER DEFAULT '0' NOT NULL"
    postgresql = op.get_bind().dialect.name == "postgresql"
    drop = f"CONSTRAINT pk_{table}" if postgresql else "PRIMARY KEY"
    named = f"CONSTRAINT pk_{table} " if postgresql else ""
    key = ", ".join("`key`" if name == "key" and not postgresql else name for name in columns)
    return (
        f"ALTER TABLE {table} ADD COLUMN ordinal INTEGER DEFAULT '0' NOT NULL, "
        f"DROP {drop}, ADD {named}PRIMARY KEY ({key})"
    )


def _make_anew() -> None:
    """Copy the points into new tables: SQLite cannot change the key that a table is ordered by."""
    op.drop_index("ix_latest_metrics_key_value", table_name="latest_metrics")
    for table in _KEYS:
        op.rename_table(table, f"{table}_0002")
    op.create_table(
        "metrics",
        sa.Column("run", _NUMBER, nullable=False),
        sa.Column("key_id", _NUMBER, nullable=False),
        sa.Column("step", sa.BigInteger(), nullable=False),
        sa.Column("timestamp", sa.BigInteger(), nullable=False),
        _ordinal(),
        sa.Column("bits", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["key_id"], ["metric_keys.id"], name=op.f("fk_metrics_key_id")),
        sa.ForeignKeyConstraint(
            ["run"], ["runs.id"], name=op.f("fk_metrics_run"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint(*_KEYS["metrics"], name=op.f("pk_metrics")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "latest_metrics",
        sa.Column("run", _NUMBER, nullable=False),
        sa.Column("key", string(250), nullable=False),
        sa.Column("step", sa.BigInteger(), nullable=False),
        sa.Column("timestamp", sa.BigInteger(), nullable=False),
        _ordinal(),
        sa.Column("bits", sa.BigInteger(), nullable=False),
        sa.Column("value", NUMBER, nullable=True),
        sa.Column("min", NUMBER, nullable=True),
        sa.Column("max", NUMBER, nullable=True),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["run"], ["runs.id"], name=op.f("fk_latest_metrics_run"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint(*_KEYS["latest_metrics"], name=op.f("pk_latest_metrics")),
        sqlite_with_rowid=False,
    )
    _make_model_metrics()
    for table in _KEYS:
        _move_rows(table)
    op.create_index("ix_latest_metrics_key_value", "latest_metrics", ["key", "value"], unique=False)


def _make_model_metrics() -> None:
    op.create_table(
        "logged_model_metrics",
        sa.Column("logged_model", _NUMBER, nullable=False),
        sa.Column("run_id", string(256), nullable=False),
        sa.Column("key", string(250), nullable=False),
        sa.Column("step", sa.BigInteger(), nullable=False),
        sa.Column("timestamp", sa.BigInteger(), nullable=False),
        _ordinal(),
        sa.Column("bits", sa.BigInteger(), nullable=False),
        sa.Column("dataset_name", string(500), nullable=False),
        sa.Column("dataset_digest", string(36), nullable=False),
        sa.ForeignKeyConstraint(
            ["logged_model"],
            ["logged_models.id"],
            name=op.f("fk_logged_model_metrics_logged_model"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            *_KEYS["logged_model_metrics"], name=op.f("pk_logged_model_metrics")
        ),
        sqlite_with_rowid=False,
    )


def _ordinal() -> sa.Column[int]:
    return sa.Column("ordinal", sa.Integer(), server_default=sa.text("0"), nullable=False)


def _move_rows(table: str) -> None:
    names = [column["name"] for column in sa.inspect(op.get_bind()).get_columns(f"{table}_0002")]
    columns = ", ".join(f'"{name}"' for name in names)
    order = ", ".join(f'"{name}"' for name in _KEYS[table] if name != "ordinal")
    op.execute(
        f"INSERT INTO {table} ({columns}) "  # noqa: S608 - names of ours
        f"SELECT {columns} FROM {table}_0002 ORDER BY {order}"
    )
    op.drop_table(f"{table}_0002")
