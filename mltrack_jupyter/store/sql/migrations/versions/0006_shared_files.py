"""Files that many runs have, by their digests."""

import sqlalchemy as sa
from alembic import op

from mltrack_jupyter.store.sql.types import string

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_table(
        "shared_files",
        sa.Column("sha256", string(64), nullable=False),
        sa.Column("place", string(200), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("used", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_shared_files")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "run_shared_files",
        sa.Column("run", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("path", string(250), nullable=False),
        sa.Column("sha256", string(64), nullable=False),
        sa.ForeignKeyConstraint(
            ["run"], ["runs.id"], name=op.f("fk_run_shared_files_run"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["sha256"], ["shared_files.sha256"], name=op.f("fk_run_shared_files_sha256")
        ),
        sa.PrimaryKeyConstraint("run", "path", name=op.f("pk_run_shared_files")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_run_shared_files_sha256", "run_shared_files", ["sha256"], unique=False)
