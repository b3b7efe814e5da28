"""Metrics that a user brings: a function of predictions and targets, with a name."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mltrack_jupyter.errors import InvalidParameter
from mltrack_jupyter.evaluation.inputs import Evidence


@dataclass(frozen=True)
class MetricValue:
    """What a metric found: a score for each row, and numbers that sum them up."""

    scores: Sequence[float] | None = None
    justifications: Sequence[str] | None = None
    aggregate_results: Mapping[str, float] | None = None

    def numbers(self, name: str) -> dict[str, float]:
        """Return the numbers by the names under which they are logged."""
        found = self.aggregate_results
        if found is None and self.scores is not None:
            found = _summed_up(self.scores)
        return {
            name if key == name else f"{name}/{key}": value for key, value in (found or {}).items()
        }


def _summed_up(scores: Sequence[Any]) -> dict[str, float]:
    import numpy as np

    numbers = [score for score in scores if isinstance(score, int | float)]
    if len(numbers) < len(scores) or not numbers:
        return {}
    return {
        "mean": float(np.mean(numbers)),
        "variance": float(np.var(numbers)),
        "p90": float(np.percentile(numbers, 90)),
    }


@dataclass(frozen=True)
class EvaluationMetric:
    """A metric that a user brings; see :func:`make_metric`."""

    eval_fn: Callable[..., Any]
    name: str
    greater_is_better: bool = True
    long_name: str | None = None
    version: str | None = None

    @property
    def full_name(self) -> str:
        """The name, with the version if there is one."""
        return f"{self.name}/{self.version}" if self.version else self.name

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        """Return what the function finds; see :func:`make_metric` for what it takes."""
        return self.eval_fn(*arguments, **named)

    def __repr__(self) -> str:
        about = {"name": self.name, "greater_is_better": self.greater_is_better}
        about |= {key: getattr(self, key) for key in ("long_name", "version") if getattr(self, key)}
        return f"EvaluationMetric({', '.join(f'{key}={item}' for key, item in about.items())})"


def make_metric(
    *,
    eval_fn: Callable[..., Any],
    greater_is_better: bool,
    name: str | None = None,
    long_name: str | None = None,
    version: str | None = None,
) -> EvaluationMetric:
    """Return a metric for ``extra_metrics`` of :func:`evaluate`.

    Parameters
    ----------
    eval_fn
        A function that returns a number or a :class:`MetricValue`. Its parameters say what it gets:
        ``predictions``, ``targets``, ``metrics``, a column of the data, a key of ``evaluator_config``; or
        two of other names: a DataFrame with ``prediction`` and ``target``, and the metrics as numbers.
    name
        That of the function if absent.
    """
    found = name or getattr(eval_fn, "__name__", "")
    if not found or found == "<lambda>":
        raise InvalidParameter("A metric made of a lambda needs a name.")
    return EvaluationMetric(eval_fn, found, greater_is_better, long_name, version)


def measure(
    extra: Iterable[Any],
    evidence: Evidence,
    predicted: Any,
    metrics: Mapping[str, float],
    config: Mapping[str, Any],
) -> dict[str, MetricValue]:
    """Return what each of a user's metrics found, by name. Raises ``InvalidParameter``."""
    found: dict[str, MetricValue] = {}
    for metric in extra:
        if not hasattr(metric, "eval_fn"):
            raise InvalidParameter(
                f"extra_metrics takes metrics of make_metric(eval_fn=..., greater_is_better=...), not a "
                f"{type(metric).__name__}."
            )
        known = {
            name: MetricValue(aggregate_results={name: value}) for name, value in metrics.items()
        }
        arguments = _arguments(metric, evidence, predicted, {**known, **found}, metrics, config)
        value = metric.eval_fn(*arguments)
        found[getattr(metric, "full_name", metric.name)] = _value(metric.name, value)
    return found


def _value(name: str, value: Any) -> MetricValue:
    if hasattr(value, "aggregate_results"):
        return MetricValue(value.scores, value.justifications, value.aggregate_results)
    try:
        return MetricValue(aggregate_results={name: float(value)})
    except (TypeError, ValueError) as error:
        raise InvalidParameter(
            f"The metric {name!r} must return a number or a MetricValue, not a {type(value).__name__}."
        ) from error


def _arguments(
    metric: Any,
    evidence: Evidence,
    predicted: Any,
    values: Mapping[str, MetricValue],
    metrics: Mapping[str, float],
    config: Mapping[str, Any],
) -> list[Any]:
    parameters = inspect.signature(metric.eval_fn).parameters
    names = list(parameters)
    if len(names) == 2 and names[0] != "predictions" and names[1] != "targets":
        return [evaluation_frame(evidence, predicted), dict(metrics)]
    offered = _offered(evidence, predicted, values, config)
    wanted = [
        item
        for item in parameters.values()
        if item.kind not in (item.VAR_KEYWORD, item.VAR_POSITIONAL)
    ]
    missing = [
        item.name for item in wanted if item.name not in offered and item.default is item.empty
    ]
    if missing:
        raise InvalidParameter(
            f"The metric {metric.name!r} asks for {', '.join(missing)}, which is no column of the data, no "
            "metric and no key of evaluator_config."
        )
    return [offered.get(item.name, item.default) for item in wanted]


def _offered(
    evidence: Evidence, predicted: Any, values: Mapping[str, MetricValue], config: Mapping[str, Any]
) -> dict[str, Any]:
    """Return what a metric may ask for, by name."""
    import pandas as pd

    guessed = pd.Series(list(predicted))
    columns = getattr(evidence.features, "columns", ())
    found: dict[str, Any] = {
        **values,
        **config,
        **{str(name): evidence.features[name] for name in columns},
        "metrics": dict(values),
        evidence.prediction_name: guessed,
        "predictions": guessed,
    }
    if evidence.truth is not None:
        found["targets"] = found[evidence.target_name] = pd.Series(list(evidence.truth))
    return found


def evaluation_frame(evidence: Evidence, predicted: Any) -> Any:
    """Return a DataFrame with ``prediction`` and, where it is known, ``target``."""
    import pandas as pd

    columns = {"prediction": list(predicted)}
    if evidence.truth is not None:
        columns["target"] = list(evidence.truth)
    return pd.DataFrame(columns)
