"""Logging models to runs, registering them, and loading them by URI."""

from __future__ import annotations

import tempfile
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path
from typing import Any, BinaryIO

from mltrack_jupyter.entities import LoggedModel, MadeModel, ModelVersion, RunInfo, RunStatus, Tag
from mltrack_jupyter.errors import AlreadyExists, EndpointNotFound, InvalidParameter, NotFound
from mltrack_jupyter.models import (
    ModelFolder,
    ModelInfo,
    ModelMetadata,
    ModelSignature,
    Provenance,
    read_metadata,
    save_model,
)
from mltrack_jupyter.models import (
    load_model as load_folder,
)
from mltrack_jupyter.models.audit import digest
from mltrack_jupyter.models.mlmodel import FILE_NAME, GENERIC
from mltrack_jupyter.models.pyfunc import load_model as load_generic
from mltrack_jupyter.registry.logged import ModelNote, add_folder, log_folder, no_run, sealed
from mltrack_jupyter.registry.lookup import find_version
from mltrack_jupyter.registry.resolve import (
    LocalModel,
    check_exists,
    download_model,
    find_model,
    named,
)
from mltrack_jupyter.registry.upload import write_files
from mltrack_jupyter.registry.uris import (
    LocalFolder,
    Logged,
    ModelUri,
    Registered,
    RunModel,
    StoreFolder,
)
from mltrack_jupyter.services import Services
from mltrack_jupyter.store import rules
from mltrack_jupyter.store.artifacts import check_path

IMPORTS = "Imported models"
"""The experiment whose runs hold the models that were registered from a folder."""


@dataclass(frozen=True)
class ModelForm:
    """In what form a model is saved, see :func:`mltrack_jupyter.models.save_model`."""

    signature: ModelSignature | None = None
    input_example: Any = None
    serialization_format: str = ""
    requirements: Sequence[str] | None = None
    predict_fn: str = "predict"


def log_model(
    services: Services,
    run_id: str,
    model: Any,
    artifact_path: str = "model",
    *,
    registered_model_name: str | None = None,
    form: ModelForm | None = None,
    note: ModelNote | None = None,
    run: RunInfo | None = None,
    experiment_id: str = "",
) -> ModelInfo:
    """Save a model as a logged model of a run, and register it if a name is given.

    It has an id and files of its own, for ever; at its path of the run the newest model is found. Without a
    run (``run_id`` is empty) it is of an experiment alone, and ``artifact_path`` is its name.
    Who knows ``run`` already saves the store the question, and several transactions.

    Raises
    ------
    NotFound
        No such run.
    InvalidParameter
        There is no flavor for the model, or it cannot be serialized; nothing was logged.
    """
    check_path(artifact_path)
    if registered_model_name is not None:
        rules.check_model_name(registered_model_name)
    add = services.add_model if run is not None and run.artifact_uri else None
    known = None
    if add is None:
        known = services.runs.get(run_id) if run_id else no_run(experiment_id)
    note = note or ModelNote()
    noted: LoggedModel | None
    with _saved(model, run_id, artifact_path, note, form or ModelForm()) as (folder, about):
        if known is not None:
            about, noted = log_folder(services, known, folder, about, note)
        else:
            assert add is not None
            assert run is not None
            about, noted = add_folder(add, run, folder, about, note)
    version = None
    if registered_model_name is not None:
        if run_id:
            uri = RunModel(run_id, artifact_path)
            version = _version_of_run(services, uri, registered_model_name, model_id=about.model_id)
        else:
            version = _version_of(services, Logged(about.model_id), registered_model_name, "")
    info = about.get_model_info()
    return replace(info, artifact_path=artifact_path, registered_version=version, logged=noted)


def keep_model(
    write: Callable[[str, BinaryIO], object],
    run_id: str,
    model: Any,
    artifact_path: str,
    *,
    form: ModelForm,
    note: ModelNote,
) -> tuple[ModelInfo, MadeModel]:
    """Save a model and hand its files to ``write``: for a run whose store is away.

    Return also what the store is told of it once it is there: the model has its id already.
    """
    check_path(artifact_path)
    with _saved(model, run_id, artifact_path, note, form) as (folder, about):
        about = sealed(replace(about, model_id=f"m-{uuid.uuid4().hex}"), own=True)
        made = note.of(about)
        write_files(write, folder, made.place, {FILE_NAME: about.to_yaml()})
    return about.get_model_info(), made


