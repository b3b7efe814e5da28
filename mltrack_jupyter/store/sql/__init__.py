"""The store in SQL: SQLite by default, any database SQLAlchemy speaks."""

from __future__ import annotations

from pathlib import Path

from mltrack_jupyter.services import Services
from mltrack_jupyter.store.artifacts import Locations
from mltrack_jupyter.store.sql.database import Database
from mltrack_jupyter.store.sql.experiments import SqlExperiments
from mltrack_jupyter.store.sql.logged_models import SqlLoggedModels
from mltrack_jupyter.store.sql.metrics import SqlMetrics
from mltrack_jupyter.store.sql.model_versions import SqlModelVersions
from mltrack_jupyter.store.sql.once import Once
from mltrack_jupyter.store.sql.registered_models import SqlRegisteredModels
from mltrack_jupyter.store.sql.retries import retrying
from mltrack_jupyter.store.sql.run_artifacts import RootArtifactFiles, SqlRunArtifacts
from mltrack_jupyter.store.sql.runs import SqlRuns
from mltrack_jupyter.store.sql.schema import ensure_schema
from mltrack_jupyter.store.sql.transfer import SqlTransfer
from mltrack_jupyter.store.sql.trash import TrashBin
from mltrack_jupyter.store.sql.version_writes import Sources
from mltrack_jupyter.store.sql.workspace import SqlWorkspace

__all__ = ["open_sql"]


def open_sql(
    url: str, artifact_root: Path, *, local_paths: bool, synchronous: str = "NORMAL"
) -> Services:
    """Open a database, creating or upgrading its schema if need be.

    ``local_paths`` tells whether callers may name local folders; a server's may not.
    """
    database = Database(url, synchronous=synchronous)
    try:
        ensure_schema(database)
    except BaseException:
        database.close()
        raise
    locations = Locations(artifact_root, local_paths=local_paths)
    sources = Sources(locations)
    services = Services(
        uri=url,
        experiments=SqlExperiments(database, locations),
        runs=SqlRuns(database),
        metrics=SqlMetrics(database),
        logged_models=SqlLoggedModels(database, locations),
        registered_models=SqlRegisteredModels(database, sources),
        model_versions=SqlModelVersions(database, sources),
        run_artifacts=SqlRunArtifacts(database, locations),
        artifact_files=RootArtifactFiles(locations),
        workspace=SqlWorkspace(database, TrashBin(database, locations)),
        transfer=SqlTransfer(database, locations, sources),
        close=database.close,
        once=Once(database),
    )
    if not database.is_sqlite:
        for service in (
            services.experiments,
            services.runs,
            services.logged_models,
            services.registered_models,
            services.model_versions,
            services.transfer,
        ):
            retrying(service)
    return services
