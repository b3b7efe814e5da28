"""Logging to the active run: params, metrics, tags and artifacts. Without a run, one is opened."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable, Collection, Mapping
from time import time_ns
from typing import TYPE_CHECKING, Any

from mltrack_jupyter.entities import DatasetInput, Metric, Param, RunEntry, Tag
from mltrack_jupyter.plain import path_text
from mltrack_jupyter.store import rules
from mltrack_jupyter.store.journal import Keeper, send_or_keep
from mltrack_jupyter.tracking import active_model, scope, session
from mltrack_jupyter.tracking.artifacts import PathLike, RunFiles
from mltrack_jupyter.tracking.batches import divided, to_number, to_whole
from mltrack_jupyter.tracking.checks import check_mapping
from mltrack_jupyter.tracking.clock import next_ordinal, now_ms
from mltrack_jupyter.tracking.contents import dict_text, text_bytes
from mltrack_jupyter.tracking.corrections import corrected
from mltrack_jupyter.tracking.dataset_inputs import measured_on
from mltrack_jupyter.tracking.figures import figure_bytes
from mltrack_jupyter.tracking.operations import RunOperations, handle
from mltrack_jupyter.tracking.runs import active_or_new_run
from mltrack_jupyter.tracking.scope import ActiveRun

if TYPE_CHECKING:
    from mltrack_jupyter.services import Services


def own(run_id: str | None) -> ActiveRun | None:
    """Return the run to log to, if this process has it open: ``run_id``, the active run, or a new one."""
    if run_id is None:
        return active_or_new_run()
    run = scope.find(run_id)
    if run is None:
        rules.check_run_id(run_id)
    return run


def target_of(run: ActiveRun | None, run_id: str | None) -> tuple[Services, str]:
    """Return the services and the id of an open run, or of another one."""
    if run is not None:
        return run.services, run.run_id
    assert run_id is not None
    return session.services(), run_id


def _write(run: ActiveRun, entry: RunEntry, synchronous: bool | None) -> None:
    keeper = run.keeper
    keeper.journal.entry(entry)
    _written(keeper, synchronous)


def _written(keeper: Keeper, synchronous: bool | None) -> None:
    keeper.wrote()
    if synchronous or (synchronous is None and keeper.strict):
        keeper.flush()


def files_of(run_id: str | None) -> RunFiles:
    """Return the artifacts of the run to log to: ``run_id``, the active run, or a new one."""
    run = own(run_id)
    if run is not None:
        return run.files
    assert run_id is not None
    return RunFiles.of(session.services(), run_id)


def write_to_run(
    run_id: str | None, send: Callable[[Services, str], None], entry: Callable[[str], RunEntry]
) -> None:
    """Write something to a run at once; while the store is away, leave an entry in the journal instead.

    ``run_id`` is that of a run, or ``None`` for the active one, or a new one.
    """
    run = own(run_id)
    if run is None:
        assert run_id is not None
        send(session.services(), run_id)
        return
    keeper, target = run.keeper, run.run_id
    send_or_keep(
        keeper, lambda: send(run.services, target), lambda: keeper.journal.entry(entry(target))
    )


def logged_keys(run_id: str) -> tuple[set[str], set[str]]:
    """Return the names of the params and of the metrics that this process logged to an open run."""
    found = scope.find(run_id)
    return (set(found.logged[0]), set(found.logged[1])) if found else (set(), set())


def _time(key: str, value: Any) -> int:
    time = value if type(value) is int else to_whole("timestamp", key, value)
    if time < 0:
        rules.check_metric(Metric(key, 0.0, time))
    return time


def log_metric(
    key: str,
    value: float,
    step: int | None = None,
    synchronous: bool | None = None,
    timestamp: int | None = None,
    run_id: str | None = None,
    model_id: str | None = None,
    dataset: Any = None,
) -> RunOperations | None:
    """Add a point to a metric of the active run.

    ``value`` may be NaN or infinite; ``step`` counts from 0 (0 where absent); ``timestamp`` is in
    milliseconds since the Unix epoch, now where absent. Every point is kept: those of the same step and time
    are told apart by their ``ordinal``, in the order in which they were logged, and the last one is the
    latest. When this returns, the point is in the journal and outlives the process; ``synchronous=True``
    waits until it is in the store. ``model_id`` names the logged model, and ``dataset`` the data, that were measured; such a point
    goes to the store at once. Without a ``model_id`` it is noted to the models that the run logged at the
    same step. Raises ``InvalidParameter``.
    """
    if type(value) is not float:
        value = to_number(key, value)
    if step is None:
        step = 0
    elif type(step) is not int:
        step = to_whole("step", key, step)
    run = scope.current.get()
    if run is None or run.closed or run_id is not None:
        run = own(run_id)
    if (
        run is None
        or model_id is not None
        or dataset is not None
        or (active_model.used and active_model.is_chosen())
        or run.notes_model
    ):
        return log_metrics({key: value}, step, synchronous, run_id, timestamp, model_id, dataset)
    keeper = run.keeper
    time = time_ns() // 1_000_000 if timestamp is None else _time(key, timestamp)
    try:
        keeper.journal.point(run.run_id, key, step, time, value)
        run.logged[1].add(key)
    except (struct.error, TypeError):
        rules.check_metric(Metric(key, value, time, step))
        raise
    if synchronous or keeper.strict or keeper.thread is None:
        _written(keeper, synchronous)
    return RunOperations() if synchronous is False else None


def log_metrics(
    metrics: Mapping[str, float],
    step: int | None = None,
    synchronous: bool | None = None,
    run_id: str | None = None,
    timestamp: int | None = None,
    model_id: str | None = None,
    dataset: Any = None,
) -> RunOperations | None:
    """Add a point to several metrics: to all of them or, on an error, to none."""
    if type(metrics) is not dict:
        check_mapping(metrics, "log_metrics", "{'accuracy': 0.9}")
    run = scope.current.get()
    known = run.logged[1] if run is not None else ()
    values = {
        key if type(key) is str and key in known else rules.check_key(key, "metric"): (
            value if type(value) is float else to_number(key, value)
        )
        for key, value in metrics.items()
    }
    first = next(iter(values), "")
    time = now_ms() if timestamp is None else _time(first, timestamp)
    whole = step if type(step) is int else to_whole("step", first, step or 0)
    if run is None or run.closed or run_id is not None:
        run = own(run_id)
    if run is None or active_model.is_noted(model_id, dataset):
        points = _points_of(values, time, whole)
        chosen = model_id or active_model.get_active_model_id()
        made = run.models.get(whole, ()) if run is not None and not chosen else ()
        noted = [
            p for each in made or [chosen or ""] for p in active_model.noted(points, each, dataset)
        ]
        _note(run_id, noted, measured_on(dataset))
        if run is not None:
            run.logged[1].update(values)
    else:
        write_points(run, values, time, whole, run.models.get(whole, ()), synchronous)
    return handle(synchronous)


def _points_of(values: Mapping[str, float], time: int, step: int) -> list[Metric]:
    points = [
        Metric(key, value, time, step, ordinal=next_ordinal()) for key, value in values.items()
    ]
    for point in points[:1]:  # time and step are those of all
        rules.check_metric(point)
    return points


def write_points(
    run: ActiveRun,
    values: Mapping[str, float],
    time: int,
    step: int,
    models: Collection[str],
    synchronous: bool | None = None,
) -> None:
    """Leave points of an open run in the journal, noted to logged models that this process made in it."""
    if models:
        points = _points_of(values, time, step)
        noted = [point for each in models for point in active_model.noted(points, each, None)]
        run.keeper.journal.entry(RunEntry(run_id=run.run_id, noted=noted))
    elif values:
        try:
            found = [(key, step, time, value) for key, value in values.items()]
            run.keeper.journal.points(run.run_id, found)
        except (struct.error, TypeError):
            rules.check_metric(Metric(next(iter(values)), 0.0, time, step))
            raise
    _written(run.keeper, synchronous)
    run.logged[1].update(values)


def _note(run_id: str | None, points: list[Metric], read: list[DatasetInput]) -> None:
    """Write points that name a logged model or a dataset, which the run has read then."""

    def send(services: Services, target: str) -> None:
        if read:
            services.runs.log_inputs(target, read)
        for batch in divided(points, [], []):
            services.runs.log_batch(target, *batch)

    write_to_run(run_id, send, lambda target: RunEntry(run_id=target, noted=points, datasets=read))


def log_param(key: str, value: Any, synchronous: bool | None = None) -> Any:
    """Write a param of the active run, as text, and return its value.

    Another value for a param that the run has already amends it; ``Client().get_amendments`` tells
    what it was before.
    """
    return log_params({key: value}, synchronous) or value


def log_params(
    params: Mapping[str, Any], synchronous: bool | None = None, run_id: str | None = None
) -> RunOperations | None:
    """Write several params: all of them or, on an error, none."""
    check_mapping(params, "log_params", "{'depth': 3}")
    pairs = [Param(rules.check_key(key, "param"), str(value)) for key, value in params.items()]
    for pair in pairs:
        rules.check_text(pair.value, "param", key=pair.key)
    run = own(run_id)
    if run is None:
        assert run_id is not None
        for batch in divided([], pairs, []):
            session.services().runs.log_batch(run_id, *batch)
        return handle(synchronous)
    kept, tags = corrected(run.run_id, pairs)
    entry = RunEntry(run_id=run.run_id, params=[*pairs, *kept], tags=tags)
    _write(run, entry, synchronous)
    run.logged[0].update(params)
    return handle(synchronous)


def set_tag(key: str, value: Any, synchronous: bool | None = None) -> RunOperations | None:
    """Set a tag of the active run."""
    return set_tags({key: value}, synchronous)


def set_tags(
    tags: Mapping[str, Any], synchronous: bool | None = None, run_id: str | None = None
) -> RunOperations | None:
    """Set several tags."""
    check_mapping(tags, "set_tags", "{'team': 'vision'}")
    pairs = [Tag(rules.check_key(key, "tag"), str(value)) for key, value in tags.items()]
    rules.check_run_tags(pairs)
    run = own(run_id)
    if run is None:
        assert run_id is not None
        for batch in divided([], [], pairs):
            session.services().runs.log_batch(run_id, *batch)
        return handle(synchronous)
    _write(run, RunEntry(run_id=run.run_id, tags=pairs), synchronous)
    return handle(synchronous)


def delete_tag(key: str) -> None:
    """Remove a tag of the active run. Raises ``NotFound`` if there is none of that key."""
    services, target = target_of(own(None), None)
    services.runs.delete_tag(target, key)


def log_bytes(run_id: str, path: str, data: bytes) -> None:
    """Write bytes as one file of a run."""
    files_of(run_id).write(path, io.BytesIO(data))


def log_artifact(
    local_path: PathLike, artifact_path: PathLike | None = None, run_id: str | None = None
) -> None:
    """Copy a file or a directory into the artifacts of the active run, below ``artifact_path``.

    Raises ``NotFound`` if there is nothing at ``local_path``.
    """
    files_of(run_id).add(local_path, artifact_path or "")


def log_artifacts(
    local_dir: PathLike, artifact_path: PathLike | None = None, run_id: str | None = None
) -> None:
    """Copy what is in a directory into the artifacts of the active run."""
    files_of(run_id).add_content(local_dir, artifact_path or "")


def log_text(text: str, artifact_file: PathLike, run_id: str | None = None) -> None:
    """Write text (UTF-8) as a file of the active run."""
    data = text_bytes(text, path_text(artifact_file))  # what is no text opens no run
    files_of(run_id).write(artifact_file, io.BytesIO(data))


def log_dict(dictionary: Any, artifact_file: PathLike, run_id: str | None = None) -> None:
    """Write a dict or list as a JSON file, or as YAML if the name ends in ``.yaml`` or ``.yml``."""
    log_text(dict_text(dictionary, artifact_file), artifact_file, run_id)


def log_figure(
    figure: Any, artifact_file: PathLike, *, save_kwargs: dict[str, Any] | None = None
) -> None:
    """Write a matplotlib figure in the format of the name's ending, or a plotly figure.

    Plotly's are written as ``.html`` or ``.json``, and as pictures where its package ``kaleido`` is
    installed. ``save_kwargs`` are settings of the library: of ``savefig``, ``write_html``, ``to_json`` or
    ``to_image``.
    """
    data = figure_bytes(figure, artifact_file, save_kwargs)
    files_of(None).write(artifact_file, io.BytesIO(data))
