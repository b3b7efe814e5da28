"""Logged models in MLflow's verbs: made without files, found, given params and tags."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from mltrack_jupyter.entities import (
    LoggedModel,
    LoggedModelStatus,
    ModelDataset,
    ModelOrder,
    Page,
    Param,
    Tag,
)
from mltrack_jupyter.errors import InvalidParameter
from mltrack_jupyter.services import Services
from mltrack_jupyter.store import rules
from mltrack_jupyter.store.names import quoted
from mltrack_jupyter.tracking import active_model, scope, session
from mltrack_jupyter.tracking.reading import experiments_to_search

if TYPE_CHECKING:
    import pandas as pd

_PAGE = 50


def initialize_logged_model(
    name: str | None = None,
    source_run_id: str | None = None,
    tags: Mapping[str, Any] | None = None,
    params: Mapping[str, Any] | None = None,
    model_type: str | None = None,
    experiment_id: str | int | None = None,
) -> LoggedModel:
    """Create a logged model that is pending until :func:`finalize_logged_model` says how it ended.

    It is of the active run, and of its experiment, where nothing else is said.
    """
    run = scope.active_run() if source_run_id is None else None
    services = run.services if run is not None else session.services()
    if run is not None:
        source_run_id = run.info.run_id
        experiment_id = run.info.experiment_id if experiment_id is None else experiment_id
    return create(
        services,
        session.current_experiment().experiment_id if experiment_id is None else experiment_id,
        name,
        source_run_id,
        tags,
        params,
        model_type,
    )


def create_external_model(
    name: str | None = None,
    source_run_id: str | None = None,
    tags: Mapping[str, Any] | None = None,
    params: Mapping[str, Any] | None = None,
    model_type: str | None = None,
    experiment_id: str | int | None = None,
) -> LoggedModel:
    """Create a logged model whose files are elsewhere, ready at once."""
    made = initialize_logged_model(name, source_run_id, tags, params, model_type, experiment_id)
    return finalize_logged_model(made.info.model_id, "READY")


def create(
    services: Services,
    experiment_id: str | int,
    name: str | None,
    source_run_id: str | None,
    tags: Mapping[str, Any] | None,
    params: Mapping[str, Any] | None,
    model_type: str | None,
) -> LoggedModel:
    """Create a pending logged model."""
    return services.logged_models.create(
        rules.id_text(experiment_id, "experiment_id"),
        name=name or "",
        model_type=model_type or "",
        source_run_id=source_run_id or "",
        params=[Param(key, str(value)) for key, value in (params or {}).items()],
        tags=_pairs(tags or {}),
    )


def _pairs(tags: Mapping[str, Any]) -> list[Tag]:
    return [Tag(key, str(value)) for key, value in tags.items()]


def to_status(status: str | LoggedModelStatus) -> LoggedModelStatus:
    """Return the status that MLflow's ``"READY"`` or ``"FAILED"`` stands for."""
    if isinstance(status, LoggedModelStatus):
        return status
    known = LoggedModelStatus.__members__.get(status)
    if known is None:
        raise InvalidParameter(f"status={status!r} must be 'READY' or 'FAILED'.")
    return known


def finalize_logged_model(model_id: str, status: str | LoggedModelStatus) -> LoggedModel:
    """Say that a logged model is ``"READY"``, or that it ``"FAILED"``. Raises ``NotFound``."""
    return session.services().logged_models.finalize(model_id, to_status(status))


def get_logged_model(model_id: str) -> LoggedModel:
    """Return a logged model. Raises ``NotFound``."""
    return session.services().logged_models.get(model_id)


def last_logged_model() -> LoggedModel | None:
    """Return the newest logged model of the run that was started last, or ``None``.

    One that this process logged since then without a run is newer.
    """
    if session.default.last_model:
        return get_logged_model(session.default.last_model)
    run_id = scope.last_run_id()
    if run_id is None:
        return None
    run = session.services().runs.get(run_id)
    found = search(
        session.services(),
        [run.info.experiment_id],
        f"source_run_id = {quoted(run_id)}",
        max_results=1,
    )
    return found.items[0] if found.items else None


