"""scikit-learn: estimators as a pickle, or as a file of skops that needs no pickle."""

from __future__ import annotations

import pickle
import warnings
from collections.abc import Callable, Mapping
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar

from mltrack_jupyter.errors import InvalidParameter
from mltrack_jupyter.models.audit import Auditor, remember
from mltrack_jupyter.models.flavors.base import Saved
from mltrack_jupyter.models.skops_file import dump, foreign_types

FORMATS = ("cloudpickle", "pickle", "skops")
# The methods that MLflow lets `predict_fn` name. The folder chooses among them and cannot name another.
_METHODS = ("predict", "predict_proba", "predict_log_proba", "predict_joint_log_proba", "transform")


class SklearnFlavor:
    """Estimators of scikit-learn, and everything derived from them."""

    name: ClassVar[str] = "sklearn"
    package: ClassVar[str] = "scikit-learn"
    loader_module: ClassVar[str] = "mlflow.sklearn"

    def save(self, model: Any, folder: Path, serialization_format: str) -> Saved:
        """Write ``model.pkl`` or ``model.skops``; cloudpickle is preferred, if it is installed."""
        kind = serialization_format or "cloudpickle"
        if kind not in FORMATS:
            raise InvalidParameter(
                f"serialization_format={kind!r} is none of {', '.join(FORMATS)}."
            )
        name = "model.skops" if kind == "skops" else "model.pkl"
        data = _serialize(model, kind)
        (folder / name).write_bytes(data)
        config: dict[str, Any] = {
            "pickled_model": name,
            "serialization_format": kind,
            "sklearn_version": metadata.version(self.package),
            "code": None,
        }
        if kind == "skops":
            # For MLflow, which asks the model's own folder what to trust. We never do.
            config["skops_trusted_types"] = foreign_types(data, name)
        modules = {"pickle": ("numpy", "scipy"), "cloudpickle": ("numpy", "scipy", "cloudpickle")}
        needed = modules.get(kind, ("numpy", "scipy", "skops"))
        return Saved(config, name, {name: remember(data)}, needed)

    def load(self, config: Mapping[str, Any], files: Auditor) -> Any:
        """Return the estimator."""
        made_with = str(config.get("sklearn_version") or "")
        self._check_library(made_with)
        name = config.get("pickled_model")
        # Folders of 2018 do not name the format; then it is a pickle.
        kind = config.get("serialization_format") or "pickle"
        if not isinstance(name, str) or kind not in FORMATS:
            raise InvalidParameter(
                f"The flavor 'sklearn' of the model '{files.folder.root}' names no file, or a format "
                f"({kind!r}) that is none of {', '.join(FORMATS)}."
            )
        return files.read_skops(name) if kind == "skops" else files.unpickle(name)

    def predictor(self, model: Any, method: str) -> Callable[[Any], Any]:
        """Return ``model.predict``, or the method that was named when it was saved."""
        if method not in _METHODS or not hasattr(model, method):
            raise InvalidParameter(
                f"A model of the type {type(model).__qualname__} has no {method!r} to predict with; "
                f"possible are those of {', '.join(_METHODS)} that it has."
            )
        found: Callable[[Any], Any] = getattr(model, method)
        return found

    def _check_library(self, made_with: str) -> None:
        if find_spec("sklearn") is None:
            pin = f"=={made_with}" if made_with else ""
            raise InvalidParameter(
                "The model is one of scikit-learn, which is not installed here: "
                f"pip install {self.package}{pin}"
            )
        here = metadata.version(self.package)
        if _numbers(made_with) > _numbers(here):
            warnings.warn(
                f"The model was saved with scikit-learn {made_with}, which is newer than the {here} "
                "that is installed; it may not load, or predict something else. "
                f"pip install {self.package}=={made_with}",
                UserWarning,
                stacklevel=2,
            )


def _serialize(model: Any, kind: str) -> bytes:
    try:
        if kind == "skops":
            return dump(model)
        if kind == "cloudpickle":
            import cloudpickle

            data: bytes = cloudpickle.dumps(model)
            return data
        return pickle.dumps(model)
    except ModuleNotFoundError as error:
        raise InvalidParameter(
            f"serialization_format={kind!r} needs: pip install {error.name}"
        ) from error
    except (pickle.PicklingError, TypeError, AttributeError) as error:
        raise InvalidParameter(
            f"The model of the type {type(model).__qualname__} cannot be saved as {kind}: {error}"
        ) from error


def _numbers(version: str) -> tuple[int, ...]:
    # "1.9.1" to (1, 9): releases that differ only in the third number read each other's files.
    return tuple(int(part) for part in version.split(".")[:2] if part.isdigit())
