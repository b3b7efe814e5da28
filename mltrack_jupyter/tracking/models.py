"""Models in MLflow's verbs: log one to the active run, register it, load it by URI."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from os import PathLike
from typing import TYPE_CHECKING, Any, BinaryIO, TypeVar

from mltrack_jupyter import registry
from mltrack_jupyter.entities import RunEntry
from mltrack_jupyter.errors import MltrackError
from mltrack_jupyter.models import ModelFolder
from mltrack_jupyter.store.journal import goes_on
from mltrack_jupyter.tracking import hints, registry_store, scope, session
from mltrack_jupyter.tracking.checks import check_place, check_registering, run_of_uri
from mltrack_jupyter.tracking.logging import own, target_of
from mltrack_jupyter.tracking.registry_store import services_of

if TYPE_CHECKING:
    from mltrack_jupyter.entities import ModelVersion
    from mltrack_jupyter.models import ModelSignature
    from mltrack_jupyter.registry import ModelInfo
    from mltrack_jupyter.services import Services
    from mltrack_jupyter.tracking.scope import ActiveRun

T = TypeVar("T")


def log_model(
    model: Any,
    artifact_path: str | PathLike[str] | None = None,
    *,
    name: str | PathLike[str] | None = None,
    registered_model_name: str | None = None,
    signature: ModelSignature | None = None,
    input_example: Any = None,
    serialization_format: str | None = None,
    run_id: str | None = None,
    params: Mapping[str, Any] | None = None,
    tags: Mapping[str, Any] | None = None,
    model_type: str | None = None,
    step: int = 0,
    metadata: Mapping[str, Any] | None = None,
    pip_requirements: Sequence[str] | None = None,
    predict_fn: str = "predict",
    metrics: Collection[str] | None = None,
) -> ModelInfo:
    """Save a fitted model as one of the active run, and register it if a name is given.

    Without a run the model is of the active experiment alone, as in MLflow.

    Parameters
    ----------
    artifact_path, name
        Where in the run, ``"model"`` if absent; MLflow 2 calls it by the first name, MLflow 3 by the other.
    registered_model_name
        The registered model that gets a new version.
    input_example
        Data that the model takes; the signature is read off it where ``signature`` is absent.
    serialization_format
        ``"cloudpickle"``, ``"pickle"`` or ``"skops"``.
    params, tags, model_type, step
        What is noted of the logged model, and the step of the run at which it was made.
    metadata
        What else ``MLmodel`` is to say, as JSON can.
    pip_requirements
        What pip has to install for the model; read off it where absent.
    predict_fn
        The method that predicts when the model is loaded as one of no particular library.
    metrics
        Which metrics of the run are the model's as well; all that it has by now, where absent.

    Returns
    -------
    ModelInfo
        With ``model_uri``, which :func:`load_model` takes, and ``model_id``. While the store is away the
        model is kept with the run, and handed over with it; it is not registered.
    """
    place = check_place(name or artifact_path or "model")
    run = scope.active_run() if run_id is None else own(run_id)
    form = registry.ModelForm(
        signature, input_example, serialization_format or "", pip_requirements, predict_fn
    )
    note = registry.ModelNote(
        params or {}, tags or {}, model_type or "", step, metadata or {}, metrics
    )
    try:
        info = _log(run, run_id, model, place, registered_model_name, form, note)
    except MltrackError as error:
        run = _kept_with(run, run_id, error)
        info = _keep(run, model, place, form, note)
        _warn(error, info.model_uri, registered_model_name or "")
        return info
    if run is not None and info.model_id:
        run.models.setdefault(step, []).append(info.model_id)
        run.notes_model = True
    return info


def _log(
    run: ActiveRun | None,
    run_id: str | None,
    model: Any,
    place: str,
    name: str | None,
    form: registry.ModelForm,
    note: registry.ModelNote,
) -> ModelInfo:
    """Save a model into a run, and register it where models are registered."""
    services, target, experiment = _target(run, run_id)
    # What an open run knows of itself saves the store the question.
    known = run.info if run is not None and services.add_model else None
    is_apart = name is not None and registry_store.is_apart()
    info = registry.log_model(
        services, target, model, place, registered_model_name=None if is_apart else name, form=form,
        note=note, run=known, experiment_id=experiment,
    )  # fmt: skip
    session.default.last_model = "" if target else info.model_id
    if name is None or not is_apart:
        return info
    return replace(info, registered_version=registry_store.register(info.model_uri, name))


def _target(run: ActiveRun | None, run_id: str | None) -> tuple[Services, str, str]:
    """Return the services, the run to log a model to, and without one the experiment."""
    if run is None and run_id is None:
        return session.services(), "", session.current_experiment().experiment_id
    return *target_of(run, run_id), ""


def _kept_with(run: ActiveRun | None, run_id: str | None, error: MltrackError) -> ActiveRun:
    """Return the run with which a model is kept until the store is there again; else raise the error."""
    if run is None and run_id is None and session.goes_on(session.get_tracking_uri(), error):
        run = own(None)
    if run is None or not goes_on(run.keeper, error):
        raise error
    return run


def _keep(
    run: ActiveRun,
    model: Any,
    place: str,
    form: registry.ModelForm,
    note: registry.ModelNote,
) -> ModelInfo:
    """Keep a model beside the journal of its run, which is handed over when the store is there again."""
    journal = run.keeper.journal

    def write(path: str, body: BinaryIO) -> None:
        journal.spool(run.run_id, path, body)

    info, made = registry.keep_model(write, run.run_id, model, place, form=form, note=note)
    journal.entry(RunEntry(run_id=run.run_id, made=[made]))
    run.keeper.wrote()
    return info


def _warn(error: MltrackError, uri: str, name: str) -> None:
    later = f" Register it then: register_model({uri!r}, {name!r})." if name else ""
    warnings.warn(
        f"The store is away ({error}). The model is kept with its run, and handed over when the store is "
        f"there again.{later}",
        stacklevel=3,
    )


def register_model(
    model_uri: str | PathLike[str],
    name: str,
    await_registration_for: int = 300,
    *,
    tags: Mapping[str, Any] | None = None,
    alias: str | None = None,
    stage: str | None = None,
    description: str | None = None,
) -> ModelVersion:
    """Make the model at a URI the next version of a registered model, which is created if needed.

    ``runs:/<run_id>/model`` names the model of a run, ``models:/<name>/<version>`` that of another
    version. It is ready at once: there is nothing to await. Raises ``NotFound`` or ``InvalidParameter``.
    """
    check_registering(model_uri, name, await_registration_for)
    with hints.about_run(session.services(), run_of_uri(model_uri)):
        made = registry_store.register(
            model_uri,
            name,
            alias=alias or "",
            stage=stage or "",
            tags={key: str(value) for key, value in (tags or {}).items()},
            description=description or "",
        )
    return made.for_reading()


def get_model_info(model_uri: str | PathLike[str]) -> ModelInfo:
    """Return what is known of the model at a URI, such as its signature, without loading it."""
    return registry.get_model_info(services_of(model_uri), model_uri)


def read_model(model_uri: str | PathLike[str], read: Callable[[ModelFolder], T]) -> T:
    """Return what ``read`` finds in the folder of the model at a URI."""
    with tempfile.TemporaryDirectory(prefix="mltrack-model-") as private:
        found = registry.download_model(model_uri, services_of(model_uri), private)
        return read(ModelFolder.open(found.path))


def set_signature(model_uri: str | PathLike[str], signature: ModelSignature) -> None:
    """Write a signature into the model of a folder, of a run or with an id, which has no version yet.

    Raises ``InvalidParameter`` for ``models:/<name>/<version>``: a version stays as it is.
    """
    registry.set_signature(services_of(model_uri), model_uri, signature)


def load_model(
    model_uri: str | PathLike[str],
    *,
    trust: bool | Iterable[str] | None = None,
    flavor: str | None = None,
) -> Any:
    """Return the model at a URI: the native object, such as an estimator that can be fitted further.

    Parameters
    ----------
    model_uri
        ``models:/churn/3``, ``models:/churn@champion``, ``models:/churn/Production``,
        ``models:/churn/latest``, ``runs:/<run_id>/model``, or a folder.
    trust
        Whether a pickle is loaded that was not logged to the user's own store.
    flavor
        ``"pyfunc"`` for an object with ``predict``.
    """
    with hints.about_run(session.services(), run_of_uri(model_uri)):
        return registry.load_model(services_of(model_uri), model_uri, trust=trust, flavor=flavor)