def log_model_params(params: Mapping[str, Any], model_id: str | None = None) -> None:
    """Add params to a logged model, the active one if none is named; each is written once."""
    target = model_id or active_model.get_active_model_id()
    if not target:
        raise InvalidParameter(
            "There is no active logged model; give model_id, or set_active_model()."
        )
    pairs = [Param(key, str(value)) for key, value in params.items()]
    session.services().logged_models.log_params(target, pairs)


def set_logged_model_tags(model_id: str, tags: Mapping[str, Any]) -> None:
    """Set tags of a logged model. Raises ``NotFound``."""
    session.services().logged_models.set_tags(model_id, _pairs(tags))


def delete_logged_model_tag(model_id: str, key: str) -> None:
    """Remove a tag of a logged model. Raises ``NotFound`` if there is none of that key."""
    session.services().logged_models.delete_tag(model_id, key)


def set_active_model(
    *, name: str | None = None, model_id: str | None = None
) -> active_model.ActiveModel:
    """Note the metrics that follow to a logged model as well.

    Parameters
    ----------
    name
        The newest logged model of that name in the active experiment, which is created if there is none.
    model_id
        This one, instead of a name.
    """
    if (name is None) == (model_id is None):
        raise InvalidParameter("Give either name or model_id.")
    if model_id is not None:
        return active_model.ActiveModel(get_logged_model(model_id))
    number = session.current_experiment().experiment_id
    found = search(session.services(), [number], f"name = {quoted(str(name))}", max_results=1)
    model = found.items[0] if found.items else create_external_model(name, experiment_id=number)
    return active_model.ActiveModel(model)


def search(
    services: Services,
    experiment_ids: Sequence[str | int],
    filter_string: str | None = None,
    datasets: Sequence[Mapping[str, str]] | None = None,
    max_results: int | None = None,
    order_by: Sequence[Mapping[str, Any]] | None = None,
    page_token: str | None = None,
) -> Page[LoggedModel]:
    """Return a page of logged models; datasets and orders are dicts in MLflow's words."""
    try:
        return services.logged_models.search(
            rules.id_texts(experiment_ids, "experiment_ids"),
            filter_string or "",
            max_results,
            page_token or "",
            [ModelOrder(**item) for item in order_by or []] or None,
            [ModelDataset(**item) for item in datasets or []] or None,
        )
    except TypeError as error:
        raise InvalidParameter(
            "order_by takes dicts with field_name, ascending, dataset_name and dataset_digest; datasets "
            f"takes dicts with dataset_name and dataset_digest: {error}."
        ) from error


def search_logged_models(
    experiment_ids: Sequence[str | int] | None = None,
    filter_string: str | None = None,
    datasets: list[dict[str, str]] | None = None,
    max_results: int | None = None,
    order_by: list[dict[str, Any]] | None = None,
    output_format: Literal["pandas", "list"] = "pandas",
) -> pd.DataFrame | list[LoggedModel]:
    """Return the logged models that match a filter, newest first, as a DataFrame or a list.

    Parameters
    ----------
    datasets
        Restrict clauses on metrics to these: ``[{"dataset_name": …, "dataset_digest": …}]``.
    order_by
        ``[{"field_name": "metrics.accuracy", "ascending": False}]``.
    """
    if output_format not in ("pandas", "list"):
        raise InvalidParameter(f"output_format must be 'pandas' or 'list', not {output_format!r}.")
    numbers = experiment_ids or experiments_to_search()
    found: list[LoggedModel] = []
    token = ""
    while True:
        size = min(_PAGE, (max_results or 10**9) - len(found))
        page = search(session.services(), numbers, filter_string, datasets, size, order_by, token)
        found += page.items
        token = page.next_page_token
        if not token or (max_results and len(found) >= max_results):
            return found if output_format == "list" else _frame(found)


def _frame(models: Sequence[LoggedModel]) -> pd.DataFrame:
    import pandas as pd

    fields = ("experiment_id", "model_id", "name", "artifact_location", "creation_timestamp",
              "last_updated_timestamp", "status", "model_type", "source_run_id", "tags", "params",
              "metrics")  # fmt: skip
    rows = [{name: getattr(model, name) for name in fields} for model in models]
    return pd.DataFrame(rows, columns=list(fields))
