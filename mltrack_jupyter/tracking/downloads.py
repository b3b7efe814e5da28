"""Artifacts by URI: listed, copied into local folders, read as text, JSON or image."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mltrack_jupyter import registry
from mltrack_jupyter.entities import FileInfo
from mltrack_jupyter.errors import InvalidParameter, NotFound
from mltrack_jupyter.plain import path_text
from mltrack_jupyter.registry import named
from mltrack_jupyter.registry.trees import download_tree
from mltrack_jupyter.registry.uris import LocalFolder, RunModel, StoreFolder
from mltrack_jupyter.services import Services
from mltrack_jupyter.store.artifacts import LocalFiles, RootServed, open_given, reading, save
from mltrack_jupyter.tracking import session
from mltrack_jupyter.tracking.artifacts import PathLike, RunFiles
from mltrack_jupyter.tracking.registry_store import registry_services

if TYPE_CHECKING:
    import PIL.Image


def download_artifacts(
    artifact_uri: PathLike | None = None,
    run_id: str | None = None,
    artifact_path: PathLike | None = None,
    dst_path: PathLike | None = None,
    tracking_uri: PathLike | None = None,
    registry_uri: PathLike | None = None,
) -> str:
    """Copy artifacts, a file or a directory, into a local folder; return the path there.

    Parameters
    ----------
    artifact_uri
        ``runs:/<run_id>/<path>``, ``models:/…``, ``mlflow-artifacts:/<path>`` or a local path.
    run_id, artifact_path
        A run and a path in it, instead of a URI.
    dst_path
        The folder; a new temporary one if absent.

    Raises
    ------
    NotFound
        There is no such artifact.
    """
    services = session.services(tracking_uri)
    if (run_id is None) == (artifact_uri is None):
        raise InvalidParameter("Give either artifact_uri or run_id (with artifact_path).")
    if run_id is not None:
        return RunFiles.of(services, run_id).fetch(artifact_path or "", dst_path)
    if artifact_path is not None:
        raise InvalidParameter("artifact_path belongs to run_id; a URI has its path in it.")
    assert artifact_uri is not None
    if registry.is_registered(artifact_uri):
        chosen = registry_uri or tracking_uri
        services = session.services(chosen) if chosen else registry_services()
    return _by_uri(services, artifact_uri, dst_path)


def _by_uri(services: Services, uri: PathLike, target: PathLike | None) -> str:
    place = named(uri, services)
    if isinstance(place, LocalFolder):
        return _local(place.path, target)
    folder = _folder(target) if target is not None else Path(tempfile.mkdtemp(prefix="mltrack-"))
    folder.mkdir(parents=True, exist_ok=True)
    if isinstance(place, RunModel):
        return RunFiles.of(services, place.run_id).fetch(place.path, folder)
    if not isinstance(place, StoreFolder):
        return str(registry.download_model(uri, services, folder).path)
    local = folder / place.path.rpartition("/")[2]
    tree = RootServed(services.artifact_files, place.path)
    if tree.list(""):
        local.mkdir(exist_ok=True)
        download_tree(tree, "", local)
    else:
        save(services.artifact_files.download(place.path), local, place.path)
    return str(local)


def _folder(target: PathLike) -> Path:
    return Path(path_text(target)).absolute()


def _local(path: Path, target: PathLike | None) -> str:
    with reading(path):
        is_there = path.exists()
    if not is_there:
        raise NotFound(f"There is no file or folder '{path}'.")
    if target is None:
        return str(path.absolute())
    copy = _folder(target) / path.name
    try:
        if path.is_dir():
            shutil.copytree(path, copy, dirs_exist_ok=True, copy_function=_copy)
        else:
            copy.parent.mkdir(parents=True, exist_ok=True)
            _copy(path, copy)
    except shutil.Error as error:
        raise InvalidParameter(f"Some of '{path}' cannot be copied: {error}.") from error
    return str(copy)


def _copy(source: PathLike, target: PathLike) -> None:
    open_given(Path(source)).close()  # or it is a pipe, which would keep us waiting
    shutil.copy2(source, target)


def list_artifacts(
    artifact_uri: PathLike | None = None,
    run_id: str | None = None,
    artifact_path: PathLike | None = None,
    tracking_uri: PathLike | None = None,
) -> list[FileInfo]:
    """Return the children of a directory of a run; paths are relative to the run's artifacts.

    ``artifact_uri`` is ``runs:/<run_id>/<path>``, ``mlflow-artifacts:/<path>`` or a folder, instead of a run.
    """
    services = session.services(tracking_uri)
    if (run_id is None) == (artifact_uri is None):
        raise InvalidParameter("Give either artifact_uri or run_id (with artifact_path).")
    if run_id is not None:
        return RunFiles.of(services, run_id).list(artifact_path or "")
    assert artifact_uri is not None
    place = named(artifact_uri, services)
    if isinstance(place, RunModel):
        return RunFiles.of(services, place.run_id).list(place.path)
    if isinstance(place, StoreFolder):
        return list(RootServed(services.artifact_files, place.path).list())
    if isinstance(place, LocalFolder):
        return LocalFiles(place.path.absolute()).list()
    raise InvalidParameter(
        f"Artifacts are listed by runs:/<run_id>/<path>, mlflow-artifacts:/<path> or a folder, not {artifact_uri!r}."
    )


@contextmanager
def _fetched(uri: PathLike) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="mltrack-") as private:
        found = Path(download_artifacts(uri, dst_path=private))
        if not found.is_file():
            raise InvalidParameter(f"{uri!r} is a directory; name one file of it.")
        yield found


def load_text(artifact_uri: PathLike) -> str:
    """Return a text file (UTF-8). Raises ``NotFound``, ``InvalidParameter``."""
    with _fetched(artifact_uri) as path:
        try:
            return path.read_text(encoding="utf-8")
        except UnicodeDecodeError as error:
            raise InvalidParameter(f"{artifact_uri!r} is no text in UTF-8.") from error


def load_dict(artifact_uri: PathLike) -> Any:
    """Return what a JSON file says, or a YAML file by its name. Raises ``NotFound``, ``InvalidParameter``."""
    text = load_text(artifact_uri)
    if path_text(artifact_uri).endswith((".yaml", ".yml")):
        import yaml

        try:
            return yaml.safe_load(text)
        except yaml.YAMLError as error:
            raise InvalidParameter(f"{artifact_uri!r} is no YAML: {error}") from error
    try:
        return json.loads(text)
    except ValueError as error:
        raise InvalidParameter(f"{artifact_uri!r} is no JSON: {error}.") from error


def load_image(artifact_uri: PathLike) -> PIL.Image.Image:
    """Return an image file as Pillow's. Raises ``NotFound``, ``InvalidParameter``."""
    import PIL.Image

    with _fetched(artifact_uri) as path:
        try:
            image = PIL.Image.open(path)
            image.load()
        except OSError as error:
            raise InvalidParameter(f"{artifact_uri!r} is no image: {error}.") from error
        return image
