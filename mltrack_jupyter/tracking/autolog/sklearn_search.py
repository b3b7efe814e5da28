"""GridSearchCV, RandomizedSearchCV and their kin: the best candidates as child runs, all of them as a table."""

from __future__ import annotations

import csv
import io
import uuid
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from mltrack_jupyter.entities import Metric, NewRun, Param, RunEntry, RunStatus, Tag
from mltrack_jupyter.errors import InvalidParameter
from mltrack_jupyter.store.names import RUN_NAME, invent_name
from mltrack_jupyter.tracking import scope
from mltrack_jupyter.tracking.autolog.datasets import signature_of
from mltrack_jupyter.tracking.autolog.record import Record, shown, valid_names
from mltrack_jupyter.tracking.autolog.training import AUTOLOGGING, Training
from mltrack_jupyter.tracking.batches import to_number
from mltrack_jupyter.tracking.clock import now_ms

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
    parent = record.writer.run
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
        params = {**base, **results["params"][place]}
        numbers = {
            key: values[place]
            for key, values in results.items()
            if key.startswith(("mean_", "std_", "rank_"))
        }
        parent.write(_candidate(parent.experiment, tags, params, numbers))


def _candidate(
    experiment: tuple[str, str],
    tags: Mapping[str, Any],
    params: Mapping[str, Any],
    numbers: Mapping[str, Any],
) -> RunEntry:
    """Return the run of a candidate from begin to end: in one entry, so that it is never there by half."""
    now = now_ms()
    pairs = {RUN_NAME: invent_name(), **{key: str(value) for key, value in tags.items()}}
    points = []
    for name, (key, value) in valid_names(numbers).items():
        with suppress(InvalidParameter):
            points.append(Metric(name, to_number(key, value), now))
    return RunEntry(
        run_id=uuid.uuid4().hex,
        new=NewRun(
            experiment_id=experiment[0],
            experiment_name=experiment[1],
            user_id=pairs.get("mlflow.user", ""),
            start_time=now,
        ),
        tags=[Tag(key, value) for key, value in pairs.items()],
        params=[
            Param(name, shown(key, value)) for name, (key, value) in valid_names(params).items()
        ],
        noted=points,
        status=RunStatus.FINISHED,
        end_time=now,
    )
