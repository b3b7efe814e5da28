"""The errors under MLflow's names; the tree is in :mod:`mltrack_jupyter.errors`."""

from mltrack_jupyter.errors import NUMBER_OF_CODE
from mltrack_jupyter.errors import MltrackError as MlflowException
from mltrack_jupyter.errors import ModelValidationFailed as ModelValidationFailedException

RestException = MlflowException
"""In MLflow the errors of a server; here a server's are the same as those of a store."""


class ExecutionException(MlflowException):
    """A project cannot be run."""


class MissingConfigException(MlflowException):
    """A file or a folder of the configuration is not there."""


class InvalidUrlException(MlflowException):
    """A request was not sent, because its URL is wrong."""


class ErrorCode:
    """MLflow's numbers of its error codes, and their names."""

    @staticmethod
    def Name(number: int) -> str:  # noqa: N802 - MLflow's names
        """Return the name of a number. Raises ``ValueError``."""
        for name, known in NUMBER_OF_CODE.items():
            if known == number:
                return name
        raise ValueError(f"{number!r} is the number of no error code.")

    @staticmethod
    def Value(name: str) -> int:  # noqa: N802
        """Return the number of a name. Raises ``ValueError``."""
        if name not in NUMBER_OF_CODE:
            raise ValueError(f"{name!r} is no error code.")
        return NUMBER_OF_CODE[name]


BAD_REQUEST = NUMBER_OF_CODE["BAD_REQUEST"]
INTERNAL_ERROR = NUMBER_OF_CODE["INTERNAL_ERROR"]
INVALID_PARAMETER_VALUE = NUMBER_OF_CODE["INVALID_PARAMETER_VALUE"]
RESOURCE_ALREADY_EXISTS = NUMBER_OF_CODE["RESOURCE_ALREADY_EXISTS"]
RESOURCE_DOES_NOT_EXIST = NUMBER_OF_CODE["RESOURCE_DOES_NOT_EXIST"]

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
