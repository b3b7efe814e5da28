"""The environment variables of MLflow that are heeded here, under MLflow's module name.

``docs/store.md`` says what each means.
"""

from __future__ import annotations

import os
from typing import Any


class EnvironmentVariable:
    """A variable by its name: read as a value of its type, set and taken back for this process."""

    def __init__(self, name: str, type_: type[Any] = str, default: Any = None) -> None:
        self.name = name
        self.type = type_
        self.default = default

    @property
    def defined(self) -> bool:
        """Whether it is set."""
        return self.name in os.environ

    def is_set(self) -> bool:
        """Tell whether it is set."""
        return self.defined

    def get_raw(self) -> str | None:
        """Return its text, ``None`` if it is not set."""
        return os.environ.get(self.name)

    def get(self) -> Any:
        """Return its value, the default if it is not set. Raises ``ValueError`` for one of another type."""
        text = self.get_raw()
        if text is None:
            return self.default
        if self.type is not bool:
            return self.type(text)
        if text.lower() not in ("true", "false", "1", "0"):
            raise ValueError(f"{self.name}={text!r}: right are true, false, 1 and 0.")
        return text.lower() in ("true", "1")

    def set(self, value: Any) -> None:
        """Set it, for this process and those it starts."""
        os.environ[self.name] = str(value)

    def unset(self) -> None:
        """Take it back."""
        os.environ.pop(self.name, None)

    def __str__(self) -> str:
        return self.name

    def __repr__(self) -> str:
        return repr(self.name)


MLFLOW_ACTIVE_MODEL_ID = EnvironmentVariable("MLFLOW_ACTIVE_MODEL_ID")
MLFLOW_CREATE_MODEL_VERSION_SOURCE_VALIDATION_REGEX = EnvironmentVariable(
    "MLFLOW_CREATE_MODEL_VERSION_SOURCE_VALIDATION_REGEX"
)
MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR = EnvironmentVariable(
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", bool, default=True
)
MLFLOW_ENABLE_SYSTEM_METRICS_LOGGING = EnvironmentVariable(
    "MLFLOW_ENABLE_SYSTEM_METRICS_LOGGING", bool, default=False
)
MLFLOW_EXPERIMENT_ID = EnvironmentVariable("MLFLOW_EXPERIMENT_ID")
MLFLOW_EXPERIMENT_NAME = EnvironmentVariable("MLFLOW_EXPERIMENT_NAME")
MLFLOW_HTTP_REQUEST_MAX_RETRIES = EnvironmentVariable("MLFLOW_HTTP_REQUEST_MAX_RETRIES", int, 3)
MLFLOW_HTTP_REQUEST_TIMEOUT = EnvironmentVariable("MLFLOW_HTTP_REQUEST_TIMEOUT", int, 120)
MLFLOW_REGISTRY_URI = EnvironmentVariable("MLFLOW_REGISTRY_URI")
MLFLOW_RUN_ID = EnvironmentVariable("MLFLOW_RUN_ID")
MLFLOW_RUN_NAME = EnvironmentVariable("MLFLOW_RUN_NAME")
MLFLOW_S3_ENDPOINT_URL = EnvironmentVariable("MLFLOW_S3_ENDPOINT_URL")
MLFLOW_S3_IGNORE_TLS = EnvironmentVariable("MLFLOW_S3_IGNORE_TLS", bool, default=False)
MLFLOW_S3_UPLOAD_EXTRA_ARGS = EnvironmentVariable("MLFLOW_S3_UPLOAD_EXTRA_ARGS")
MLFLOW_SYSTEM_METRICS_NODE_ID = EnvironmentVariable("MLFLOW_SYSTEM_METRICS_NODE_ID")
MLFLOW_SYSTEM_METRICS_SAMPLES_BEFORE_LOGGING = EnvironmentVariable(
    "MLFLOW_SYSTEM_METRICS_SAMPLES_BEFORE_LOGGING", int
)
MLFLOW_SYSTEM_METRICS_SAMPLING_INTERVAL = EnvironmentVariable(
    "MLFLOW_SYSTEM_METRICS_SAMPLING_INTERVAL", float
)
MLFLOW_TRACKING_CLIENT_CERT_PATH = EnvironmentVariable("MLFLOW_TRACKING_CLIENT_CERT_PATH")
MLFLOW_TRACKING_INSECURE_TLS = EnvironmentVariable(
    "MLFLOW_TRACKING_INSECURE_TLS", bool, default=False
)
MLFLOW_TRACKING_PASSWORD = EnvironmentVariable("MLFLOW_TRACKING_PASSWORD")
MLFLOW_TRACKING_SERVER_CERT_PATH = EnvironmentVariable("MLFLOW_TRACKING_SERVER_CERT_PATH")
MLFLOW_TRACKING_TOKEN = EnvironmentVariable("MLFLOW_TRACKING_TOKEN")
MLFLOW_TRACKING_URI = EnvironmentVariable("MLFLOW_TRACKING_URI")
MLFLOW_TRACKING_USERNAME = EnvironmentVariable("MLFLOW_TRACKING_USERNAME")

__all__ = [
    "EnvironmentVariable",
    "MLFLOW_ACTIVE_MODEL_ID",
    "MLFLOW_CREATE_MODEL_VERSION_SOURCE_VALIDATION_REGEX",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR",
    "MLFLOW_ENABLE_SYSTEM_METRICS_LOGGING",
    "MLFLOW_EXPERIMENT_ID",
    "MLFLOW_EXPERIMENT_NAME",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES",
    "MLFLOW_HTTP_REQUEST_TIMEOUT",
    "MLFLOW_REGISTRY_URI",
    "MLFLOW_RUN_ID",
    "MLFLOW_RUN_NAME",
    "MLFLOW_S3_ENDPOINT_URL",
    "MLFLOW_S3_IGNORE_TLS",
    "MLFLOW_S3_UPLOAD_EXTRA_ARGS",
    "MLFLOW_SYSTEM_METRICS_NODE_ID",
    "MLFLOW_SYSTEM_METRICS_SAMPLES_BEFORE_LOGGING",
    "MLFLOW_SYSTEM_METRICS_SAMPLING_INTERVAL",
    "MLFLOW_TRACKING_CLIENT_CERT_PATH",
    "MLFLOW_TRACKING_INSECURE_TLS",
    "MLFLOW_TRACKING_PASSWORD",
    "MLFLOW_TRACKING_SERVER_CERT_PATH",
    "MLFLOW_TRACKING_TOKEN",
    "MLFLOW_TRACKING_URI",
    "MLFLOW_TRACKING_USERNAME",
]
