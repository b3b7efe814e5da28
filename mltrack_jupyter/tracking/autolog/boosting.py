"""What XGBoost and LightGBM have in common: params of a call, best iteration, importances."""

from __future__ import annotations

import functools
import types
from collections.abc import Callable, Collection, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mltrack_jupyter.tracking.autolog.arguments import named, without
from mltrack_jupyter.tracking.autolog.border import undrawn, unheard
from mltrack_jupyter.tracking.autolog.datasets import example_of, log_dataset
from mltrack_jupyter.tracking.autolog.integration import Integration
from mltrack_jupyter.tracking.autolog.record import Record
from mltrack_jupyter.tracking.autolog.sklearn import INTEGRATION as SKLEARN
from mltrack_jupyter.tracking.autolog.sklearn import classes_of, log_fitted_model
from mltrack_jupyter.tracking.autolog.sklearn_after import EVALUATIONS, patch_class
from mltrack_jupyter.tracking.autolog.training import (
    Halves,
    Training,
    current,
    watched,
    watched_method,
)


@dataclass
class Rounds:
    """What a training measured in each round; ``start`` is how many its model had been through."""

    start: int = 0
    found: list[Mapping[str, Any]] = field(default_factory=list)


def train(
    integration: Integration,
    label: str,
    call: Callable[[], Any],
    watch: Callable[[Training, bool], Halves],
) -> Any:
    """Train as a training of its own, or as the inside of an estimator's ``fit``; else just train.

    ``watch`` is called with the training, and whether it is one of its own.
    """
    outer = current()
    if outer is None:
        return watched(
            integration,
            lambda: Training(integration, label),
            call,
            lambda training: watch(training, True),
        )
    # The first one inside of our own estimator's fit; a search over it is nobody's single training.
    if outer.integration is integration and outer.record is not None and not outer.fed:
        outer.fed = True
        return outer.around(call, lambda training: watch(training, False))
    return call()


def fit(
    integration: Integration,
    original: Callable[..., Any],
    self: Any,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> Any:
    """Fit an estimator of the library: its inner training logs params and metrics, this logs the model."""
    watch = lambda training: _watch(training, self, lambda: named(original, (self, *args), kwargs))  # noqa: E731
    return watched_method(integration, original, self, args, kwargs, watch)


def _watch(
    training: Training, estimator: Any, arguments: Callable[[], dict[str, Any]]
) -> Generator[None, Any, None]:
    given: dict[str, Any] = training.attempt("reading the arguments", arguments, {})
    example = training.attempt("taking an example", lambda: example_of(given["X"]), None)
    kind = type(estimator)
    names = {
        "estimator_name": kind.__name__,
        "estimator_class": f"{kind.__module__}.{kind.__name__}",
    }
    training.write("logging tags", lambda record: record.tags(names))
    training.write("logging params", lambda record: record.covers(estimator))
    if training.options.log_datasets:
        training.write("logging the datasets", lambda record: _log_data(training, record, given))
    yield
    # Before the model, which may be long in the writing and can fail.
    training.write("noting the model", lambda record: EVALUATIONS.remember(estimator, record))
    if training.options.log_models:
        with unheard(), undrawn(estimator):
            log_fitted_model(training, estimator, example)


def patch_estimators(integration: Integration, module: types.ModuleType) -> None:
    """Listen to the fits of a library's estimators; what they predict is scikit-learn's autologging's."""
    for owner in classes_of(module):
        integration.patches.method(owner, "fit", functools.partial(fit, integration))
        patch_class(SKLEARN, owner, integration.patches)


def _log_data(training: Training, record: Record, given: Mapping[str, Any]) -> None:
    log_dataset(record.writer, given["X"], given.get("y"))
    single = training.integration.name == "lightgbm"
    for place, (data, targets) in enumerate(_evaluated(given, single=single)):
        name = f"validation_{place}"
        log_dataset(record.writer, data, targets, context="eval", name=name)


def _evaluated(given: Mapping[str, Any], *, single: bool) -> list[Any]:
    """Return the pairs of data and targets that a fit measures, from whichever arguments say so."""
    pairs = given.get("eval_set")
    if single and isinstance(pairs, tuple):
        return [pairs]
    data, targets = given.get("eval_X"), given.get("eval_y")
    if data is not None and targets is not None:
        many = isinstance(data, tuple) and isinstance(targets, tuple)
        return list(zip(data, targets, strict=True)) if many else [(data, targets)]
    return [pair for pair in listed(pairs) if isinstance(pair, list | tuple) and len(pair) == 2]


def listed(values: Any) -> Sequence[Any]:
    """Return a list that a user gave, and nothing for what it might cost the user to look at."""
    # An iterator can be gone through only once, and that is for the library to do.
    return values if isinstance(values, list | tuple) else ()


def settings(given: Mapping[str, Any], others: Collection[str]) -> dict[str, Any]:
    """Return the params of a call: those in ``params``, and its arguments that are no ``others``."""
    params = given.get("params")
    if isinstance(params, Mapping | list | tuple):
        return {**dict(params), **without(given, others)}
    return without(given, others)


def log_rounds(training: Training, rounds: Rounds, best: tuple[int, int], step: int) -> None:
    """Log where a training stopped and which round was best, whose metrics become its last point.

    ``best`` is the round by the library's count, and the number of its first round.
    """
    number, first = best
    stopped = rounds.start + len(rounds.found) - 1 + first
    training.write(
        "logging the best iteration",
        lambda record: record.metrics({"stopped_iteration": stopped, "best_iteration": number}),
    )
    at = number - first - rounds.start
    if 0 <= at < len(rounds.found):
        training.write(
            "logging the best iteration", lambda record: record.metrics(rounds.found[at], step)
        )


def log_importance(training: Training, kind: str, values: Callable[[], Mapping[str, Any]]) -> None:
    """Log the importance of the features as a JSON file."""
    training.write(
        f"logging the importance {kind!r}",
        lambda record: record.json(dict(values()), f"feature_importance_{kind}.json"),
    )
