"""From the URI of a model to a folder on this machine, and what is known of where it came from."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path

from mltrack_jupyter.entities import (
    FileInfo,
    LoggedModel,
    LoggedModelInfo,
    LoggedModelStatus,
    ModelVersion,
    Run,
)
from mltrack_jupyter.errors import EndpointNotFound, InvalidParameter, NotFound, NotImplementedHere
from mltrack_jupyter.models import ModelFolder, Origin, read_metadata
from mltrack_jupyter.models.audit import digest
from mltrack_jupyter.models.mlmodel import FILE_NAME
from mltrack_jupyter.plain import path_text
from mltrack_jupyter.privacy.seals import Subject, vouches
from mltrack_jupyter.registry.lookup import find_version
from mltrack_jupyter.registry.records import find_record, records_of
from mltrack_jupyter.registry.trees import download_tree
from mltrack_jupyter.registry.uris import (
    AliasOf,
    Latest,
    LocalFolder,
    Logged,
    ModelUri,
    RunModel,
    Stage,
    StoreFolder,
    Version,
    parse_model_uri,
)
from mltrack_jupyter.services import Repository, Services
from mltrack_jupyter.store import rules
from mltrack_jupyter.store.artifacts import LocalFiles, RootServed, files_of_model, scheme_of
from mltrack_jupyter.store.names import quoted


@dataclass(frozen=True)
class LocalModel:
    """A model's folder on this machine.

    ``origin`` is what :func:`mltrack_jupyter.models.load_model` needs in order to decide about trust.
    """

    path: Path
    uri: str
    origin: Origin
    run_id: str = ""
    artifact_path: str = ""
    version: ModelVersion | None = None

    @property
    def is_own(self) -> bool:
        """Whether every file bears a seal of this user for the model that it is of."""
        folder = ModelFolder.open(self.path)
        about, subject = read_metadata(folder), self.origin.subject
        names = about.ours.get("sha256")
        if subject is None or not isinstance(names, Mapping) or not names:
            return False
        subject = replace(subject, artifact_path=subject.artifact_path or about.artifact_path)
        return all(
            names[name] == (found := digest(folder.read(name)))
            and vouches(subject, name, found, about.seals.get(name, ""))
            for name in names
        )


@dataclass(frozen=True)
class Found:
    """Where the files of a model are, before they are downloaded."""

    uri: str
    tree: Repository
    path: str
    run_id: str = ""
    artifact_path: str = ""
    version: ModelVersion | None = None
    model_id: str = ""
    is_elsewhere: bool = False
    """Whether the files are not at the place of the run or model that the store says they are of."""


def find_model(uri: str | PathLike[str], services: Services) -> Found:
    """Return where the files of a model are. Raises ``NotFound`` or ``InvalidParameter``."""
    return _find(named(uri, services), services)


def named(uri: str | PathLike[str], services: Services) -> ModelUri:
    """Return what a URI or a path names, one of the store's own places however it is spelled."""
    if not isinstance(uri, str | PathLike):
        return parse_model_uri(uri)  # which says what is right
    text = path_text(uri)
    kept = services.kept(text)
    return parse_model_uri(uri if kept == text else kept)


def download_model(
    uri: str | PathLike[str], services: Services, destination: str | PathLike[str] | None = None
) -> LocalModel:
    """Bring a model's folder onto this machine.

    Parameters
    ----------
    uri
        In one of the forms of :mod:`mltrack_jupyter.registry.uris`.
    destination
        The folder in which a new private one is made; the system's temporary folder if absent. The
        caller deletes it. A model that is a folder of this machine is not copied.
    """
    parsed = named(uri, services)
    if isinstance(parsed, LocalFolder):
        path = parsed.path.expanduser().absolute()
        return LocalModel(path, str(path), Origin())
    found = _find(parsed, services)
    files = _check_model(found, services)
    if destination is not None:
        Path(destination).mkdir(parents=True, exist_ok=True)
    # mkdtemp: no other user may look in, or put a file there between download and load.
    target = Path(tempfile.mkdtemp(prefix="mltrack-model-", dir=destination))
    download_tree(found.tree, found.path, target, files)
    origin = _origin(str(parsed), found, services)
    return LocalModel(target, str(parsed), origin, found.run_id, found.artifact_path, found.version)


