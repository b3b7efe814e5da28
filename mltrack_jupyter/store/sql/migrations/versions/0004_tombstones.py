"""What was deleted for good leaves a tombstone."""

import sqlalchemy as sa
from alembic import op

from mltrack_jupyter.store.sql.types import Place, string

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "tombstones",
        sa.Column("entity", string(32), nullable=False),
        sa.Column("entity_id", string(256), nullable=False),
        sa.Column("deleted", sa.BigInteger(), nullable=False),
        sa.Column("place", Place(), nullable=False),
        sa.PrimaryKeyConstraint("entity", "entity_id", name=op.f("pk_tombstones")),
        sqlite_with_rowid=False,
    )
