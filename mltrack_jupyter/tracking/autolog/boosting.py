"""What XGBoost and LightGBM have in common: params of a call, best iteration, importances."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from mltrack_jupyter.tracking.autolog.arguments import named
from mltrack_jupyter.tracking.autolog.datasets import example_of, log_dataset
from mltrack_jupyter.tracking.autolog.integration import Integration
from mltrack_jupyter.tracking.autolog.record import Record
from mltrack_jupyter.tracking.autolog.sklearn import log_fitted_model
from mltrack_jupyter.tracking.autolog.training import Training, current


def train(
    integration: Integration, label: str, plain: Callable[[], Any], logged: Callable[..., Any]
) -> Any:
    """Train as a training of its own, or as the inside of an estimator's ``fit``; else just train.

    ``logged`` is called with the training, and whether it is to log the model.
    """
    outer = current()
    if outer is not None:
        # The first one inside of our own estimator's fit; a search over it is nobody's single training.
        if outer.integration is integration and outer.record is not None and not outer.fed:
            outer.fed = True
            return logged(outer, own=False)
        return plain()
    with Training(integration, label) as training:
        if training.record is None:
            return plain()
        return logged(training, own=True)


def fit(
    integration: Integration,
    original: Callable[..., Any],
    self: Any,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> Any:
    """Fit an estimator of the library: its inner training logs params and metrics, this logs the model."""
    if current() is not None:
        return original(self, *args, **kwargs)
    kind = type(self)
    with Training(integration, kind.__name__) as training:
        if training.record is None:
            return original(self, *args, **kwargs)
        given: dict[str, Any] = training.attempt(
            "reading the arguments", lambda: named(original, (self, *args), kwargs), {}
        )
        example = training.attempt("taking an example", lambda: example_of(given["X"]), None)
        names = {
            "estimator_name": kind.__name__,
            "estimator_class": f"{kind.__module__}.{kind.__name__}",
        }
        training.write("logging tags", lambda record: record.tags(names))
        training.write("logging params", lambda record: record.covers(self))
        if training.options.log_datasets:
            training.write("logging the datasets", lambda record: _log_data(record, given))
        result = original(self, *args, **kwargs)
        if training.options.log_models:
            log_fitted_model(training, self, example)
        return result


def _log_data(record: Record, given: Mapping[str, Any]) -> None:
    log_dataset(record.run_id, given["X"], given.get("y"))
    for place, (data, targets) in enumerate(given.get("eval_set") or ()):
        name = f"validation_{place}"
        log_dataset(record.run_id, data, targets, context="eval", name=name)


def log_rounds(
    training: Training, rounds: list[Mapping[str, Any]], stopped: int, best: int, at: int
) -> None:
    """Log where a training stopped and which round was best, whose metrics become its last point."""
    training.write(
        "logging the best iteration",
        lambda record: record.metrics({"stopped_iteration": stopped, "best_iteration": best}),
    )
    if 0 <= at < len(rounds):
        training.write(
            "logging the best iteration", lambda record: record.metrics(rounds[at], len(rounds))
        )


def log_importance(training: Training, kind: str, values: Callable[[], Mapping[str, Any]]) -> None:
    """Log the importance of the features as a JSON file."""
    training.write(
        f"logging the importance {kind!r}",
        lambda record: record.json(dict(values()), f"feature_importance_{kind}.json"),
    )
