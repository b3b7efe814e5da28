"""GridSearchCV, RandomizedSearchCV and their kin: the best candidates as child runs, all of them as a table."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from typing import Any

from mltrack_jupyter.entities import Metric, Param
from mltrack_jupyter.tracking import scope
from mltrack_jupyter.tracking.autolog.datasets import signature_of
from mltrack_jupyter.tracking.autolog.record import Record, shown
from mltrack_jupyter.tracking.autolog.training import AUTOLOGGING, Training
from mltrack_jupyter.tracking.client import Client
from mltrack_jupyter.tracking.clock import now_ms

_BATCH = 100
_KEPT_TAGS = ("mlflow.user", "mlflow.source.")


def is_search(estimator: Any) -> bool:
    """Tell whether an estimator tries candidates and keeps the best."""
    return any(base.__name__ == "BaseSearchCV" for base in type(estimator).__mro__)


def log_search(training: Training, record: Record, search: Any, example: Any) -> None:
    """Log what a search found: best params and score, the best estimator, candidates, the table."""
    best = dict(getattr(search, "best_params_", {}))
    training.write(
        "logging the best params",
        lambda _: record.params({f"best_{key}": value for key, value in best.items()}),
    )
    if hasattr(search, "best_score_"):
        training.write(
            "logging the best score",
            lambda _: record.metrics({"best_cv_score": search.best_score_}),
        )
    results: dict[str, Any] = search.cv_results_
    training.write(
        "logging cv_results.csv", lambda _: record.text(_table(results), "cv_results.csv")
    )
    training.write("logging child runs", lambda _: _log_candidates(training, record, search))
    if training.options.log_models and hasattr(search, "best_estimator_"):
        winner = search.best_estimator_
        record.covers(winner)
        signature = training.attempt(
            "inferring a signature", lambda: signature_of(winner, example), None
        )
        training.write(
            "logging the best estimator",
            lambda _: record.model(winner, "best_estimator", signature=signature, example=example),
        )


def _table(results: Mapping[str, Any]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(results)
    # Only params hold texts of the user's: ``params`` in one cell, and each in a column of its own.
    columns = (
        [value if value is None else shown(key, value) for value in values]
        if key.startswith("param")
        else values
        for key, values in results.items()
    )
    writer.writerows(zip(*columns, strict=True))
    return text.getvalue()


def _log_candidates(training: Training, record: Record, search: Any) -> None:
    results = search.cv_results_
    ranks = next(values for key, values in results.items() if key.startswith("rank_test_"))
    order = sorted(range(len(ranks)), key=lambda place: int(ranks[place]))
    most = training.options.more.get("max_tuning_runs")
    client = Client()
    parent = client.get_run(record.run_id)
    kind = type(search.estimator)
    tags = {
        **{key: value for key, value in parent.data.tags.items() if key.startswith(_KEPT_TAGS)},
        **(training.options.extra_tags or {}),
        AUTOLOGGING: training.integration.name,
        scope.PARENT: record.run_id,
        "estimator_name": kind.__name__,
        "estimator_class": f"{kind.__module__}.{kind.__name__}",
    }
    base = search.estimator.get_params(deep=True)
    for place in order if most is None else order[:most]:
        run = client.create_run(parent.info.experiment_id, tags=tags)
        params = {**base, **results["params"][place]}
        numbers = {
            key: values[place]
            for key, values in results.items()
            if key.startswith(("mean_", "std_", "rank_"))
        }
        _fill(client, run.info.run_id, params, numbers)
        client.set_terminated(run.info.run_id)


def _fill(
    client: Client, run_id: str, params: Mapping[str, Any], numbers: Mapping[str, Any]
) -> None:
    now = now_ms()
    pairs = [Param(key, shown(key, value)) for key, value in params.items()]
    points = [Metric(key, float(value), now) for key, value in numbers.items()]
    client.log_batch(run_id, points, pairs[:_BATCH])
    for first in range(_BATCH, len(pairs), _BATCH):
        client.log_batch(run_id, params=pairs[first : first + _BATCH])
