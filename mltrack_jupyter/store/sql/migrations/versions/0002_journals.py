"""How far journals have been read."""

import sqlalchemy as sa
from alembic import op

from mltrack_jupyter.store.sql.types import string

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