def _find(uri: ModelUri, services: Services) -> Found:
    match uri:
        case RunModel():
            return _of_run(uri, services)
        case Version() | Stage() | AliasOf() | Latest():
            return _of_version(find_version(uri, services), services)
        case Logged():
            return _of_logged(uri, services)
        case StoreFolder():
            return Found(str(uri), RootServed(services.artifact_files), uri.path)
        case LocalFolder():
            path = uri.path.expanduser().absolute()
            return Found(str(path), LocalFiles(path), "")


def _of_run(uri: RunModel, services: Services) -> Found:
    run = services.runs.get(uri.run_id)
    model = _newest(run, uri.path, services)
    if model is not None:
        path = model.info.artifact_path or uri.path
        found = _of_model(model.info, services, path)
        return replace(found, uri=f"runs:/{uri.run_id}/{path}") if path else found
    path = uri.path
    if not path:
        known = records_of(run.data.tags)
        if not known:
            raise NotFound(
                f"The run {uri.run_id} has no model; name the folder: runs:/{uri.run_id}/<path>."
            )
        path = known[0].artifact_path
    tree = services.files_at(run.info.artifact_uri, uri.run_id)
    return Found(f"runs:/{uri.run_id}/{path}", tree, path, uri.run_id, path)


def _newest(run: Run, path: str, services: Services) -> LoggedModel | None:
    """Return the newest logged model at a path of a run, or of the whole run; ``None`` if there is none.

    A server of MLflow knows names instead of paths; one of MLflow 2 no logged models.
    """
    wanted = f"source_run_id = {quoted(run.info.run_id)}"
    if path:
        wanted += f" AND name = {quoted(rules.logged_name(path))}"
    token = ""
    while True:
        try:
            page = services.logged_models.search([run.info.experiment_id], wanted, page_token=token)
        except (EndpointNotFound, NotImplementedHere):
            return None
        for model in page:
            if model.info.status is LoggedModelStatus.READY and _is_at(model.info, path):
                return model
        token = page.next_page_token
        if not token:
            return None


def _is_at(info: LoggedModelInfo, path: str) -> bool:
    if not path or info.artifact_path:
        return path in ("", info.artifact_path)
    return info.name == rules.logged_name(
        path
    )  # a server of MLflow, or a model that its client logged


def _of_logged(uri: Logged, services: Services) -> Found:
    return _of_model(services.logged_models.get(uri.model_id).info, services)


def _of_model(info: LoggedModelInfo, services: Services, path: str = "") -> Found:
    """Return where the files of a logged model are; ``path`` is the one of its run that was asked for."""
    found = replace(
        _at(info.artifact_uri, services, info.model_id),
        run_id=info.source_run_id,
        model_id=info.model_id,
    )
    path = path or info.artifact_path
    return replace(found, uri=f"models:/{info.model_id}", artifact_path=path)


def _of_version(version: ModelVersion, services: Services) -> Found:
    location = services.model_versions.get_download_uri(version.name, version.version)
    uri = f"models:/{version.name}/{version.version}"
    if version.run_id and not version.model_id:
        run = services.runs.get(version.run_id)
        path = _below_run(location, run)
        if path:
            # Not the newest at that path: the very files that the version was made of.
            tree = services.files_at(run.info.artifact_uri, version.run_id)
            return Found(uri, tree, path, version.run_id, path, version)
    found = _at(location, services, version.model_id)
    is_models, known = _path_of(version, location, services)
    return replace(
        found,
        uri=uri,
        version=version,
        run_id=version.run_id,
        model_id=version.model_id,
        artifact_path=known,
        is_elsewhere=bool(version.run_id or version.model_id) and not is_models,
    )


