"""Models of any library as something with ``predict``, under MLflow's name."""

from __future__ import annotations

from os import PathLike
from typing import Any

from mltrack_jupyter.left_out import OWN_CLASS, attribute_of
from mltrack_jupyter.models import PyFuncModel
from mltrack_jupyter.tracking import models as verbs

__all__ = ["PyFuncModel", "load_model"]

__getattr__ = attribute_of(__name__, OWN_CLASS)


def load_model(model_uri: str | PathLike[str], suppress_warnings: bool = False) -> PyFuncModel:
    """Return the model at a URI as something with ``predict``; see :func:`mltrack_jupyter.load_model`."""
    found: Any = verbs.load_model(model_uri, flavor="pyfunc")
    assert isinstance(found, PyFuncModel)
    return found
