"""The store in SQL: SQLite by default, any database SQLAlchemy speaks."""

from __future__ import annotations

from mltrack_jupyter.services import Services
from mltrack_jupyter.store.artifacts import Locations
from mltrack_jupyter.store.sql.adding_models import ModelAdder
from mltrack_jupyter.store.sql.database import Database
from mltrack_jupyter.store.sql.experiments import SqlExperiments
from mltrack_jupyter.store.sql.health import SqlHealth
from mltrack_jupyter.store.sql.journals import SqlJournals
from mltrack_jupyter.store.sql.lease_service import SqlLeases
from mltrack_jupyter.store.sql.logged_models import SqlLoggedModels
from mltrack_jupyter.store.sql.metrics import SqlMetrics
from mltrack_jupyter.store.sql.model_versions import SqlModelVersions
from mltrack_jupyter.store.sql.once import Once
from mltrack_jupyter.store.sql.own_roots import OwnRoots
from mltrack_jupyter.store.sql.registered_models import SqlRegisteredModels
from mltrack_jupyter.store.sql.run_artifacts import Reach, RootArtifactFiles, SqlRunArtifacts
from mltrack_jupyter.store.sql.runs import SqlRuns
from mltrack_jupyter.store.sql.schema import open_schema
from mltrack_jupyter.store.sql.transfer import SqlTransfer
from mltrack_jupyter.store.sql.types import opens_at
from mltrack_jupyter.store.sql.version_writes import Sources
from mltrack_jupyter.store.sql.workspace import SqlWorkspace

__all__ = ["open_sql"]


def open_sql(
    url: str,
    locations: Locations,
    *,
    serve_artifacts: bool = True,
    synchronous: str = "NORMAL",
    settle: bool = True,
) -> Services:
    """Open a database, creating or upgrading its schema if need be.

    ``locations`` is where artifacts go; ``serve_artifacts`` is what a server says of itself. ``settle`` puts
    back what an interrupted purge left aside.
    """
    database = _opened(url, locations, synchronous)
    sources = Sources(locations)
    reach = Reach(database, locations, serves=serve_artifacts)
    workspace = SqlWorkspace(database, reach)
    services = Services(
        uri=url,
        experiments=SqlExperiments(database, locations),
        runs=SqlRuns(database),
        metrics=SqlMetrics(database),
        logged_models=SqlLoggedModels(database, reach),
        registered_models=SqlRegisteredModels(database, sources),
        model_versions=SqlModelVersions(database, sources, reach),
        run_artifacts=SqlRunArtifacts(database, reach),
        artifact_files=RootArtifactFiles(reach, OwnRoots(database)),
        workspace=workspace,
        transfer=SqlTransfer(database, locations, sources),
        files_at=reach.files_at,
        kept=locations.kept,
        journals=SqlJournals(database, locations),
        leases=SqlLeases(database),
        health=SqlHealth(database),
        close=database.close,
        once=Once(database),
        add_model=ModelAdder(database, reach),
    )
    if settle:
        workspace.settle()
    return services


def _opened(url: str, locations: Locations, synchronous: str) -> Database:
    database = Database(url, synchronous=synchronous, moved=locations.base)
    opens_at(database.engine.dialect, locations.top)
    try:
        open_schema(database, locations.of_experiment(0))
    except BaseException:
        database.close()
        raise
    return database
