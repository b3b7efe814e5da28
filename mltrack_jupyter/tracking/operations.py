"""What a log call returns that was asked not to wait: by then the record is in the journal."""

from __future__ import annotations

from mltrack_jupyter.tracking import session


class RunOperations:
    """MLflow's handle of writes that are under way."""

    def wait(self) -> None:
        """Wait until what was logged is in the store. Raises ``MltrackError`` if that is away."""
        session.flush()


def handle(synchronous: bool | None) -> RunOperations | None:
    """Return what MLflow returns: a handle for ``synchronous=False``, else nothing."""
    return RunOperations() if synchronous is False else None


def flush_async_logging() -> None:
    """Wait until what was logged is in the store. Raises ``MltrackError`` if that is away."""
    session.flush()


def flush_artifact_async_logging() -> None:
    """Wait until the artifacts that were kept while the store was away are in it."""
    session.flush()
