"""From the URI of a model to a folder on this machine, and what is known of where it came from."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from mltrack_jupyter.entities import ModelVersion, Run
from mltrack_jupyter.errors import InvalidParameter, NotFound
from mltrack_jupyter.models import Origin
from mltrack_jupyter.models.mlmodel import FILE_NAME
from mltrack_jupyter.registry.lookup import find_version
from mltrack_jupyter.registry.records import records_of
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
from mltrack_jupyter.store.artifacts import LocalFiles, RootServed, scheme_of


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


@dataclass(frozen=True)
class Found:
    """Where the files of a model are, before they are downloaded."""

    uri: str
    tree: Repository
    path: str
    run_id: str = ""
    artifact_path: str = ""
    version: ModelVersion | None = None


def find_model(uri: str | Path, services: Services) -> Found:
    """Return where the files of a model are. Raises ``NotFound`` or ``InvalidParameter``."""
    return _find(parse_model_uri(uri), services)


def download_model(
    uri: str | Path, services: Services, destination: str | Path | None = None
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
    parsed = parse_model_uri(uri)
    if isinstance(parsed, LocalFolder):
        path = parsed.path.expanduser().absolute()
        return LocalModel(path, str(path), Origin())
    found = _find(parsed, services)
    _check_model(found, services)
    if destination is not None:
        Path(destination).mkdir(parents=True, exist_ok=True)
    # mkdtemp: no other user may look in, or put a file there between download and load.
    target = Path(tempfile.mkdtemp(prefix="mltrack-model-", dir=destination))
    download_tree(found.tree, found.path, target)
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


def _of_logged(uri: Logged, services: Services) -> Found:
    model = services.logged_models.get(uri.model_id).info
    if model.source_run_id:
        path = _below_run(model.artifact_uri, services.runs.get(model.source_run_id))
        if path:
            return replace(_of_run(RunModel(model.source_run_id, path), services), uri=str(uri))
    return replace(_at(model.artifact_uri, services), uri=str(uri), run_id=model.source_run_id)


def _of_version(version: ModelVersion, services: Services) -> Found:
    location = services.model_versions.get_download_uri(version.name, version.version)
    if version.run_id:
        run = services.runs.get(version.run_id)
        path = _below_run(location, run)
        if path:
            found = _of_run(RunModel(version.run_id, path), services)
            return replace(found, uri=f"models:/{version.name}/{version.version}", version=version)
    found = _at(location, services)
    return replace(found, uri=f"models:/{version.name}/{version.version}", version=version)


def _below_run(location: str, run: Run) -> str:
    """Return the path of a location below the artifact root of a run; ``""`` if it is elsewhere."""
    own = f"runs:/{run.info.run_id}/"
    root = run.info.artifact_uri.rstrip("/") + "/"
    for prefix in (own, root):
        if location.startswith(prefix):
            return location.removeprefix(prefix).strip("/")
    return ""


def _at(location: str, services: Services) -> Found:
    """Return the folder at a location that a store answered."""
    scheme = scheme_of(location)
    if scheme == "models":
        raise InvalidParameter(
            f"The store answers {location!r} where the place of files is expected."
        )
    if scheme in ("runs", "mlflow-artifacts"):
        return _find(parse_model_uri(location), services)
    return Found(location, services.files_at(location, ""), "")


def check_exists(found: Found, services: Services) -> None:
    """Refuse a path of a run at which there is nothing, neither a folder nor a file."""
    parent, _, name = found.path.rpartition("/")
    if not found.tree.list(found.path) and name not in [
        item.path for item in found.tree.list(parent)
    ]:
        _check_model(found, services)


def _check_model(found: Found, services: Services) -> None:
    """Refuse what is no model before it is downloaded; say what is there instead."""
    names = [item.path for item in found.tree.list(found.path)]
    if FILE_NAME in names:
        return
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
    if found.run_id and found.artifact_path:
        sources[f"runs:/{found.run_id}/{found.artifact_path}"] = None
        for record in records_of(services.runs.get(found.run_id).data.tags):
            if record.artifact_path == found.artifact_path:
                # A file of the user's own. Whoever may write to a server or a shared database may write
                # a tag there too: what it says shows a damaged file, but is no reason to trust one.
                own = services.uri.startswith("sqlite:") and not record.foreign
                return Origin(tuple(sources), record.digests, own)
    return Origin(tuple(sources))
