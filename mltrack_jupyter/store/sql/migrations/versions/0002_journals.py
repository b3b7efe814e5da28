"""Journals, leases of runs, answers to keys, digests of artifacts, and indices that searches go by."""

import sqlalchemy as sa
from alembic import op

from mltrack_jupyter.store.sql.types import LONG, string

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "journals",
        sa.Column("journal_id", string(64), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("updated", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("journal_id", name=op.f("pk_journals")),
    )
    op.create_table(
        "run_leases",
        sa.Column("run", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("process_id", string(64), nullable=False),
        sa.Column("host", string(256), nullable=False),
        sa.Column("boot_id", string(128), nullable=False),
        sa.Column("pid", sa.BigInteger(), nullable=False),
        sa.Column("started", sa.BigInteger(), nullable=False),
        sa.Column("kernel_id", string(64), nullable=False),
        sa.Column("heartbeat", sa.BigInteger(), nullable=False),
        sa.Column("lapsed", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["run"], ["runs.id"], name=op.f("fk_run_leases_run"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("run", name=op.f("pk_run_leases")),
    )
    op.create_index("ix_run_leases_process_id", "run_leases", ["process_id"], unique=False)
    op.create_index("ix_run_leases_kernel_id", "run_leases", ["kernel_id"], unique=False)
    op.create_table(
        "request_keys",
        sa.Column("key", string(128), nullable=False),
        sa.Column("request", string(64), nullable=False),
        sa.Column("answer", LONG, nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_request_keys")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_request_keys_created", "request_keys", ["created"], unique=False)
    op.create_table(
        "artifact_digests",
        sa.Column("place", string(64), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", string(64), nullable=False),
        sa.PrimaryKeyConstraint("place", name=op.f("pk_artifact_digests")),
        sqlite_with_rowid=False,
    )
    short = sa.text("length(value) <= 250")
    op.create_index(
        "ix_params_key_value",
        "params",
        ["key", "value"],
        unique=False,
        postgresql_where=short,
        mysql_length={"value": 100},
    )
    op.create_index(
        "ix_tags_key_value",
        "tags",
        ["key", "value"],
        unique=False,
        sqlite_where=short,
        postgresql_where=short,
        mysql_length={"value": 100},
    )
    op.create_index("ix_latest_metrics_key_value", "latest_metrics", ["key", "value"], unique=False)
