"""Leases: which process writes a run that goes on."""

import sqlalchemy as sa
from alembic import op

from mltrack_jupyter.store.sql.types import string

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
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


def downgrade() -> None:
    op.drop_table("run_leases")
