"""Whatever of autologging breaks, what the user calls goes on as without it."""

import inspect

import lightgbm
import xgboost
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score
from sklearn.model_selection import GridSearchCV, cross_val_score

from mltrack_jupyter.tracking import fluent, origins, scope
from mltrack_jupyter.tracking.autolog import (
    arguments,
    boosting,
    border,
    datasets,
    record,
    sklearn,
    sklearn_after,
    sklearn_metrics,
    sklearn_search,
    stored,
    training,
)
from mltrack_jupyter.tracking.autolog import (
    lightgbm as our_lightgbm,
)
from mltrack_jupyter.tracking.autolog import (
    xgboost as our_xgboost,
)
from mltrack_jupyter.tracking.host import ScriptHost

MODULES = (
    *(arguments, border, boosting, datasets, our_lightgbm, record, sklearn, sklearn_after),
    *(sklearn_metrics, sklearn_search, stored, training, our_xgboost),
)
# They make the user's call, or are what keeps the rest from it.
CALLERS = {
    *("_fit", "_train", "train", "fit", "_quietly", "_predict", "_score", "_measure"),
    *("watched", "around", "attempt", "write", "__enter__", "__exit__", "current", "autolog"),
}
OUTSIDE = [
    *((scope, name) for name in ("status_of", "active_run", "own_run")),
    (ScriptHost, "has_cells"),
    *((origins, name) for name in ("of_run", "known")),
    *(
        (fluent, name)
        for name in (
            "active_run",
            "start_run",
            "finish_run",
            "get_run",
            "log_params",
            "log_metrics",
        )
    ),
]


def glue():
    """Return every function and method of autologging, by where it is."""
    for module in MODULES:
        own = [item for item in vars(module).values() if inspect.isclass(item)]
        places = [module, *(item for item in own if item.__module__ == module.__name__)]
        for place in places:
            for name, item in vars(place).items():
                mine = inspect.isfunction(item) and item.__module__ == module.__name__
                if mine and name not in CALLERS:
                    yield place, name


def work_of_sklearn(X, y):
    model = LogisticRegression().fit(X, y)
    return [accuracy_score(y, model.predict(X)), model.score(X, y)]


def work_of_searches(X, y):
    search = GridSearchCV(LogisticRegression(), {"C": [1, 2]}, cv=2).fit(X, y)
    return [search.best_score_, cross_val_score(search.best_estimator_, X, y, cv=2).tolist()]


def work_of_boosters(X, y):
    matrix, quiet = xgboost.DMatrix(X, y), {"verbose": -1, "num_threads": 1}
    first = xgboost.train({"max_depth": 2}, matrix, 2).predict(matrix)
    second = lightgbm.train(quiet, lightgbm.Dataset(X, y), 2).predict(X)
    model = xgboost.XGBClassifier(n_estimators=2, n_jobs=1).fit(X, y)
    return [first.tolist(), second.tolist(), accuracy_score(y, model.predict(X))]


WORKS = work_of_sklearn, work_of_searches, work_of_boosters


def work_for(place):
    """Return what uses a place: a fault in what one library has need not meet the others."""
    name = getattr(place, "__module__", None) or place.__name__
    if name.rpartition(".")[2] in ("boosting", "xgboost", "lightgbm"):
        return work_of_boosters
    if name.rpartition(".")[2] in ("sklearn_search", "training"):
        return work_of_searches
    return work_of_sklearn


def test_a_fault_in_any_function_of_autologging_reaches_nobody(script, classes, runs, monkeypatch):
    expected = {work: work(*classes) for work in WORKS}
    script.autolog(silent=True, log_models=False)
    reached = {}
    for place, name in [*glue(), *OUTSIDE]:

        def broken(*args, name=name, **kwargs):
            raise RuntimeError(f"{name} is broken")

        work = work_for(place)
        with monkeypatch.context() as patch:
            patch.setattr(place, name, broken)
            try:
                result = work(*classes)
            except RuntimeError as error:
                result = error
        if result != expected[work] or training.current() is not None:
            reached[f"{place.__name__}.{name}"] = result
        while script.active_run():
            script.end_run()
    assert reached == {}
    before = len(runs())
    work_of_sklearn(*classes)
    assert len(runs()) == before + 1


def test_a_failure_that_cannot_say_what_it_is(script, classes, monkeypatch):
    class MuteError(Exception):
        def __str__(self):
            raise ValueError("no words")

    def broken(*_):
        raise MuteError

    script.sklearn.autolog(log_models=False)
    monkeypatch.setattr(record.Record, "metrics", broken)
    assert LogisticRegression().fit(*classes).score(*classes) > 0.5
