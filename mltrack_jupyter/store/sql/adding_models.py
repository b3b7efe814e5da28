"""Taking over a whole logged model: its files, and then all that is known of it in one transaction."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any, BinaryIO

from sqlalchemy import Connection, Row, insert, literal, select

from mltrack_jupyter.entities import LoggedModel, MadeModel, RunInfo
from mltrack_jupyter.errors import InvalidParameter, MltrackError
from mltrack_jupyter.services import BringFiles, Written
from mltrack_jupyter.store.artifacts import LocalFiles, check_path
from mltrack_jupyter.store.sql.artifact_records import put_records
from mltrack_jupyter.store.sql.change_log import Write, record_changes
from mltrack_jupyter.store.sql.database import Database, chunked
from mltrack_jupyter.store.sql.experiments import find_active_experiment
from mltrack_jupyter.store.sql.logged_models import find_logged_model, load_models
from mltrack_jupyter.store.sql.retries import retried
from mltrack_jupyter.store.sql.run_artifacts import Reach
from mltrack_jupyter.store.sql.run_models import add_row, check_made, note_model
from mltrack_jupyter.store.sql.run_reads import find_active_run
from mltrack_jupyter.store.sql.shared_files import WRITTEN
from mltrack_jupyter.store.sql.tables import (
    latest_metrics,
    logged_model_metrics,
    logged_model_params,
    logged_models,
    params,
)

_POINT = ("key", "step", "timestamp", "ordinal", "bits")
_SYSTEM = "system/"


class _ElsewhereError(Exception):
    """The files of a model belong to another place."""

    def __init__(self, uri: str) -> None:
        super().__init__(uri)
        self.uri = uri


class ModelAdder:
    """Adds models to a store in this process. The cost does not depend on how many there are already."""

    def __init__(self, database: Database, reach: Reach) -> None:
        self._database = database
        self._reach = reach

    def __call__(
        self, run: RunInfo, made: MadeModel, metrics: Collection[str] | None, bring: BringFiles
    ) -> LoggedModel:
        """Write the files, which nobody sees before the rest is there; nothing stays if that fails."""
        check_made(made)
        uri = _place(run.run_id, self._reach.locations.kept(run.artifact_uri), made)
        try:
            return self._add(uri, run.run_id, made, metrics, bring)
        except _ElsewhereError as error:  # whoever asks knew the run's place from another store
            return self._add(error.uri, run.run_id, made, metrics, bring)

    def _add(
        self,
        uri: str,
        run_id: str,
        made: MadeModel,
        metrics: Collection[str] | None,
        bring: BringFiles,
    ) -> LoggedModel:
        files = self._reach.recorded(uri)
        written: dict[str, Written] = {}

        def write(path: str, body: BinaryIO) -> None:
            written[path] = files.write_new(check_path(path), body)

        def note() -> LoggedModel:
            with self._database.write() as connection:
                row = find_active_run(connection, run_id)
                if (place := _place(run_id, row.artifact_uri, made)) != uri:
                    raise _ElsewhereError(place)
                put_records(connection, files.name, written)
                return _note(connection, row, made, metrics, uri, written)

        local = files.files if isinstance(files.files, LocalFiles) else None
        try:
            if local:  # whoever is killed now leaves them to the collector
                local.mark()
            bring(write)
            found = retried(note)()
            if local:
                local.unmark()
            return found
        except BaseException:
            # An interrupt is delivered when the transaction is over: then the files belong to a model.
            if not self._is_known(made.record.model_id):
                files.files.remove()
            raise

    def _is_known(self, model_id: str) -> bool:
        """Tell whether there is a model of that id, deleted or not; ``True`` where nobody can tell."""
        query = select(logged_models.c.id).where(logged_models.c.model_id == model_id)
        try:
            with self._database.read() as connection:
                return connection.execute(query).first() is not None
        except MltrackError:
            return True


def _place(run_id: str, artifact_uri: str, made: MadeModel) -> str:
    """Return where the files of a run's model go: beside those of the runs of its experiment."""
    root, _, rest = artifact_uri.rpartition(f"/{run_id}/")
    if rest != "artifacts":
        raise InvalidParameter(f"The run {run_id} has no place for models beside its files.")
    return f"{root}/models/{made.record.model_id}/artifacts"


def _note(
    connection: Connection,
    row: Row[Any],
    made: MadeModel,
    metrics: Collection[str] | None,
    uri: str,
    files: Iterable[str],
) -> LoggedModel:
    find_active_experiment(connection, str(row.experiment))
    model_id, experiment = made.record.model_id, str(row.experiment)
    number = add_row(
        connection, row, made, uri, lambda number: _inherit_params(connection, row, number)
    )
    _inherit_metrics(connection, row, number, metrics)
    note_model(connection, row, made.record)
    told = [Write("logged_model", model_id, "create", experiment)]
    told += [Write("logged_model", model_id, WRITTEN, experiment, path) for path in files]
    told += [
        Write("logged_model", model_id, "update", experiment),
        Write("run", row.run_id, "log", experiment),
    ]
    record_changes(connection, told)
    return load_models(connection, [find_logged_model(connection, model_id)], points=False)[0]


def _inherit_params(connection: Connection, run: Row[Any], number: int) -> None:
    """Give a model the params that its run has by now, as MLflow does."""
    found = select(literal(number), params.c.key, params.c.value).where(params.c.run == run.id)
    names = ["logged_model", "key", "value"]
    connection.execute(insert(logged_model_params).from_select(names, found))


def _inherit_metrics(
    connection: Connection, run: Row[Any], number: int, metrics: Collection[str] | None
) -> None:
    """Give a model the latest points of its run, or of some metrics of it; not how the machine was."""
    table = latest_metrics
    found = select(
        literal(number), literal(run.run_id), *table.c[_POINT], literal(""), literal("")
    ).where(table.c.run == run.id)
    names = ["logged_model", "run_id", *_POINT, "dataset_name", "dataset_digest"]
    into = insert(logged_model_metrics)
    if metrics is None:
        rest = found.where(~table.c.key.startswith(_SYSTEM, autoescape=True))
        connection.execute(into.from_select(names, rest))
        return
    for some in chunked(sorted(metrics), 1000):
        connection.execute(into.from_select(names, found.where(table.c.key.in_(some))))