def _path_of(version: ModelVersion, location: str, services: Services) -> tuple[bool, str]:
    """Tell whether a location is that of the version's own model and run, and at which path of it that is found."""
    try:
        info = services.logged_models.get(version.model_id).info if version.model_id else None
    except NotFound:  # in the trash; its versions stay
        return False, ""
    if info is None or info.artifact_uri != location:
        return False, ""
    return info.source_run_id == version.run_id, info.artifact_path


def _below_run(location: str, run: Run) -> str:
    """Return the path of a location below the artifact root of a run; ``""`` if it is elsewhere."""
    own = f"runs:/{run.info.run_id}/"
    root = run.info.artifact_uri.rstrip("/") + "/"
    for prefix in (own, root):
        if location.startswith(prefix):
            return location.removeprefix(prefix).strip("/")
    return ""


def _at(location: str, services: Services, model_id: str = "") -> Found:
    """Return the folder at a location that a store answered, that of a logged model if it is one's."""
    scheme = scheme_of(location)
    if scheme == "models":
        raise InvalidParameter(
            f"The store answers {location!r} where the place of files is expected."
        )
    location = services.kept(location)
    if scheme_of(location) in ("runs", "mlflow-artifacts"):
        return _find(parse_model_uri(location), services)
    if model_id:
        return Found(location, files_of_model(services, location, model_id), "")
    return Found(location, services.files_at(location, ""), "")


def check_exists(found: Found, services: Services) -> None:
    """Refuse a path of a run at which there is nothing, neither a folder nor a file."""
    parent, _, name = found.path.rpartition("/")
    if not found.tree.list(found.path) and name not in [
        item.path for item in found.tree.list(parent)
    ]:
        _check_model(found, services)


def _check_model(found: Found, services: Services) -> Sequence[FileInfo]:
    """Return what is in the folder of a model; refuse what is none, and say what is there instead."""
    files = found.tree.list(found.path)
    names = [item.path for item in files]
    if FILE_NAME in names:
        return files
    if not found.run_id:
        raise NotFound(f"'{found.uri}' is not a model: it has no file '{FILE_NAME}'.")
    tags = services.runs.get(found.run_id).data.tags
    known = [record.artifact_path for record in records_of(tags)]
    if names:
        what = f"there is no '{FILE_NAME}' in '{found.path}'"
    else:
        what = f"the run {found.run_id} has no artifacts at '{found.path}'"
    models = f"its models are at {', '.join(known)}" if known else "it has no models"
    raise NotFound(f"'{found.uri}' is not a model: {what}; {models}.")


def _origin(asked: str, found: Found, services: Services) -> Origin:
    sources = dict.fromkeys([asked, found.uri, services.uri])
    if not (found.run_id or found.model_id):
        return Origin(tuple(sources))
    if not found.is_elsewhere:  # to trust a run is not to trust what only says that it is of it
        if found.run_id:
            sources[f"runs:/{found.run_id}/{found.artifact_path}".rstrip("/")] = None
        if found.model_id:
            sources[f"models:/{found.model_id}"] = None
    # Anybody may have written the record who may write to the store: it shows that a file was damaged, and is
    # no reason to trust one. That is the seal, which is made by a key that is in no store.
    subject = Subject(found.run_id, found.model_id, found.artifact_path)
    if not found.run_id:
        return Origin(tuple(sources), subject=subject)
    try:
        tags = services.runs.get(found.run_id).data.tags
    except NotFound:  # the model stays when its run is gone
        return Origin(tuple(sources), subject=subject)
    record = find_record(tags, found.model_id, found.artifact_path)
    if record is None:
        return Origin(tuple(sources), subject=subject)
    return Origin(tuple(sources), record.digests, subject, record.foreign)
