"""Tables: frames as JSON or Parquet files of a run, longer with each call, and read back over runs."""

from __future__ import annotations

import io
import json
import tempfile
import uuid
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from mltrack_jupyter.entities import Run
from mltrack_jupyter.errors import InvalidParameter, NotFound, Unavailable
from mltrack_jupyter.services import Services
from mltrack_jupyter.store.artifacts import plain_path
from mltrack_jupyter.store.journal import send_or_keep
from mltrack_jupyter.tracking import logging, scope, session
from mltrack_jupyter.tracking.artifacts import PathLike, RunFiles
from mltrack_jupyter.tracking.images import encoded, small, to_pil
from mltrack_jupyter.tracking.reading import experiments_to_search
from mltrack_jupyter.tracking.scope import ActiveRun
from mltrack_jupyter.tracking.table_files import as_given, longer, named, parsed, table_bytes

if TYPE_CHECKING:
    import pandas as pd

LOGGED = "mlflow.loggedArtifacts"
"""The tag that lists the tables of a run, as JSON."""

_ENDINGS = (".json", ".parquet")
_FORBIDDEN = "\"',:[]{}"
_PAGE = 1000
_REMEMBERED = 1 << 24
"""Up to which size (bytes) a table is remembered, to grow on while the store is away."""


def log_table(data: Any, artifact_file: PathLike, run_id: str | None = None) -> None:
    """Write a table to a run, or append it to the table that is there.

    Parameters
    ----------
    data
        A DataFrame, or a dict of columns (or of single values: one row). Images in it are written beside.
    artifact_file
        The path of the file; it ends in ``.json`` or ``.parquet``.
    """
    artifact_file = _place(artifact_file)
    run = logging.own(run_id)
    if run is None:
        assert run_id is not None
        entry = write_table(session.services(), run_id, data, artifact_file)
        if entry:
            logging.set_tags({LOGGED: entry}, run_id=run_id)
        return
    files = run.files
    frame = _described(data, files, artifact_file)
    send_or_keep(
        run.keeper,
        lambda: _send(run, files, frame, artifact_file),
        lambda: _keep(run, frame, artifact_file),
    )


def _send(run: ActiveRun, files: RunFiles, frame: pd.DataFrame, artifact_file: str) -> None:
    content = _grown(files, frame, artifact_file)
    listed = _listed(run.services.runs.get(run.run_id))
    files.write(artifact_file, io.BytesIO(content))
    run.tables[artifact_file] = content if len(content) <= _REMEMBERED else b""
    if _entry(artifact_file) not in listed:
        logging.set_tags({LOGGED: json.dumps([*listed, _entry(artifact_file)])}, run_id=run.run_id)


def _keep(run: ActiveRun, frame: pd.DataFrame, artifact_file: str) -> None:
    """Write a table into the journal, with the rows that this process wrote before: none can be read."""
    before = run.tables.get(artifact_file)
    if before == b"" or (before is None and run.resumed):
        raise Unavailable(
            f"The store is away, and with it the rows that the table {artifact_file!r} has already."
        )
    if before:
        frame = longer(parsed(io.BytesIO(before), artifact_file), frame)
    run.tables[artifact_file] = content = table_bytes(frame, artifact_file)
    run.keeper.journal.spool(run.run_id, artifact_file, io.BytesIO(content))
    logging.set_tags({LOGGED: json.dumps([_entry(path) for path in run.tables])}, run_id=run.run_id)


def load_table(
    artifact_file: PathLike,
    run_ids: list[str] | None = None,
    extra_columns: list[str] | None = None,
) -> pd.DataFrame:
    """Return a table of the runs of the active experiment, one below the other.

    Parameters
    ----------
    run_ids
        Only of these runs.
    extra_columns
        Columns of :func:`mltrack_jupyter.search_runs` to add, such as ``"run_id"``.

    Raises
    ------
    NotFound
        No run has such a table.
    """
    experiments = experiments_to_search()
    return read_tables(session.services(), experiments, artifact_file, run_ids, extra_columns)


def write_table(services: Services, run_id: str, data: Any, artifact_file: PathLike) -> str:
    """Write a table; return the new value of the run's tag, or ``""`` if it lists the table already."""
    artifact_file = _place(artifact_file)
    files = RunFiles.of(services, run_id)
    frame = _described(data, files, artifact_file)
    listed = _listed(services.runs.get(run_id))
    files.write(artifact_file, io.BytesIO(_grown(files, frame, artifact_file)))
    if (run := scope.find(run_id)) is not None:
        run.tables[artifact_file] = b""  # what it knows of it is not all any more
    entry = _entry(artifact_file)
    return "" if entry in listed else json.dumps([*listed, entry])


def _entry(artifact_file: str) -> dict[str, str]:
    return {"path": artifact_file, "type": "table"}


def _described(data: Any, files: RunFiles, artifact_file: str) -> pd.DataFrame:
    """Return data as the table to write; its images are files of the run already."""
    return _without_images(named(_frame(data), artifact_file), files, artifact_file)


def _grown(files: RunFiles, frame: pd.DataFrame, artifact_file: str) -> bytes:
    """Return a table with the rows that it has already, and those of a frame."""
    if _has(files, artifact_file):
        frame = longer(_read(files, artifact_file), frame)
    return table_bytes(frame, artifact_file)


def _place(artifact_file: PathLike) -> str:
    """Return the path at which a table is, for its path as it was typed."""
    artifact_file = plain_path(artifact_file)
    if any(sign in artifact_file for sign in _FORBIDDEN):
        raise InvalidParameter(f"The name {artifact_file!r} of a table holds one of {_FORBIDDEN}.")
    if not artifact_file.endswith(_ENDINGS):
        raise InvalidParameter(
            f"The name {artifact_file!r} of a table must end in {' or '.join(_ENDINGS)}."
        )
    return artifact_file


