"""The errors under MLflow's names; the tree is in :mod:`mltrack_jupyter.errors`."""

from mltrack_jupyter.errors import MltrackError as MlflowException
from mltrack_jupyter.errors import ModelValidationFailed as ModelValidationFailedException
from mltrack_jupyter.protos.databricks_pb2 import (
    BAD_REQUEST,
    INTERNAL_ERROR,
    INVALID_PARAMETER_VALUE,
    RESOURCE_ALREADY_EXISTS,
    RESOURCE_DOES_NOT_EXIST,
    ErrorCode,
)

RestException = MlflowException
"""In MLflow the errors of a server; here a server's are the same as those of a store."""


class ExecutionException(MlflowException):
    """A project cannot be run."""


class MissingConfigException(MlflowException):
    """A file or a folder of the configuration is not there."""


class InvalidUrlException(MlflowException):
    """A request was not sent, because its URL is wrong."""


__all__ = [
    "BAD_REQUEST",
    "INTERNAL_ERROR",
    "INVALID_PARAMETER_VALUE",
    "RESOURCE_ALREADY_EXISTS",
    "RESOURCE_DOES_NOT_EXIST",
    "ErrorCode",
    "ExecutionException",
    "InvalidUrlException",
    "MissingConfigException",
    "MlflowException",
    "ModelValidationFailedException",
    "RestException",
]
