"""Loading a model's folder: as the native object, or as something with ``predict``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path
from typing import Any

from mltrack_jupyter.errors import InvalidParameter
from mltrack_jupyter.models.audit import Auditor, Origin, TrustPolicy
from mltrack_jupyter.models.flavors import GROUP, Flavor, find_flavor, flavor_names
from mltrack_jupyter.models.folder import ModelFolder
from mltrack_jupyter.models.mlmodel import GENERIC, ModelMetadata, read_metadata
from mltrack_jupyter.plain import path_text


@dataclass(frozen=True)
class LoadedModel:
    """A model with what is known of it."""

    native: Any
    flavor: Flavor
    metadata: ModelMetadata


def load_model(
    path: str | PathLike[str],
    *,
    trust: bool | Iterable[str] | None = None,
    origin: Origin | None = None,
    flavor: str = "",
) -> Any:
    """Return the native object of a model's folder, such as an estimator that can be fitted further.

    Parameters
    ----------
    path
        The folder, or its file ``MLmodel``.
    trust
        ``None`` loads a pickle only if there is a reason to trust it (those reasons are listed in
        :mod:`mltrack_jupyter.models.audit`); ``True`` loads it anyway; a list of names of types is for
        files of skops.
    origin
        Where the folder came from, what was recorded of it, and as which model it must be sealed.
    flavor
        Which of its flavors to load with; the first that is known here if empty.

    Raises
    ------
    NotFound
        There is no such folder, it is no model, or a file of it is missing.
    PermissionDenied
        There is no reason to trust the model; nothing was run.
    InvalidParameter
        The folder is corrupt, or its library is not installed.
    """
    return open_model(path, trust=trust, origin=origin, flavor=flavor).native


def open_model(
    path: str | PathLike[str],
    *,
    trust: bool | Iterable[str] | None = None,
    origin: Origin | None = None,
    flavor: str = "",
) -> LoadedModel:
    """Load a model and keep what is known of it; see :func:`load_model`."""
    policy = TrustPolicy.of_reader(trust)
    target = Path(path_text(path))
    folder = ModelFolder.open(target.parent if target.name == "MLmodel" else target)
    about = read_metadata(folder)
    name, config = _choose(about, folder, flavor)
    reader = find_flavor(name)
    if reader is None:
        raise InvalidParameter(_unknown(about, folder, name))
    origin = origin or Origin()
    if origin.subject is not None and not origin.subject.artifact_path:
        origin = replace(origin, subject=replace(origin.subject, artifact_path=about.artifact_path))
    auditor = Auditor(folder, origin, policy, about.seals)
    return LoadedModel(reader.load(config, auditor), reader, about)


def _choose(
    about: ModelMetadata, folder: ModelFolder, wanted: str
) -> tuple[str, Mapping[str, Any]]:
    """Return the name and the settings of the flavor to load with."""
    names = [name for name in about.flavors if name != GENERIC]
    if wanted and wanted != GENERIC:
        if wanted not in about.flavors:
            raise InvalidParameter(
                f"The model '{folder.root}' has no flavor '{wanted}'; it has {', '.join(about.flavors)}."
            )
        return wanted, about.flavors[wanted]
    for name in names:
        if find_flavor(name) is not None:
            return name, about.flavors[name]
    if names:
        return names[0], about.flavors[names[0]]
    # Only the generic flavor: its loader names the library (mlflow.sklearn), and is never imported.
    generic = about.flavors[GENERIC]
    library = str(generic.get("loader_module") or "").rpartition(".")[2]
    return library, {"pickled_model": generic.get("model_path") or generic.get("data"), **generic}


def _unknown(about: ModelMetadata, folder: ModelFolder, name: str) -> str:
    return (
        f"The model '{folder.root}' has the flavors {', '.join(about.flavors)}; here are flavors for "
        f"{', '.join(flavor_names())}. Install a package with an entry point '{name}' in the group "
        f"'{GROUP}'. Such a package, and MLflow (pip install mlflow) just as well, runs the code that the "
        "folder holds if the model is a pickle: only for a folder that you know the origin of."
    )
