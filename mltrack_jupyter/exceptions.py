"""The errors under MLflow's names; the tree is in :mod:`mltrack_jupyter.errors`."""

from mltrack_jupyter.errors import MltrackError as MlflowException
from mltrack_jupyter.errors import ModelValidationFailed as ModelValidationFailedException

RestException = MlflowException
"""In MLflow the errors of a server; here a server's are the same as those of a store."""

__all__ = ["MlflowException", "ModelValidationFailedException", "RestException"]