def _frame(data: Any) -> pd.DataFrame:
    import pandas as pd

    if isinstance(data, pd.DataFrame):
        return data.copy()
    if not isinstance(data, dict):
        raise InvalidParameter(
            f"A table is a DataFrame or a dict of columns, not a {type(data).__name__}."
        )
    listed = {name: list(cells) for name, cells in data.items() if isinstance(cells, list | tuple)}
    if len({len(cells) for cells in listed.values()}) > 1:
        raise InvalidParameter(
            "The columns of the table have different lengths: "
            f"{ {name: len(cells) for name, cells in listed.items()} }."
        )
    try:
        columns = {name: as_given(cells) for name, cells in listed.items()}
        # A dict of single values is one row.
        return pd.DataFrame({**data, **columns} if listed or not _is_row(data) else [data])
    except (TypeError, ValueError, OverflowError) as error:
        raise InvalidParameter(f"The columns of the table do not fit together: {error}.") from error


def _is_row(data: dict[Any, Any]) -> bool:
    """Whether a dict has single values alone, or what is no column, such as an array of two dimensions."""
    return bool(data) and not any(
        getattr(value, "ndim", 1) == 1
        and hasattr(value, "__iter__")
        and not isinstance(value, str | bytes)
        for value in data.values()
    )


def _is_image(cell: Any) -> bool:
    return all(hasattr(cell, name) for name in ("save", "resize", "size"))


def _without_images(frame: pd.DataFrame, files: RunFiles, artifact_file: str) -> pd.DataFrame:
    """Write the images of a frame as files, and put their paths into its cells."""
    # By place: two columns may have one name.
    pictures = []
    for place, name in enumerate(frame.columns):
        column = frame.iloc[:, place]
        if column.dtype.kind != "O":
            continue
        found = [_is_image(cell) for cell in column]
        if any(found) and not all(found):
            raise InvalidParameter(f"The column {name!r} holds images beside other things.")
        if any(found):
            pictures.append(place)
    folder = f"table_images/{artifact_file.rpartition('.')[0]}"
    for place in pictures:
        frame.isetitem(place, [_write_cell(files, folder, cell) for cell in frame.iloc[:, place]])
    return frame


def _write_cell(files: RunFiles, folder: str, cell: Any) -> dict[str, str]:
    stem, picture = f"{folder}/{uuid.uuid4()}", to_pil(cell)
    files.write(f"{stem}.png", io.BytesIO(encoded(picture, ".png")))
    files.write(f"{stem}.webp", io.BytesIO(encoded(small(picture), ".webp")))
    return {"type": "image", "filepath": f"{stem}.png", "compressed_filepath": f"{stem}.webp"}


def _has(files: RunFiles, path: str) -> bool:
    found = files.list(path.rpartition("/")[0])
    return any(item.path == path and not item.is_dir for item in found)


def _read(files: RunFiles, path: str) -> pd.DataFrame:
    with tempfile.TemporaryDirectory(prefix="mltrack-") as private:
        return parsed(files.fetch(path, private), path)


def _listed(run: Run) -> list[Any]:
    try:
        found = json.loads(run.data.tags.get(LOGGED, "[]"))
    except ValueError:
        return []
    return found if isinstance(found, list) else []


def read_tables(
    services: Services,
    experiment_ids: Sequence[str],
    artifact_file: PathLike,
    run_ids: Sequence[str] | None = None,
    extra_columns: Sequence[str] | None = None,
) -> pd.DataFrame:
    """Return a table of the runs of some experiments, one below the other. Raises ``NotFound``."""
    artifact_file = _place(artifact_file)
    wanted = {"path": artifact_file, "type": "table"}
    parts = []
    for run in _runs(services, experiment_ids, run_ids):
        if wanted not in _listed(run):
            continue
        frame = _read(RunFiles.of(services, run.info.run_id), artifact_file)
        for column in extra_columns or []:
            # A column of the table keeps its name; the one that is added gives way.
            frame[f"{column}_" if column in frame else column] = _extra(run, column)
        parts.append(frame)
    if not parts:
        where = f"the experiment {', '.join(experiment_ids)}" if experiment_ids else "this notebook"
        raise NotFound(
            f"No run of {where} has a table {artifact_file!r}"
            + (f" among {', '.join(run_ids)}." if run_ids else ".")
        )
    return longer(*parts)


def _runs(
    services: Services, experiment_ids: Sequence[str], run_ids: Sequence[str] | None
) -> list[Run]:
    if run_ids:
        return [services.runs.get(run_id) for run_id in run_ids]
    found: list[Run] = []
    token = ""
    while True:
        text = f"tags.`{LOGGED}` IS NOT NULL"
        page = services.runs.search(list(experiment_ids), text, max_results=_PAGE, page_token=token)
        found += page.items
        token = page.next_page_token
        if not token:
            return found


def _extra(run: Run, column: str) -> Any:
    kind, _, key = column.partition(".")
    if key and kind in ("metrics", "params", "tags"):
        return getattr(run.data, kind).get(key)
    if column in ("run_id", "experiment_id", "status", "artifact_uri", "start_time", "end_time"):
        value = getattr(run.info, column)
        return value.value if column == "status" else value
    raise InvalidParameter(
        f"extra_columns={column!r} is no column of search_runs; right are run_id, experiment_id, status, "
        "artifact_uri, start_time, end_time, metrics.<key>, params.<key> and tags.<key>."
    )
