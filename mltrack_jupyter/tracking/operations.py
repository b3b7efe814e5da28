"""What a log call returns that was asked not to wait: by then the record is safe already."""

from __future__ import annotations


class RunOperations:
    """MLflow's handle of writes that are under way; here they are made when the call returns."""

    def wait(self) -> None:
        """Return at once: there is nothing left to wait for."""


def handle(synchronous: bool | None) -> RunOperations | None:
    """Return what MLflow returns: a handle for ``synchronous=False``, else nothing."""
    return RunOperations() if synchronous is False else None


def flush_async_logging() -> None:
    """Return at once: what a log call has returned from is recorded already."""


def flush_artifact_async_logging() -> None:
    """Return at once: artifacts are written before a log call returns."""
