"""Which logged model metrics belong to: chosen for a block, for the process, or by the environment."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextvars import ContextVar, Token
from typing import Any

from mltrack_jupyter import config
from mltrack_jupyter.entities import LoggedModel, Metric
from mltrack_jupyter.errors import InvalidParameter

_current: ContextVar[str | None] = ContextVar("mltrack_model", default=None)
_of_process: str | None = None
used = False
"""Whether this process ever chose a logged model."""


class ActiveModel:
    """A logged model to which metrics are noted; a ``with`` block gives way to the one before."""

    def __init__(self, model: LoggedModel) -> None:
        global _of_process, used
        used = True
        self.info = model.info
        self.data = model.data
        self.model_id = model.info.model_id
        self._before = _of_process
        self._token: Token[str | None] | None = _current.set(self.model_id)
        _of_process = self.model_id

    def __enter__(self) -> ActiveModel:
        return self

    def __exit__(self, *error: object) -> None:
        global _of_process
        if self._token is not None:
            _of_process = self._before
            _current.set(self._before)
            self._token = None

    def __repr__(self) -> str:
        return f"<ActiveModel {self.info.name} {self.model_id}>"


def get_active_model_id() -> str | None:
    """Return the id of the logged model that metrics are noted to, or ``None``."""
    chosen = _current.get() or _of_process
    return chosen or config.setting("MLFLOW_ACTIVE_MODEL_ID") or None


def is_chosen() -> bool:
    """Tell whether a block or the process chose a logged model."""
    return _of_process is not None or _current.get() is not None


def clear_active_model() -> None:
    """Note metrics to no logged model any more."""
    global _of_process
    _of_process = None
    _current.set(None)
    os.environ.pop("MLFLOW_ACTIVE_MODEL_ID", None)


def is_noted(model_id: str | None, dataset: Any) -> bool:
    """Tell whether points are to name a logged model or a dataset."""
    return dataset is not None or bool(model_id or get_active_model_id())


def noted(points: Sequence[Metric], model_id: str | None, dataset: Any) -> list[Metric]:
    """Return points that name the logged model and the dataset they were measured with."""
    if dataset is not None and not (hasattr(dataset, "name") and hasattr(dataset, "digest")):
        raise InvalidParameter(
            f"dataset must be a dataset, such as mltrack.data.from_pandas(frame), not a "
            f"{type(dataset).__name__}."
        )
    model = model_id or get_active_model_id() or ""
    name, digest = ("", "") if dataset is None else (dataset.name, dataset.digest)
    if not (model or name):
        return list(points)
    # Written out: there are as many as the run has models, and `replace` takes six times as long.
    return [
        Metric(p.key, p.value, p.timestamp, p.step, name, digest, model, p.run_id, p.ordinal)
        for p in points
    ]