@contextmanager
def _saved(
    model: Any, run_id: str, artifact_path: str, note: ModelNote, form: ModelForm
) -> Iterator[tuple[Path, ModelMetadata]]:
    """Save a model into a folder that is there for a while."""
    with tempfile.TemporaryDirectory(prefix="mltrack-model-") as private:
        folder = Path(private) / "model"
        about = save_model(
            model,
            folder,
            signature=form.signature,
            input_example=form.input_example,
            serialization_format=form.serialization_format,
            requirements=form.requirements,
            predict_fn=form.predict_fn,
            provenance=Provenance(run_id, artifact_path, metadata=dict(note.metadata)),
        )
        yield folder, about


def register_model(
    services: Services,
    model_uri: str | PathLike[str] | LocalModel,
    name: str,
    *,
    alias: str = "",
    stage: str = "",
    tags: Mapping[str, str] | None = None,
    description: str = "",
) -> ModelVersion:
    """Make the next version of a registered model, which is created if needed.

    Parameters
    ----------
    model_uri
        ``runs:/…`` a model of a run; ``models:/…`` a copy of another version, or a logged model; a
        folder of this machine, which is copied into a run of its own first. The copy has to be trusted
        as the folder had to be: that somebody registered a pickle does not make it harmless. A model that was
        downloaded from another store stays the user's own if it was that there.
    name
        Of the registered model.
    alias, stage
        What the new version gets.

    Raises
    ------
    NotFound
        There is no such model.
    InvalidParameter
        The URI, the alias, the stage or a tag is not right; nothing was registered.
    """
    rules.check_model_name(name)
    if alias:
        rules.check_alias(alias)
    if stage:
        stage = rules.parse_stage(stage)
    pairs = [Tag(key, value) for key, value in (tags or {}).items()]
    rules.check_pairs(pairs, "tag", rules.MAX_REGISTRY_TAG)
    if isinstance(model_uri, LocalModel):
        uri: ModelUri = _import_folder(services, model_uri.path, name, model_uri.is_own)
    else:
        uri = named(model_uri, services)
    if isinstance(uri, StoreFolder):
        uri = _kept_at(uri)
    if isinstance(uri, LocalFolder):
        uri = _import_folder(services, uri.path, name)
    if isinstance(uri, RunModel):
        if uri.path:
            check_exists(find_model(str(uri), services), services)
        found = _version_of_run(
            services, uri, name, alias=alias, stage=stage, description=description
        )
    else:
        found = _version_of(services, uri, name, description)
        _promote(services, found, alias, stage)
    for tag in pairs:
        services.model_versions.set_tag(name, found.version, tag.key, tag.value)
    return services.model_versions.get(name, found.version)


def get_model_info(services: Services, uri: str | PathLike[str]) -> ModelInfo:
    """Return what is known of the model at a URI, without loading it. Raises ``NotFound``."""
    with tempfile.TemporaryDirectory(prefix="mltrack-model-") as private:
        about = read_metadata(ModelFolder.open(download_model(uri, services, private).path))
    return replace(about.get_model_info(), model_uri=str(uri))


def load_model(
    services: Services,
    uri: str | PathLike[str],
    *,
    trust: bool | Iterable[str] | None = None,
    flavor: str | None = None,
) -> Any:
    """Return the model at a URI: the native object, which can be fitted further.

    Parameters
    ----------
    trust
        See :func:`mltrack_jupyter.models.load_model`; by default a pickle is loaded only if it is, byte by byte,
        what was logged to the user's own store.
    flavor
        ``"pyfunc"`` for an object with ``predict``; else which flavor to load with.
    """
    with tempfile.TemporaryDirectory(prefix="mltrack-model-") as private:
        local = download_model(uri, services, private)
        if flavor in ("pyfunc", GENERIC):
            return load_generic(local.path, trust=trust, origin=local.origin)
        return load_folder(local.path, trust=trust, origin=local.origin, flavor=flavor or "")


