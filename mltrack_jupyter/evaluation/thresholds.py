"""Thresholds: whether a model is good enough, by itself and against another one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from mltrack_jupyter.errors import InvalidParameter, ModelValidationFailed
from mltrack_jupyter.evaluation.result import EvaluationResult


@dataclass(frozen=True)
class MetricThreshold:
    """What a metric must reach.

    Parameters
    ----------
    threshold
        The least value (the greatest one, if smaller is better).
    min_absolute_change, min_relative_change
        By how much it must be better than that of the other model; the second as a share of it.
    greater_is_better
        Which way is better.
    """

    threshold: float | None = None
    min_absolute_change: float | None = None
    min_relative_change: float | None = None
    greater_is_better: bool | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.greater_is_better, bool):
            raise InvalidParameter("A MetricThreshold needs greater_is_better=True or False.")
        changes = (self.min_absolute_change, self.min_relative_change)
        if self.threshold is None and changes == (None, None):
            raise InvalidParameter("A MetricThreshold needs a threshold or a change.")
        if self.min_absolute_change is not None and not self.min_absolute_change > 0:
            raise InvalidParameter("min_absolute_change must be greater than 0.")
        if self.min_relative_change is not None and not 0 <= self.min_relative_change <= 1:
            raise InvalidParameter("min_relative_change must be from 0 to 1.")

    def better(self, value: float, least: float) -> bool:
        """Tell whether a value is at least as good as another one."""
        return value >= least if self.greater_is_better else value <= least

    def ahead_of(self, other: float, change: float) -> float:
        """Return the value that is better than another one by a change."""
        return other + change if self.greater_is_better else other - change


def validate_evaluation_results(
    validation_thresholds: Mapping[str, MetricThreshold],
    candidate_result: EvaluationResult,
    baseline_result: EvaluationResult | None = None,
) -> None:
    """Do nothing if a model reaches every threshold.

    Parameters
    ----------
    baseline_result
        The evaluation of the model to compare with, where a threshold asks for a change.

    Raises
    ------
    ModelValidationFailed
        It does not; the message lists what is missing.
    """
    if not all(isinstance(item, MetricThreshold) for item in validation_thresholds.values()):
        raise InvalidParameter("validation_thresholds maps names of metrics to MetricThreshold.")
    others = dict(baseline_result.metrics) if baseline_result is not None else {}
    failed = [
        reason
        for name, threshold in validation_thresholds.items()
        for reason in _failures(name, threshold, candidate_result.metrics, others)
    ]
    if failed:
        raise ModelValidationFailed("The model is not good enough: " + "; ".join(failed) + ".")


def _failures(
    name: str, asked: MetricThreshold, metrics: Mapping[str, float], others: Mapping[str, float]
) -> Iterator[str]:
    if name not in metrics:
        yield f"{name} was not measured"
        return
    value = metrics[name]
    if asked.threshold is not None and not asked.better(value, asked.threshold):
        yield f"{name} is {value}, the threshold {asked.threshold}"
    if asked.min_absolute_change is None and asked.min_relative_change is None:
        return
    if name not in others:
        yield f"{name} of the baseline was not measured"
        return
    other = others[name]
    # Of a baseline of 0 no share can be taken: any improvement will do.
    share = (asked.min_relative_change or 0) * abs(other) if other else 1e-10
    for change in (
        asked.min_absolute_change,
        share if asked.min_relative_change is not None else None,
    ):
        if change is not None and not asked.better(value, asked.ahead_of(other, change)):
            yield f"{name} is {value}, that of the baseline {other}, and {change} is the least change"
