"""Points that belong to all models of their run and step are stored once."""

import sqlalchemy as sa
from alembic import op

from mltrack_jupyter.store.sql.types import string

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "step_models",
        sa.Column("run_id", string(256), nullable=False),
        sa.Column("step", sa.BigInteger(), nullable=False),
        sa.Column("place", sa.BigInteger(), nullable=False),
        sa.Column("logged_model", number, nullable=False),
        sa.ForeignKeyConstraint(
            ["logged_model"],
            ["logged_models.id"],
            name=op.f("fk_step_models_logged_model"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("run_id", "step", "place", name=op.f("pk_step_models")),
        sa.UniqueConstraint(
            "logged_model", "run_id", name=op.f("uq_step_models_logged_model_run_id")
        ),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "step_points",
        sa.Column("run_id", string(256), nullable=False),
        sa.Column("step", sa.BigInteger(), nullable=False),
        sa.Column("upto", sa.BigInteger(), nullable=False),
        sa.Column("key", string(250), nullable=False),
        sa.Column("timestamp", sa.BigInteger(), nullable=False),
        sa.Column("ordinal", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("bits", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(
            "run_id",
            "step",
            "upto",
            "key",
            "timestamp",
            "ordinal",
            "bits",
            name=op.f("pk_step_points"),
        ),
        sqlite_with_rowid=False,
    )
