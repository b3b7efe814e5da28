"""What a cell made, from its namespace before and after."""

import math
from decimal import Decimal
from unittest.mock import MagicMock

import numpy as np
import pytest

from mltrack_jupyter.capture.code import read_code
from mltrack_jupyter.capture.namespace import Cell, Snapshot, infer
from mltrack_jupyter.capture.outcome import outcome_of
from mltrack_jupyter.capture.values import as_number, is_estimator, is_fitted, shown_text


def run(source, namespace=None, params=None, metrics=None):
    """Run a cell as a kernel would, without a kernel."""
    space = {} if namespace is None else namespace
    code = read_code(source)
    before = Snapshot(space, code)
    error = None
    try:
        exec(compile(source, "<cell>", "exec"), space)
    except Exception as raised:
        error = raised
    outcome = outcome_of(error, space)
    return infer(Cell(code, before, space, outcome.line), params, metrics)


class Model:
    def __init__(self, depth=2, inner=None):
        self.depth, self.inner = depth, inner

    def get_params(self, deep=True):
        return {"depth": self.depth, "inner": self.inner}

    def fit(self, rows=None):
        self.coef_ = [1]
        return self

    def predict(self, rows):
        return rows


class Broken(Model):
    def get_params(self, deep=True):
        raise RuntimeError("no")


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (1, 1.0),
        (0.5, 0.5),
        (np.float32(0.5), 0.5),
        (np.int64(3), 3.0),
        (np.array(2.0), 2.0),
        (math.inf, math.inf),
        (Decimal("1.5"), 1.5),
        (True, None),
        (np.bool_(1), None),
        ("1", None),
        (None, None),
        (np.array([1.0]), None),
        (1j, None),
        (np.complex64(1), None),
        (10**400, None),
        (np.datetime64("2020-01-01", "ns"), None),
        (np.timedelta64(1, "s"), None),
        (MagicMock(), None),
    ],
)
def test_numbers(value, number):
    assert as_number(value) == number


def test_params_and_metrics():
    found = run(
        "a = 3\nb = [1, 2]\nc = a / 2\nd = float('nan')\ne = 'x'.upper()\nlosses = []\nlosses.append(1)"
    )
    assert found.params == {"a": "3", "b": "[1, 2]"}
    assert found.metrics["c"] == 1.5
    assert math.isnan(found.metrics["d"])
    assert len(found.metrics) == 2


def test_only_what_this_execution_bound():
    space = {"old": 7, "cached": 5, "loss": 0.25}
    found = run("if False:\n    old = f()\nfor loss in []:\n    pass\ncached = len('abcde')", space)
    assert found.metrics == {"cached": 5.0}


def test_a_loop_that_reaches_the_same_number_again():
    source = "for i in range(2):\n    right = len('abc')\n    loss = 0.5 / (i + 1)"
    space = {}
    assert run(source, space).metrics == run(source, space).metrics == {"right": 3.0, "loss": 0.25}


def test_a_failed_cell_tells_what_came_before():
    found = run("a = 1\nb = a / 2\nc = 1 / 0\nd = 3\ne = d / 2", {"d": 3, "e": 9.0})
    assert found.params == {"a": "1"}
    assert found.metrics == {"b": 0.5}


def test_an_estimator_and_its_model():
    found = run("depth = 3\nm = Model(depth=depth).fit()", {"Model": Model})
    assert found.params == {"depth": "3", "inner": "None"}
    assert found.model_name == "m"
    assert is_fitted(found.model)


def test_names_that_clash_and_two_estimators():
    found = run("depth = 9\nm = Model(depth=1)", {"Model": Model})
    assert found.params == {"depth": "9", "m.depth": "1", "inner": "None"}
    assert found.model is None
    found = run("a = Model(1)\nb = Model(2, inner=a).fit()\nsame = b", {"Model": Model})
    assert found.params == {"a.depth": "1", "a.inner": "None", "b.depth": "2", "b.inner": "Model"}
    assert found.model_name == "b"
    assert found.warnings == []


def test_the_model_fitted_last_is_logged_and_the_choice_is_said():
    found = run("a = Model()\nb = Model()\nb.fit()\na.fit()", {"Model": Model})
    assert found.model_name == "a"
    assert "2 fitted models" in found.warnings[0]


def test_only_estimators_that_the_cell_touched():
    space = {"old": Model().fit(), "refit": Model().fit(), "deep": Model().fit()}
    found = run("refit.fit()\ndef train(m): m.fit()\ntrain(deep)", space)
    assert found.model_name in ("refit", "deep")
    assert not any(key.startswith("old") for key in found.params)


def test_what_only_looks_like_an_estimator():
    assert not is_estimator(Model)
    assert not is_estimator(MagicMock())
    assert not is_estimator(np.ones(1))
    found = run("m = Broken()", {"Broken": Broken})
    assert found.params == {}
    assert found.model is None


def test_selected_names():
    space = {"Model": Model}
    found = run(
        "a = 1\nscore = a / 2\nm = Model(5)\nt = 'x'",
        space,
        params=["a", "depth", "scor"],
        metrics=["t", "a"],
    )
    assert found.params == {"a": "1", "depth": "5"}
    assert found.metrics == {"a": 1.0}
    assert found.inferred_params == found.inferred_metrics == []
    assert any("'score'" in note for note in found.warnings)
    assert any("a str" in n for n in found.warnings)


def test_long_values_are_cut():
    found = run("s = 'x' * 1\nlong = '" + "y" * 900 + "'")
    assert len(found.params["long"]) == 500
    assert shown_text([("a", Model()), Model(1)]) == "[(a, Model), Model]"
