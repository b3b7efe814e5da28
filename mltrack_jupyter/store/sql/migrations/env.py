"""Alembic's entry: runs a migration on the connection it is handed, inside its transaction."""

from alembic import context

from mltrack_jupyter.store.sql.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    transactional_ddl=True,
)
context.run_migrations()
