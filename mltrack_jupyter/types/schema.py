"""Columns, tensors, params and schemas under MLflow's module name."""

from mltrack_jupyter.models.data_types import AnyType, Array, DataType, Map, Object, Property
from mltrack_jupyter.models.params import ParamSchema, ParamSpec
from mltrack_jupyter.models.schema import Column as ColSpec
from mltrack_jupyter.models.schema import Schema
from mltrack_jupyter.models.schema import Tensor as TensorSpec

__all__ = [
    "AnyType",
    "Array",
    "ColSpec",
    "DataType",
    "Map",
    "Object",
    "ParamSchema",
    "ParamSpec",
    "Property",
    "Schema",
    "TensorSpec",
]
