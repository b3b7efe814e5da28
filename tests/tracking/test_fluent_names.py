"""MLflow's names: which there are, with which parameters, and what the absent ones say."""

import importlib
import inspect

import pytest

import mltrack_jupyter
from mltrack_jupyter.errors import InvalidParameter, NotFound

# Parameters of MLflow's traces, gateways and clouds.
ABSENT = {"trace_location", "env_pack", "deployment_job_id", "workspace_store_uri", "dataset_path",
          "env_manager", "model_config", "inference_params", "_called_from_genai_evaluate"}  # fmt: skip


@pytest.fixture(scope="module")
def mlflow():
    return pytest.importorskip("mlflow")


def parameters(function):
    return [name for name in inspect.signature(function).parameters if name not in ABSENT]


@pytest.mark.parametrize("name", mltrack_jupyter.__all__)
def test_a_function_takes_what_mlflows_takes(mlflow, name):
    ours, theirs = getattr(mltrack_jupyter, name), getattr(mlflow, name, None)
    if inspect.isfunction(ours) and inspect.isfunction(theirs):
        taken = parameters(ours)
        assert [one for one in parameters(theirs) if one not in taken] == []


def test_a_method_of_the_client_takes_what_mlflows_takes(mlflow):
    ours = mltrack_jupyter.Client
    missing = {}
    for name, theirs in inspect.getmembers(mlflow.MlflowClient, inspect.isfunction):
        if not name.startswith("_") and hasattr(ours, name):
            taken = parameters(getattr(ours, name))
            missing[name] = [one for one in parameters(theirs) if one not in taken]
    assert {name: absent for name, absent in missing.items() if absent} == {}
    assert len(missing) > 60


def test_the_client_has_all_but_what_is_left_out(mlflow):
    words = ("trace", "span", "prompt", "webhook", "mcp", "workspace", "dataset")
    theirs = [name for name in dir(mlflow.MlflowClient) if not name.startswith("_")]
    absent = [name for name in theirs if not hasattr(mltrack_jupyter.Client, name)]
    assert [name for name in absent if not any(word in name for word in words)] == []


def test_every_function_is_there_or_says_why_not(mlflow):
    silent = []
    for name in mlflow.__all__:
        try:
            getattr(mltrack_jupyter, name)
        except AttributeError as error:
            if ": " not in str(error):
                silent.append(name)
    assert set(silent) == {"test"}


@pytest.mark.parametrize(
    ("name", "reason"),
    [("start_span", "traces"), ("catboost", "no flavor"), ("list_workspaces", "workspaces"), ("openai", "language models")],
)  # fmt: skip
def test_what_is_left_out_says_so(name, reason):
    with pytest.raises(AttributeError, match=f"no attribute '{name}': .*{reason}"):
        getattr(mltrack_jupyter, name)
    assert not hasattr(mltrack_jupyter, name)


def test_a_word_that_nobody_knows():
    with pytest.raises(
        AttributeError, match=r"no attribute 'strat_run'; did you mean 'start_run'\?$"
    ):
        _ = mltrack_jupyter.strat_run


def test_modules_are_where_scripts_look_for_them():
    from mltrack_jupyter.client import MlflowClient
    from mltrack_jupyter.entities import RunTag, Tag
    from mltrack_jupyter.exceptions import MlflowException, RestException
    from mltrack_jupyter.metrics.base import MetricValue
    from mltrack_jupyter.models.signature import Schema, infer_signature
    from mltrack_jupyter.tracking import MlflowClient as Same
    from mltrack_jupyter.types.schema import ColSpec

    assert MlflowClient is Same is mltrack_jupyter.Client
    assert MlflowException is RestException is mltrack_jupyter.MltrackError
    assert RunTag is Tag
    assert infer_signature is mltrack_jupyter.models.infer_signature
    assert (ColSpec("double", "x"),) == Schema([mltrack_jupyter.types.ColSpec("double", "x")]).specs
    assert MetricValue is mltrack_jupyter.metrics.MetricValue


@pytest.mark.parametrize(
    "library", ["keras", "lightgbm", "lightning", "pytorch", "statsmodels", "xgboost"]
)
def test_the_module_of_a_library_listens_and_says_what_it_has_not(library):
    module = importlib.import_module(f"mltrack_jupyter.{library}")
    assert module is getattr(mltrack_jupyter, library)
    assert callable(module.autolog)
    with pytest.raises(
        AttributeError, match=f"{library}' has no attribute 'log_model': .*no flavor"
    ):
        _ = module.log_model
    with pytest.raises(AttributeError, match=r"no attribute 'fit'$"):
        _ = module.fit


def test_a_model_of_ones_own_class_is_told_how():
    with pytest.raises(AttributeError, match=r"'PythonModel': .*BaseEstimator"):
        _ = mltrack_jupyter.pyfunc.PythonModel


def test_doctor_shows_no_secrets(mltrack, capsys, environment):
    environment.setenv("MLTRACK_TRACKING_TOKEN", "s3cret")
    environment.setenv("MLFLOW_RUN_NAME", "shown")
    mltrack.doctor()
    shown = capsys.readouterr().out
    assert "MLFLOW_RUN_NAME=shown" in shown
    assert "sqlalchemy " in shown
    assert "s3cret" not in shown
    mltrack.doctor(mask_envs=True)
    assert "=shown" not in capsys.readouterr().out


@pytest.mark.parametrize(
    "call",
    [
        lambda m: m.log_input(3),
        lambda m: m.create_experiment(None),
        lambda m: m.log_inputs([]),
        lambda m: m.log_inputs([None], ["a", "b"]),
        lambda m: m.log_outputs([]),
        lambda m: m.log_metric("a", 1, dataset="data.csv"),
        lambda m: m.log_model_params({"a": 1}),
        lambda m: m.set_active_model(),
        lambda m: m.search_logged_models(output_format="csv"),
        lambda m: m.search_logged_models(order_by=[{"field": "x"}]),
        lambda m: m.search_registered_models(max_results=0),
        lambda m: m.set_model_version_tag("a"),
        lambda m: m.log_stream("text", "a.txt"),
        lambda m: m.artifacts.download_artifacts(),
        lambda m: m.artifacts.list_artifacts("models:/a/1"),
        lambda m: m.artifacts.load_text("gopher://x"),
        lambda m: m.sklearn.log_model(object(), conda_env={}),
        lambda m: m.set_system_metrics_sampling_interval(0),
        lambda m: m.set_system_metrics_samples_before_logging("many"),
        lambda m: m.Client().log_image("r", [[0]], "a.png", key="b"),
        lambda m: m.Client().copy_model_version("runs:/abc/model", "b"),
    ],
)  # fmt: skip
def test_bad_input_is_refused(mltrack, call):
    with pytest.raises(InvalidParameter) as caught:
        call(mltrack)
    assert len(str(caught.value)) > 20


def test_what_is_not_there(mltrack, tmp_path):
    for call in (
        lambda: mltrack.get_parent_run("0" * 32),
        lambda: mltrack.finalize_logged_model("m-" + "0" * 32, "READY"),
        lambda: mltrack.delete_run("0" * 32),
        lambda: mltrack.artifacts.download_artifacts(str(tmp_path / "missing")),
        lambda: mltrack.Client().log_model_artifact(
            mltrack.create_external_model().model_id, "missing"
        ),
    ):
        with pytest.raises(NotFound):
            call()
