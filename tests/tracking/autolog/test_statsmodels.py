"""statsmodels: figures and summary; a pickle only for those who ask for it."""

import json
import warnings
from pathlib import Path

import pandas
import pytest
import statsmodels.api as sm
import statsmodels.formula.api as smf
from statsmodels.base.model import LikelihoodModel
from statsmodels.regression.linear_model import RegressionModel
from statsmodels.tsa.api import VAR, ExponentialSmoothing

from mltrack_jupyter import RunStatus


def test_a_fit(script, numbers, runs, files):
    script.autolog()
    X, y = numbers
    result = sm.OLS(y, X).fit(cov_type="HC1")
    [run] = runs()
    assert run.info.status is RunStatus.FINISHED
    assert run.data.params["cov_type"] == "HC1"
    assert run.data.metrics["rsquared"] == result.rsquared
    assert set(run.data.metrics) >= {"aic", "bic", "llf", "f_pvalue", "mse_resid", "df_model"}
    assert run.data.tags["estimator_name"] == "OLS"
    assert set(files(run)) == {"coefficients.json", "model_summary.txt"}
    place = script.download_artifacts(run.info.run_id, "coefficients.json")
    assert json.loads(Path(place).read_text())["x1"] == result.params[0]


def test_a_formula(script, numbers, runs):
    script.statsmodels.autolog()
    frame = pandas.DataFrame({"x": numbers[0][:, 0], "y": numbers[1]})
    smf.ols("y ~ x", frame).fit()
    [run] = runs()
    assert run.data.params["formula"] == "y ~ x"


def test_a_model_that_has_fewer_figures(script, classes, runs):
    script.statsmodels.autolog()
    sm.Logit(classes[1], classes[0]).fit(disp=0)
    [run] = runs()
    assert {"aic", "llf"} <= set(run.data.metrics)
    assert run.data.params["method"] == "newton"
    assert "mltrack.autolog.warnings" not in run.data.tags


def test_a_pickle_if_it_is_asked_for(script, numbers, runs, files):
    script.statsmodels.autolog(log_models=True)
    result = sm.OLS(numbers[1], numbers[0]).fit()
    [run] = runs()
    assert "model/model.pickle" in files(run)
    place = script.download_artifacts(run.info.run_id, "model/model.pickle")
    assert (sm.load(place).params == result.params).all()


def test_a_fit_that_fails(script, numbers, runs):
    script.statsmodels.autolog()
    with pytest.raises(ValueError):
        sm.OLS(numbers[1], numbers[0]).fit(method="divination")
    [run] = runs()
    assert run.info.status is RunStatus.FAILED


def test_put_back(script):
    owners = [RegressionModel, LikelihoodModel, sm.GLM]
    before = [vars(owner)["fit"] for owner in owners]
    script.statsmodels.autolog()
    assert not any(vars(owner)["fit"] in before for owner in owners)
    script.statsmodels.autolog(disable=True)
    assert [vars(owner)["fit"] for owner in owners] == before


def coefficients(script, run):
    place = script.download_artifacts(run.info.run_id, "coefficients.json")
    return json.loads(Path(place).read_text())


def test_several_equations(script, numbers, runs):
    script.statsmodels.autolog()
    frame = pandas.DataFrame(numbers[0][:, :2], columns=["a", "b"])
    result = VAR(frame).fit(1)
    VAR(frame.to_numpy()).fit(1)
    named, plain = runs()
    assert coefficients(script, named)["a"]["L1.b"] == result.params.loc["L1.b", "a"]
    assert coefficients(script, plain)["y1"]["L1.y2"] == result.params.loc["L1.b", "a"]
    assert not any("mltrack.autolog.warnings" in run.data.tags for run in (named, plain))


def test_coefficients_of_a_smoothing(script, numbers, runs):
    script.statsmodels.autolog()
    result = ExponentialSmoothing(numbers[1], trend="add").fit()
    [run] = runs()
    found = coefficients(script, run)
    assert found["smoothing_level"] == result.params["smoothing_level"]
    assert found["damping_trend"] is None
    assert "mltrack.autolog.warnings" not in run.data.tags


def test_a_figure_that_a_model_does_not_have_is_no_failure(script, numbers, runs):
    script.statsmodels.autolog()
    sm.RLM(numbers[1], numbers[0]).fit()
    [run] = runs()
    assert "scale" in run.data.metrics
    assert "mltrack.autolog.warnings" not in run.data.tags


def test_a_fit_that_has_no_summary(script, classes, runs, files, caplog):
    script.statsmodels.autolog()
    X, y = classes
    sm.Logit(y, X[:, :2]).fit_regularized(disp=0)
    [run] = runs()
    assert files(run) == ["coefficients.json"]
    assert caplog.messages == []


def test_warnings_of_the_log_are_not_the_users(script, numbers, runs):
    script.statsmodels.autolog()
    X, y = numbers
    with warnings.catch_warnings():
        # The summary, which nobody has asked for, would say that these are few rows for some tests.
        warnings.simplefilter("error")
        sm.OLS(y[:5], X[:5]).fit()
    assert "mltrack.autolog.warnings" not in runs()[0].data.tags