def _version_of_run(
    services: Services,
    uri: RunModel,
    name: str,
    *,
    alias: str = "",
    stage: str = "",
    description: str = "",
    model_id: str = "",
) -> ModelVersion:
    """Make a version of a run's model, the newest at a path or one by its id; in one step where that goes."""
    try:
        return services.registered_models.register(
            name, uri.run_id, uri.path, alias, stage, description, model_id
        )
    except EndpointNotFound:
        # A server of MLflow: the same in its own operations, with the source that its clients name.
        if not model_id:
            found = find_model(str(uri), services)
            model_id = found.model_id
        source = f"models:/{model_id}"
        if not model_id:
            source = f"{services.runs.get(uri.run_id).info.artifact_uri}/{found.path}"
        _ensure(services, name)
        version = services.model_versions.create(
            name, source, run_id=uri.run_id, description=description, model_id=model_id
        )
        _promote(services, version, alias, stage)
        return version


def _version_of(
    services: Services, uri: Registered | Logged, name: str, description: str
) -> ModelVersion:
    """Make a version of one that is in the store already, without copying files."""
    if isinstance(uri, Logged):
        info = services.logged_models.get(uri.model_id).info
        source, run_id, model_id = str(uri), info.source_run_id, info.model_id
    else:
        original = find_version(uri, services)
        # Not percent-encoded: servers of MLflow take the name as it stands there.
        source = f"models:/{original.name}/{original.version}"
        run_id, model_id = original.run_id, original.model_id
    _ensure(services, name)
    return services.model_versions.create(
        name, source, run_id=run_id, description=description, model_id=model_id
    )


def _kept_at(place: StoreFolder) -> RunModel | Logged:
    """Return the model whose files are at a place of the store, by its run or its id. Raises ``InvalidParameter``."""
    above, _, path = f"{place.path}/".partition("/artifacts/")
    owner, path = above.rpartition("/")[2], path.rstrip("/")
    if rules.MODEL_ID.match(owner) and not path:
        return Logged(owner)
    if not path:
        raise InvalidParameter(
            f"A model is registered by its run (runs:/<run_id>/<path>), not by {place}."
        )
    return RunModel(rules.check_run_id(owner), path)


def _ensure(services: Services, name: str) -> None:
    try:
        services.registered_models.create(name)
    except AlreadyExists:
        return


def _promote(services: Services, version: ModelVersion, alias: str, stage: str) -> None:
    if alias:
        services.registered_models.set_alias(version.name, alias, version.version)
    if stage:
        services.model_versions.transition_stage(version.name, version.version, stage)


def _import_folder(services: Services, path: Path, name: str, own: bool = False) -> RunModel:
    """Copy a folder of this machine into a run that is made for it."""
    folder = ModelFolder.open(path)
    about = read_metadata(folder)
    files = [item.relative_to(folder.root).as_posix() for item in folder.root.rglob("*")]
    digests = {
        item: digest(folder.read(item))
        for item in files
        if item != FILE_NAME and (folder.root / item).is_file()
    }
    tags = [Tag("mlflow.source.type", "LOCAL"), Tag("mlflow.source.name", folder.root.name)]
    run = services.runs.create(
        experiment_id=_import_experiment(services), run_name=f"import {name}", tags=tags
    )
    status = RunStatus.FAILED
    try:
        placed = replace(about, run_id=run.info.run_id, artifact_path="model")
        log_folder(
            services, run, folder.root, placed, ModelNote(), foreign=None if own else digests
        )
        status = RunStatus.FINISHED
    finally:
        services.runs.update(run.info.run_id, status=status, end_time=int(time.time() * 1000))
    return RunModel(run.info.run_id, "model")


def _import_experiment(services: Services) -> str:
    """Return the experiment of runs that stand for models made elsewhere."""
    try:
        return services.experiments.get_by_name(IMPORTS).experiment_id
    except NotFound:
        return services.experiments.create(IMPORTS)
