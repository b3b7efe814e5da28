"""The same script with mlflow and with this package: the same names, and the same figures."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
import json, sys, warnings
warnings.filterwarnings("ignore")
import {package} as mlflow
mlflow.set_tracking_uri({uri!r})
for library in ("sklearn", "xgboost", "lightgbm"):
    getattr(mlflow, library).autolog(log_models=False, log_datasets=False)
import lightgbm, xgboost
from sklearn.cluster import KMeans
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import accuracy_score, mean_absolute_error
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

X, y = load_iris(return_X_y=True, as_frame=True)
two = (y == 0).astype(int)
found = {{}}

def note(title):
    run = mlflow.last_active_run()
    client = (getattr(mlflow, "MlflowClient", None) or mlflow.Client)()
    children = client.search_runs(
        [run.info.experiment_id], f"tags.mlflow.parentRunId = '{{run.info.run_id}}'"
    )
    told = lambda run: [dict(run.data.params), dict(run.data.metrics), dict(run.data.tags)]
    found[title] = [told(run), sorted(map(told, children), key=lambda item: item[0]["C"])]

model = LogisticRegression(C=0.5).fit(X, y)
predicted = model.predict(X)
accuracy_score(y, predicted); accuracy_score(y, predicted); model.score(X, y)
note("classifier")
LogisticRegression().fit(X, two); note("two classes")
LinearSVC().fit(X, y); note("no probabilities")
line = Ridge().fit(X, y); mean_absolute_error(y, line.predict(X)); note("regressor")
KMeans(2, random_state=0).fit(X); note("no targets")
make_pipeline(StandardScaler(), Ridge()).fit(X, y); note("pipeline")
GridSearchCV(LogisticRegression(), {{"C": [1, 2, 3, 4, 5, 6]}}, cv=2).fit(X, y); note("search")
data = xgboost.DMatrix(X, two)
xgboost.train({{"objective": "binary:logistic", "eval_metric": ["logloss", "auc"]}}, data, 5,
              evals=[(data, "train")], early_stopping_rounds=2, verbose_eval=False)
note("xgboost")
xgboost.XGBClassifier(n_estimators=3).fit(X, two, eval_set=[(X, two)], verbose=False)
note("XGBClassifier")
train = lightgbm.Dataset(X, two)
lightgbm.train({{"objective": "binary", "verbose": -1}}, train, 3, valid_sets=[train],
               valid_names=["v"])
note("lightgbm")
lightgbm.LGBMRegressor(n_estimators=3, verbose=-1).fit(X, y, eval_set=[(X, y)])
note("LGBMRegressor")
print("FOUND" + json.dumps(found, default=str))
"""


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """Return what each of the packages logged, by the name of the training."""
    folder = tmp_path_factory.mktemp("both")
    hidden = ("MLFLOW_", "MLTRACK_", "JPY_")
    env = {key: value for key, value in os.environ.items() if not key.startswith(hidden)}
    env |= {"PYTHONPATH": str(Path(__file__).parents[3]), "OMP_NUM_THREADS": "1"}
    # Its database takes longer to make than everything else here.
    env["MLFLOW_ALLOW_FILE_STORE"] = "true"
    started = {}
    for package, uri in (
        ("mlflow", (folder / "theirs").as_uri()),
        ("mltrack_jupyter", str(folder / "ours")),
    ):
        code = SCRIPT.format(package=package, uri=uri)
        started[package] = subprocess.Popen(
            [sys.executable, "-c", code],
            cwd=folder, env=env, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
    found = {}
    for package, process in started.items():
        out, said = process.communicate(timeout=240)
        assert process.returncode == 0, said
        found[package] = json.loads(out.partition("FOUND")[2])
    return found["mlflow"], found["mltrack_jupyter"]


TITLES = ("classifier", "two classes", "no probabilities", "regressor", "no targets", "pipeline",
          "search", "xgboost", "XGBClassifier", "lightgbm", "LGBMRegressor")  # fmt: skip


def settled(values):
    """Return metrics without times, which no two runs share."""
    return {key: value for key, value in values.items() if "_time" not in key}


@pytest.mark.parametrize("title", TITLES)
def test_the_same(both, title):
    (theirs, their_children), (ours, our_children) = both[0][title], both[1][title]
    assert ours[0] == theirs[0]
    assert settled(ours[1]) == pytest.approx(settled(theirs[1]))
    assert ours[1].keys() == theirs[1].keys()
    own = {key: value for key, value in theirs[2].items() if not key.startswith("mlflow.")}
    assert own.items() <= ours[2].items()
    assert ours[2]["mlflow.autologging"] == theirs[2]["mlflow.autologging"]
    assert len(our_children) == len(their_children)
    assert [item[1].keys() for item in our_children] == [item[1].keys() for item in their_children]


def test_children_of_a_search(both):
    children = [{item[0]["C"]: item for item in found["search"][1]} for found in both]
    for name in set(children[0]) & set(children[1]):
        theirs, ours = (found[name] for found in children)
        assert ours[0] == theirs[0]
        assert settled(ours[1]) == pytest.approx(settled(theirs[1]))
        assert ours[2]["estimator_class"] == theirs[2]["estimator_class"]
