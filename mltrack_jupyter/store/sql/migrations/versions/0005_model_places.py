"""Logged models have places of their own, and are found by the path that they have in their run."""

import sqlalchemy as sa
from alembic import op

from mltrack_jupyter.store.sql.types import LONG, string

revision = "0005"
down_revision = "0004"

_MODELS = sa.table(
    "logged_models",
    sa.column("id", sa.BigInteger()),
    sa.column("source_run_id", sa.Text()),
    sa.column("artifact_uri", sa.Text()),
)
_RUNS = sa.table("runs", sa.column("run_id", sa.Text()), sa.column("artifact_uri", sa.Text()))
_PATHS = sa.table("model_paths", sa.column("logged_model"), sa.column("run_id"), sa.column("path"))


def upgrade() -> None:
    op.create_table(
        "model_paths",
        sa.Column(
            "logged_model", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("run_id", string(256), nullable=False),
        sa.Column("path", LONG, nullable=False),
        sa.ForeignKeyConstraint(
            ["logged_model"],
            ["logged_models.id"],
            name=op.f("fk_model_paths_logged_model"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("logged_model", name=op.f("pk_model_paths")),
    )
    op.create_index("ix_model_paths_run_id", "model_paths", ["run_id"], unique=False)
    op.create_index("ix_model_versions_run_id", "model_versions", ["run_id"], unique=False)
    op.create_index("ix_model_versions_model_id", "model_versions", ["model_id"], unique=False)
    # Models of before are in the artifacts of their run, and stay there.
    of_sqlite = op.get_context().dialect.name == "sqlite"
    above = _RUNS.c.artifact_uri + "/"
    length = sa.func.length(above) if of_sqlite else sa.func.char_length(above)
    models = (
        sa.select(_MODELS.c.id, _RUNS.c.run_id, sa.func.substr(_MODELS.c.artifact_uri, length + 1))
        .join(_RUNS, _RUNS.c.run_id == _MODELS.c.source_run_id)
        .where(sa.func.substr(_MODELS.c.artifact_uri, 1, length) == above)
    )
    op.execute(sa.insert(_PATHS).from_select(["logged_model", "run_id", "path"], models))
