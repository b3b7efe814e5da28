"""The schemas of models and datasets under MLflow's names."""

from mltrack_jupyter.types.schema import ColSpec, DataType, Schema, TensorSpec

__all__ = ["ColSpec", "DataType", "Schema", "TensorSpec"]
