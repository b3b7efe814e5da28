"""Columns, tensors and schemas under MLflow's module name."""

from mltrack_jupyter.models.signature import Column as ColSpec
from mltrack_jupyter.models.signature import DataType, Schema
from mltrack_jupyter.models.signature import Tensor as TensorSpec

__all__ = ["ColSpec", "DataType", "Schema", "TensorSpec"]
