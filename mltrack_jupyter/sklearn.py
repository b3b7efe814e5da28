"""Models of scikit-learn under MLflow's names: ``mltrack.sklearn.log_model`` and its kin."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mltrack_jupyter import models
from mltrack_jupyter.errors import InvalidParameter
from mltrack_jupyter.left_out import attribute_of
from mltrack_jupyter.plain import path_text
from mltrack_jupyter.tracking import models as verbs
from mltrack_jupyter.tracking.autolog.sklearn import autolog

if TYPE_CHECKING:
    from mltrack_jupyter.registry import ModelInfo

__all__ = [
    "SERIALIZATION_FORMAT_CLOUDPICKLE",
    "SERIALIZATION_FORMAT_PICKLE",
    "SERIALIZATION_FORMAT_SKOPS",
    "autolog",
    "load_model",
    "log_model",
    "save_model",
]

__getattr__ = attribute_of(__name__, "it is not needed with scikit-learn.")

SERIALIZATION_FORMAT_CLOUDPICKLE = "cloudpickle"
SERIALIZATION_FORMAT_PICKLE = "pickle"
SERIALIZATION_FORMAT_SKOPS = "skops"


def log_model(
    sk_model: Any,
    artifact_path: str | PathLike[str] | None = None,
    *,
    name: str | None = None,
    serialization_format: str | None = None,
    registered_model_name: str | None = None,
    signature: models.ModelSignature | None = None,
    input_example: Any = None,
    await_registration_for: int | None = 300,
    pip_requirements: str | PathLike[str] | Sequence[str] | None = None,
    pyfunc_predict_fn: str = "predict",
    metadata: Mapping[str, Any] | None = None,
    params: Mapping[str, Any] | None = None,
    tags: Mapping[str, Any] | None = None,
    model_type: str | None = None,
    step: int = 0,
    skops_trusted_types: Sequence[str] | None = None,
    **others: Any,
) -> ModelInfo:
    """Save a fitted estimator into the active run; see :func:`mltrack_jupyter.log_model`.

    ``skops_trusted_types`` needs no list: MLflow is told the types that a file of skops has, and here the
    reader decides whom to trust. MLflow's other parameters (``conda_env``, ``code_paths``,
    ``extra_pip_requirements``, ``extra_files``, ``model_id``) raise ``InvalidParameter`` if they are given.
    """
    _refuse(others)
    return verbs.log_model(
        sk_model,
        artifact_path,
        name=name,
        serialization_format=serialization_format,
        registered_model_name=registered_model_name,
        signature=signature,
        input_example=input_example,
        params=params,
        tags=tags,
        model_type=model_type,
        step=step,
        metadata=metadata,
        pip_requirements=_requirements(pip_requirements),
        predict_fn=pyfunc_predict_fn,
    )


def save_model(
    sk_model: Any,
    path: str | PathLike[str],
    *,
    serialization_format: str | None = None,
    signature: models.ModelSignature | None = None,
    input_example: Any = None,
    pip_requirements: str | PathLike[str] | Sequence[str] | None = None,
    pyfunc_predict_fn: str = "predict",
    metadata: Mapping[str, Any] | None = None,
    skops_trusted_types: Sequence[str] | None = None,
    **others: Any,
) -> None:
    """Write a fitted estimator into a new folder; see :func:`mltrack_jupyter.models.save_model`.

    ``skops_trusted_types`` is that of :func:`log_model`.
    """
    _refuse(others)
    models.save_model(
        sk_model,
        path,
        signature=signature,
        input_example=input_example,
        serialization_format=serialization_format or "",
        requirements=_requirements(pip_requirements),
        predict_fn=pyfunc_predict_fn,
        provenance=models.Provenance(metadata=dict(metadata or {})),
    )


def load_model(model_uri: str | PathLike[str], dst_path: str | None = None) -> Any:
    """Return the estimator at a URI; see :func:`mltrack_jupyter.load_model` for when it is trusted."""
    if dst_path is not None:
        raise InvalidParameter(
            "A model is loaded from a private folder; mltrack.artifacts.download_artifacts(uri, "
            "dst_path=...) brings its files where they are wanted."
        )
    return verbs.load_model(model_uri, flavor="sklearn")


def _requirements(given: str | PathLike[str] | Sequence[str] | None) -> Sequence[str] | None:
    if not isinstance(given, str | PathLike):
        return given
    path = Path(path_text(given))
    if not path.is_file():
        raise InvalidParameter(f"pip_requirements names a file {given!r} that is not there.")
    lines = (line.strip() for line in path.read_text(encoding="utf-8").splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def _refuse(others: Mapping[str, Any]) -> None:
    given = sorted(name for name, value in others.items() if value is not None)
    if given:
        raise InvalidParameter(
            f"{', '.join(given)}: not supported here. The environment of a model is described by "
            "pip_requirements; further files are logged with log_artifact."
        )
