"""Names of types for functions of models, under MLflow's module name."""

from typing import Any

ModelInputExample = PyFuncInput = PyFuncOutput = Any

__all__ = ["ModelInputExample", "PyFuncInput", "PyFuncOutput"]
