"""Answers are kept for requests that may come twice."""

import sqlalchemy as sa
from alembic import op

from mltrack_jupyter.store.sql.types import LONG, string

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
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
