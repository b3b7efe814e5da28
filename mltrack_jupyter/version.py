"""The version of this package under MLflow's module name."""

from mltrack_jupyter.config import package_version

VERSION = package_version()

__all__ = ["VERSION"]
