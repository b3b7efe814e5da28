"""Indices by which runs are found by their params, tags and metrics, however many runs there are."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
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
