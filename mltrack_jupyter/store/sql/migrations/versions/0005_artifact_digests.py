"""Sizes and digests of artifacts."""

import sqlalchemy as sa
from alembic import op

from mltrack_jupyter.store.sql.types import string

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "artifact_digests",
        sa.Column("place", string(64), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", string(64), nullable=False),
        sa.PrimaryKeyConstraint("place", name=op.f("pk_artifact_digests")),
        sqlite_with_rowid=False,
    )
