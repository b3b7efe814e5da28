"""What is secret in a param is not stored, whichever way autologging finds it."""

import csv
from pathlib import Path

import pytest
from sklearn.base import BaseEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from mltrack_jupyter.tracking.autolog import record

# Taken apart, so that no scanner takes them for real ones.
KEY = "abc" + "123DEF"
TOKEN = "hf_" + "a" * 30


def same(X, **_):
    return X


class Hub(LogisticRegression):
    """A classifier that loads something from elsewhere."""

    def __init__(self, token=None, repo="", C=1.0):
        super().__init__(C=C)
        self.token = token
        self.repo = repo


def stored(runs):
    return [
        value for run in runs() for value in [*run.data.params.values(), *run.data.tags.values()]
    ]


def test_a_secret_by_its_name_and_by_its_shape(script, classes, runs):
    script.sklearn.autolog(log_models=False)
    shapes = FunctionTransformer(same, kw_args={"api_key": KEY, "size": 3})
    make_pipeline(shapes, Hub(token=KEY, repo=f"https://{TOKEN}@example.org/x")).fit(*classes)
    [run] = runs()
    params = run.data.params
    assert params["functiontransformer__kw_args"] == "{'api_key': '[redacted]', 'size': 3}"
    assert params["hub__token"] == "[redacted]"
    assert params["hub__repo"] == "https://[redacted]@example.org/x"
    assert not any(KEY in value or TOKEN in value for value in stored(runs))


def test_candidates_of_a_search_and_their_table(script, classes, runs):
    script.sklearn.autolog(log_models=False)
    GridSearchCV(Hub(), {"token": [KEY, None]}, cv=2).fit(*classes)
    assert len(runs()) == 3
    assert not any(KEY in value for value in stored(runs))
    place = script.download_artifacts(runs()[0].info.run_id, "cv_results.csv")
    text = Path(place).read_text()
    assert KEY not in text
    rows = list(csv.DictReader(text.splitlines()))
    assert [row["param_token"] for row in rows] == ["[redacted]", ""]


def test_what_failed_does_not_tell_either(script, classes, runs, monkeypatch):
    def broken(*_):
        raise RuntimeError(f"no answer from https://example.org?token={KEY}")

    script.sklearn.autolog(log_models=False, silent=True)
    monkeypatch.setattr(record.Record, "metrics", broken)
    LogisticRegression().fit(*classes)
    [run] = runs()
    assert "no answer" in run.data.tags["mltrack.autolog.warnings"]
    assert KEY not in run.data.tags["mltrack.autolog.warnings"]


def test_the_users_own_word_is_left_as_it_is(script, classes, runs):
    script.sklearn.autolog(log_models=False)
    with script.start_run():
        script.log_param("token", KEY)
        Hub(token=KEY).fit(*classes)
    [run] = runs()
    assert run.data.params["token"] == KEY
    assert "autolog.token" not in run.data.params


@pytest.mark.parametrize("name", ["max_token", "token_pattern", "random_state", "key"])
def test_settings_that_only_sound_secret(name):
    assert record.shown(name, 5) == "5"


def test_a_long_param_is_cut(script, runs):
    class Words(BaseEstimator):
        def __init__(self, words=()):
            self.words = words

    text = record.shown("words", ["word"] * 100_000 + [{"password": KEY}])
    assert len(text) == 6_000
    assert text.endswith("…")
    nearly = record.shown("text", "x" * 5_990 + f" password={KEY!r}")
    assert KEY[:5] not in nearly
