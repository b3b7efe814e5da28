"""Switching on and off: nothing is imported by it, and everything is put back."""

import inspect
import pickle
import sys

import lightgbm
import pytest
import sklearn.base
import sklearn.linear_model
import sklearn.metrics
import sklearn.model_selection
import sklearn.pipeline
import xgboost
from sklearn.linear_model import LogisticRegression

from mltrack_jupyter.errors import InvalidParameter, StoreUnwritable
from mltrack_jupyter.tracking import autolog as integrations
from mltrack_jupyter.tracking import fluent, writer
from mltrack_jupyter.tracking.autolog import LIBRARIES, switched_on
from mltrack_jupyter.tracking.autolog.stored import Stored

HEAVY = ("sklearn", "xgboost", "lightgbm", "keras", "lightning", "torch", "statsmodels", "numpy")


def places():
    """Return what is patched, as each class or function holds it."""
    return [
        vars(sklearn.linear_model.LogisticRegression)["fit"],
        vars(sklearn.pipeline.Pipeline)["fit_predict"],
        vars(sklearn.pipeline.Pipeline)["score"],
        vars(sklearn.base.ClassifierMixin)["score"],
        vars(sklearn.model_selection.GridSearchCV.__mro__[1])["fit"],
        sklearn.metrics.accuracy_score.__code__,
        sklearn.model_selection.cross_val_score.__code__,
        xgboost.train.__code__,
        vars(xgboost.XGBClassifier)["fit"],
        vars(xgboost.XGBClassifier)["predict"],
        lightgbm.train.__code__,
        vars(lightgbm.LGBMModel)["fit"],
    ]


def test_everything_is_put_back(script):
    before = places()
    script.autolog()
    during = places()
    script.autolog()
    assert all(a is b for a, b in zip(during, places(), strict=True))
    assert not any(a is b for a, b in zip(before, during, strict=True))
    finders = len(sys.meta_path)
    script.autolog(disable=True)
    assert all(a is b for a, b in zip(before, places(), strict=True))
    assert len(sys.meta_path) == finders - 1
    script.autolog(disable=True)


def test_functions_stay_what_they_are(script):
    functions = [sklearn.metrics.accuracy_score, xgboost.train, lightgbm.train]
    before = [(inspect.signature(item), dict(vars(item))) for item in functions]
    script.autolog()
    held = [sklearn.metrics.accuracy_score, xgboost.training.train, lightgbm.engine.train]
    assert all(a is b for a, b in zip(functions, held, strict=True))
    assert [inspect.signature(item) for item in functions] == [item[0] for item in before]
    assert all(pickle.loads(pickle.dumps(item)) is item for item in functions)
    script.autolog(disable=True)
    assert [(inspect.signature(item), dict(vars(item))) for item in functions] == before


def test_what_somebody_else_patched_since_is_left_alone(script, classes, runs):
    script.sklearn.autolog(log_models=False)
    owner = sklearn.linear_model.LogisticRegression
    ours = owner.fit

    def theirs(self, X, y):
        return ours(self, X, y)

    owner.fit = theirs
    try:
        script.sklearn.autolog(disable=True)
        assert owner.fit is theirs
        LogisticRegression().fit(*classes)
        assert runs() == []
    finally:
        owner.fit = ours.__wrapped__


def test_one_library_alone(script):
    script.xgboost.autolog()
    assert switched_on() == ["xgboost"]
    script.autolog(exclude_flavors=["keras", "lightning"])
    assert switched_on() == ["sklearn", "xgboost", "lightgbm", "statsmodels"]
    script.lightgbm.autolog(disable=True)
    assert "lightgbm" not in switched_on()
    assert set(LIBRARIES) > set(switched_on())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"exclude_flavors": ["sparkle"]}, "sklearn, xgboost"),
        ({"max_tuning_runs": -1}, "number of runs from 0"),
        ({"extra_tags": "team"}, "a dict of tags"),
    ],
)
def test_wrong_options(script, options, message):
    with pytest.raises(InvalidParameter, match=message):
        script.autolog(**options)
    assert switched_on() == []


def test_switching_on_imports_nothing_and_counts_for_later_imports_of_this_process(run_script):
    done = run_script(f"""
import sys
import mltrack_jupyter as mltrack
mltrack.autolog(log_models=False)
print([name for name in {HEAVY!r} if name in sys.modules])
from sklearn.linear_model import LogisticRegression
import sklearn.linear_model
print(sklearn.linear_model.__spec__.loader.__class__.__name__, "exec_module" in vars(sklearn.__spec__.loader))
LogisticRegression().fit([[0.0], [1.0]], [0, 1])
import os
child = os.fork()
if not child:  # logs nothing
    LogisticRegression(C=7).fit([[0.0], [1.0]], [0, 1])
    os._exit(0)
os.waitpid(child, 0)
import xgboost
xgboost.train({{}}, xgboost.DMatrix([[0.0], [1.0]], [0, 1]), 1)
runs = mltrack.search_runs(output_format="list")
print(sorted(run.data.tags["mlflow.autologging"] for run in runs), {{run.info.status.value for run in runs}})
""")
    assert done.stdout.splitlines() == [
        "[]",
        "SourceFileLoader False",
        "['sklearn', 'xgboost'] {'FINISHED'}",
    ], done.stderr


@pytest.mark.parametrize(
    ("place", "verb"),
    [
        *((fluent, verb) for verb in ("log_params", "set_tags", "start_run")),
        (writer, "write_points"),
        (Stored, "by_hand"),
    ],
)
def test_a_store_that_fails_is_not_noticed_by_the_training(
    script, classes, monkeypatch, caplog, place, verb
):
    def broken(*_, **__):
        raise StoreUnwritable("the disk is full")

    script.autolog(log_models=False)
    data = xgboost.DMatrix(*classes)
    monkeypatch.setattr(place, verb, broken)
    model = LogisticRegression().fit(*classes)
    booster = xgboost.train({"objective": "binary:logistic"}, data, 3, evals=[(data, "train")])
    assert model.score(*classes) > 0.5
    assert booster.num_boosted_rounds() == 3
    said = [item for item in caplog.records if "the disk is full" in item.getMessage()]
    assert said
    assert {item.levelname for item in said} == {"WARNING"}
    # Once for each thing that was tried in each training, however often it was tried.
    assert len({item.getMessage() for item in said}) == len(said)


def test_silent_tells_the_debug_log_only(script, classes, monkeypatch, caplog):
    script.sklearn.autolog(silent=True, log_models=False)
    monkeypatch.setattr(fluent, "log_params", None)
    with caplog.at_level("INFO"):
        LogisticRegression().fit(*classes)
    assert caplog.records == []


def test_what_failed_stands_in_the_run(script, classes, monkeypatch, runs):
    script.sklearn.autolog(log_models=False)
    monkeypatch.setattr(fluent, "log_params", None)
    LogisticRegression().fit(*classes)
    [run] = runs()
    assert "logging params failed: TypeError" in run.data.tags["mltrack.autolog.warnings"]
    assert "training_score" in run.data.metrics


def test_a_patch_that_fails_breaks_no_import(script, monkeypatch, classes):
    monkeypatch.setattr(integrations.sklearn.INTEGRATION, "_patch", lambda *_: 1 / 0)
    script.sklearn.autolog()
    LogisticRegression().fit(*classes)
    assert switched_on() == ["sklearn"]
