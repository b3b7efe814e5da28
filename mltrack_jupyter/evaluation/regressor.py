"""Regressors: scikit-learn's metrics under MLflow's names, and the residuals."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mltrack_jupyter.errors import InvalidParameter
from mltrack_jupyter.evaluation import plots
from mltrack_jupyter.evaluation.findings import Findings


def evaluate_regressor(truth: Any, predicted: Any, config: Mapping[str, Any]) -> Findings:
    """Return the metrics and the plot of a regressor. Raises ``InvalidParameter`` for bad numbers."""
    import numpy as np

    try:
        true, guessed = np.asarray(truth, dtype=float), np.asarray(predicted, dtype=float)
    except (TypeError, ValueError) as error:
        raise InvalidParameter(f"A regressor predicts numbers: {error}.") from error
    weights = config.get("sample_weights")
    found = Findings()
    try:
        found.add(_metrics(true, guessed.reshape(true.shape), weights))
    except ValueError as error:
        raise InvalidParameter(
            f"The predictions cannot be compared with the truth: {error}"
        ) from error
    found.files["residuals"] = plots.residuals(true, guessed.reshape(true.shape))
    return found


def _metrics(true: Any, guessed: Any, weights: Any) -> dict[str, Any]:
    import numpy as np
    from sklearn import metrics

    shared = {"sample_weight": weights}
    total = (true * np.asarray(weights)).sum() if weights is not None else true.sum()
    squared = metrics.mean_squared_error(true, guessed, **shared)
    return {
        "example_count": len(true),
        "mean_absolute_error": metrics.mean_absolute_error(true, guessed, **shared),
        "mean_squared_error": squared,
        "root_mean_squared_error": squared**0.5,
        "sum_on_target": total,
        "mean_on_target": total / len(true),
        "r2_score": metrics.r2_score(true, guessed, **shared),
        "max_error": metrics.max_error(true, guessed),
        "mean_absolute_percentage_error": metrics.mean_absolute_percentage_error(
            true, guessed, **shared
        ),
    }
