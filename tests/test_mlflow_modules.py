"""What public code imports from MLflow's modules is there under the same names, and means the same."""

import importlib
import re
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

import mltrack_jupyter
from mltrack_jupyter.errors import InvalidParameter
from mltrack_jupyter.models import Model, infer_signature, set_signature

mlflow = pytest.importorskip("mlflow")

SHARED = {
    "artifacts": "download_artifacts list_artifacts load_dict load_image load_text",
    "client": "MlflowClient",
    "data": "Dataset DatasetSource from_numpy from_pandas get_source get_registered_sources",
    "data.code_dataset_source": "CodeDatasetSource",
    "data.dataset": "Dataset",
    "data.dataset_source": "DatasetSource",
    "data.dataset_source_registry": "register_dataset_source resolve_dataset_source",
    "data.http_dataset_source": "HTTPDatasetSource",
    "data.pandas_dataset": "PandasDataset from_pandas",
    "entities": "Dataset DatasetInput Experiment ExperimentTag FileInfo InputTag LifecycleStage "
    "LoggedModel LoggedModelStatus LoggedModelTag Metric Param Run RunData RunInfo RunInputs RunOutputs "
    "RunStatus RunTag SourceType ViewType",
    "entities.dataset_input": "DatasetInput",
    "entities.file_info": "FileInfo",
    "entities.input_tag": "InputTag",
    "entities.lifecycle_stage": "LifecycleStage",
    "entities.logged_model_status": "LoggedModelStatus",
    "entities.metric": "Metric",
    "entities.model_registry": "ModelVersion ModelVersionTag RegisteredModel RegisteredModelAlias "
    "RegisteredModelTag",
    "entities.model_registry.model_version": "ModelVersion",
    "entities.model_registry.model_version_stages": "ALL_STAGES STAGE_ARCHIVED STAGE_NONE "
    "STAGE_PRODUCTION STAGE_STAGING DEFAULT_STAGES_FOR_GET_LATEST_VERSIONS get_canonical_stage",
    "entities.model_registry.model_version_status": "ModelVersionStatus",
    "entities.model_registry.registered_model": "RegisteredModel",
    "entities.param": "Param",
    "entities.run_info": "RunInfo",
    "entities.run_status": "RunStatus",
    "entities.run_tag": "RunTag",
    "entities.source_type": "SourceType",
    "entities.view_type": "ViewType",
    "environment_variables": "MLFLOW_EXPERIMENT_ID MLFLOW_EXPERIMENT_NAME MLFLOW_REGISTRY_URI "
    "MLFLOW_RUN_ID MLFLOW_TRACKING_INSECURE_TLS MLFLOW_TRACKING_TOKEN MLFLOW_TRACKING_URI",
    "exceptions": "MlflowException RestException",
    "metrics": "EvaluationMetric MetricValue f1_score mae make_metric mape max_error mse precision_score "
    "r2_score recall_score rmse",
    "metrics.base": "MetricValue",
    "models": "EvaluationResult MetricThreshold Model ModelInputExample ModelSignature evaluate "
    "get_model_info infer_signature make_metric set_signature",
    "models.evaluation": "EvaluationResult MetricThreshold evaluate make_metric",
    "models.model": "Model ModelInfo",
    "models.signature": "ModelSignature infer_signature",
    "models.utils": "ModelInputExample",
    "protos.databricks_pb2": "ErrorCode INTERNAL_ERROR INVALID_PARAMETER_VALUE RESOURCE_ALREADY_EXISTS "
    "RESOURCE_DOES_NOT_EXIST",
    "pyfunc": "PyFuncModel load_model",
    "sklearn": "autolog load_model log_model save_model",
    "store.entities": "PagedList",
    "store.entities.paged_list": "PagedList",
    "tracking": "MlflowClient get_tracking_uri set_tracking_uri",
    "tracking.client": "MlflowClient",
    "tracking.fluent": "ActiveRun active_run start_run log_metric",
    "types": "ColSpec DataType ParamSchema ParamSpec Schema TensorSpec",
    "types.schema": "Array ColSpec DataType Map Object ParamSchema ParamSpec Property Schema TensorSpec",
    "utils.mlflow_tags": "MLFLOW_PARENT_RUN_ID MLFLOW_RUN_NAME MLFLOW_SOURCE_NAME MLFLOW_USER",
    "utils.time": "get_current_time_millis",
    "utils.validation": "MAX_METRICS_PER_BATCH MAX_PARAMS_TAGS_PER_BATCH MAX_PARAM_VAL_LENGTH",
    "version": "VERSION",
}


@pytest.mark.parametrize("name", SHARED)
def test_both_have_them(name):
    theirs = importlib.import_module(f"mlflow.{name}")
    ours = importlib.import_module(f"mltrack_jupyter.{name}")
    names = SHARED[name].split()
    assert [item for item in names if not hasattr(theirs, item)] == []
    assert [item for item in names if not hasattr(ours, item)] == []


def test_they_are_reached_as_attributes_after_one_import():
    code = """
import mltrack_jupyter as mlflow
print(mlflow.entities.model_registry, mlflow.utils, mlflow.protos, mlflow.version.VERSION)
print(mlflow.tracking.client.MlflowClient, mlflow.tracking.fluent.start_run, mlflow.store)
print(mlflow.environment_variables.MLFLOW_RUN_ID, mlflow.models.Model, mlflow.types.schema.Array)
"""
    code = code.replace("mlflow.entities.model_registry", "mlflow.entities")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_tags_have_mlflows_names():
    from mltrack_jupyter.utils import mlflow_tags as ours

    theirs = vars(mlflow.utils.mlflow_tags)
    assert {name: getattr(ours, name) for name in ours.__all__} == {
        name: theirs[name] for name in ours.__all__
    }


def test_codes_have_mlflows_numbers():
    from mlflow.protos import databricks_pb2 as theirs

    from mltrack_jupyter.protos import databricks_pb2 as ours

    assert dict(ours.ErrorCode.items()).items() <= dict(theirs.ErrorCode.items()).items()
    assert ours.ErrorCode.Name(ours.RESOURCE_DOES_NOT_EXIST) == "RESOURCE_DOES_NOT_EXIST"
    assert ours.ErrorCode.Value("BAD_REQUEST") == ours.BAD_REQUEST == theirs.BAD_REQUEST
    with pytest.raises(ValueError, match="NO_SUCH"):
        ours.ErrorCode.Value("NO_SUCH")


def test_every_error_of_ours_has_a_code_of_mlflow():
    from mltrack_jupyter import errors
    from mltrack_jupyter.protos.databricks_pb2 import ErrorCode

    codes = {kind.error_code for kind in vars(errors).values() if hasattr(kind, "error_code")}
    assert codes - set(ErrorCode.keys()) == {"REQUEST_TOO_LARGE"}  # a proxy's, not MLflow's


def test_words_and_their_numbers():
    from mltrack_jupyter.entities import (
        LifecycleStage,
        LoggedModelStatus,
        ModelVersionStatus,
        RunStatus,
        SourceType,
        ViewType,
    )

    assert SourceType.to_string(SourceType.from_string("NOTEBOOK")) == SourceType.to_string(1)
    assert ModelVersionStatus.to_string(3) == "READY" == ModelVersionStatus.from_string("READY")
    assert RunStatus.is_terminated(3)
    assert not RunStatus.is_terminated(RunStatus.RUNNING)
    assert len(RunStatus.all_status()) == 5
    assert ViewType.from_string("active_only") is ViewType.ACTIVE_ONLY
    assert ViewType.to_string(3) == "all"
    assert LifecycleStage.view_type_to_stages(ViewType.ALL) == ["active", "deleted"]
    assert LifecycleStage.matches_view_type(ViewType.DELETED_ONLY, "deleted")
    assert LifecycleStage.is_valid("active")
    assert not LifecycleStage.is_valid("gone")
    assert f"{LifecycleStage.ACTIVE} {LoggedModelStatus.READY}" == "active READY"
    assert LoggedModelStatus("READY") is LoggedModelStatus.from_int(
        LoggedModelStatus.READY.to_int()
    )
    assert LoggedModelStatus.is_finalized(LoggedModelStatus.FAILED)


def test_stages_are_spelled_as_mlflow_spells_them():
    from mltrack_jupyter.entities.model_registry.model_version_stages import get_canonical_stage

    assert get_canonical_stage("production") == "Production"
    with pytest.raises(InvalidParameter, match="Staging"):
        get_canonical_stage("bored")


def test_a_page_is_mlflows_list(tmp_path):
    from mltrack_jupyter.store.entities import PagedList

    found = mltrack_jupyter.Client(tmp_path / "s").search_experiments()
    assert isinstance(found, PagedList)
    assert (len(found), found.token) == (1, None)  # as of MLflow, on the last page


def test_variables_are_read_set_and_taken_back(monkeypatch):
    from mltrack_jupyter.environment_variables import (
        MLFLOW_HTTP_REQUEST_TIMEOUT,
        MLFLOW_RUN_ID,
        MLFLOW_TRACKING_INSECURE_TLS,
    )

    monkeypatch.delenv("MLFLOW_RUN_ID", raising=False)
    assert (MLFLOW_RUN_ID.get(), MLFLOW_RUN_ID.is_set(), MLFLOW_RUN_ID.defined) == (
        None,
        False,
        False,
    )
    MLFLOW_RUN_ID.set("r")
    assert MLFLOW_RUN_ID.get() == "r"
    MLFLOW_RUN_ID.unset()
    assert MLFLOW_RUN_ID.get_raw() is None
    monkeypatch.setenv("MLFLOW_TRACKING_INSECURE_TLS", "True")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "7")
    assert MLFLOW_TRACKING_INSECURE_TLS.get() is True
    assert MLFLOW_HTTP_REQUEST_TIMEOUT.get() == 7
    monkeypatch.setenv("MLFLOW_TRACKING_INSECURE_TLS", "perhaps")
    with pytest.raises(ValueError, match="perhaps"):
        MLFLOW_TRACKING_INSECURE_TLS.get()


# --- signatures -----------------------------------------------------------------------------------

FRAME = pd.DataFrame(
    {"a": [1.0, None], "b": ["x", "y"], "c": [[1, 2], [3]], "d": [{"k": 1}, {"k": 2}]}
)
PARAMS = {"t": 0.5, "l": [1, 2], "o": {"a": 1}, "yes": True}


def pair(*arguments):
    return infer_signature(*arguments), mlflow.models.infer_signature(*arguments)


def test_a_signature_prints_and_answers_as_mlflows():
    ours, theirs = pair(FRAME, np.zeros((3, 2)), PARAMS)
    assert str(ours) == str(theirs)
    assert ours.to_dict() == theirs.to_dict()
    for ask in ("input_names", "required_input_names", "optional_input_names", "has_input_names",
                "is_tensor_spec", "to_json"):  # fmt: skip
        assert getattr(ours.inputs, ask)() == getattr(theirs.inputs, ask)(), ask
        assert getattr(ours.outputs, ask)() == getattr(theirs.outputs, ask)(), ask
    assert repr(ours.inputs.input_types()) == repr(theirs.inputs.input_types())
    assert repr(ours.inputs.input_dict()) == repr(theirs.inputs.input_dict())
    assert ours.outputs.numpy_types() == theirs.outputs.numpy_types()
    assert [str(spec) for spec in ours.params] == [str(spec) for spec in theirs.params]
    again = type(ours).from_dict(ours.to_dict())
    assert again == ours


def test_types_for_numpy_and_pandas():
    ours, theirs = pair(pd.DataFrame({"s": ["a"], "x": [0.5], "b": [True]}))
    assert ours.inputs.numpy_types() == theirs.inputs.numpy_types()
    assert ours.inputs.pandas_types() == theirs.inputs.pandas_types()
    with pytest.raises(InvalidParameter, match="single values"):
        infer_signature(FRAME).inputs.pandas_types()
    with pytest.raises(InvalidParameter, match="no names"):
        infer_signature([1, 2]).inputs.input_dict()


def by_hand(library):
    schema = importlib.import_module(f"{library}.types.schema")
    s = schema
    yield s.Schema([s.ColSpec(s.DataType.double, "x"), s.ColSpec("long", "n", required=False)])
    yield s.Schema(
        [s.ColSpec(s.Array("string"), "tags"), s.ColSpec(s.Map(s.DataType.long), "counts")]
    )
    yield s.Schema([s.ColSpec(s.Object([s.Property("a", "string"),
                                        s.Property("b", s.Array("long"), required=False)]), "o")])  # fmt: skip
    yield s.Schema([s.TensorSpec(np.dtype("float32"), (-1, 28, 28), "image")])
    yield s.ParamSchema([s.ParamSpec("t", "double", 1), s.ParamSpec("l", "long", [1], (-1,)),
                         s.ParamSpec("s", s.DataType.string, "x"), s.ParamSpec("n", "long", None)])  # fmt: skip


@pytest.mark.parametrize("number", range(5))
def test_schemas_by_hand(number):
    ours, theirs = list(by_hand("mltrack_jupyter"))[number], list(by_hand("mlflow"))[number]
    assert ours.to_json() == theirs.to_json()
    assert repr(ours) == repr(theirs).replace("DataType.", "")
    assert type(ours).from_json(theirs.to_json()) == ours


def wrong():
    from mltrack_jupyter.models import ModelSignature
    from mltrack_jupyter.types.schema import Array, ColSpec, ParamSchema, ParamSpec, Schema

    twice = ParamSpec("a", "long", 1)
    return {
        "no type 'nope'": lambda: ColSpec("nope"),
        "no type 'nop'": lambda: Array("nop"),
        "'x' of the param 'a' is no double": lambda: ParamSpec("a", "double", "x"),
        "shape=\\(-1,\\)": lambda: ParamSpec("a", "string", ["x"]),
        "is a list": lambda: ParamSpec("a", "string", "x", (-1,)),
        "right is None": lambda: ParamSpec("a", "long", [1], (2, 2)),
        "True of the param": lambda: ParamSpec("a", "long", True),
        "names of their own": lambda: ParamSchema([twice, twice]),
        "infer_signature": lambda: ModelSignature(inputs=[1]),
        "ColSpec or TensorSpec": lambda: Schema([1]),
    }


@pytest.mark.parametrize("said", wrong())
def test_what_is_no_schema_is_told(said):
    with pytest.raises(InvalidParameter, match=said):
        wrong()[said]()


@pytest.mark.parametrize(
    "content",
    [
        {"inputs": '[{"type": "sparkml vector", "name": "v"}]'},
        {"inputs": '[{"type": "array", "name": "v"}]'},
        {"inputs": '[{"type": "array", "items": {"type": ["x"]}, "name": "v"}]'},
        {"params": '[{"name": "a", "type": "double", "default": "x", "shape": null}]'},
        {"params": '[{"name": "a", "dtype": "long", "default": 1}]'},
    ],
)
def test_a_type_that_is_not_known_costs_no_model(content):
    from mltrack_jupyter.models import ModelSignature

    found = ModelSignature.from_dict(content)
    assert repr(found)
    assert ModelSignature.from_dict(found.to_dict()) == found


def test_what_a_model_says_of_itself(tmp_path):
    from sklearn.linear_model import LinearRegression

    model = LinearRegression().fit([[1.0], [2.0]], [1, 2])
    mltrack_jupyter.sklearn.save_model(model, tmp_path / "m", input_example=pd.DataFrame({"x": [1.0]}),
                                       metadata={"team": "plants"})  # fmt: skip
    for place in (tmp_path / "m", str(tmp_path / "m" / "MLmodel")):
        about = Model.load(place)
        assert about.signature.inputs.input_names() == ["x"]
        assert set(about.flavors) == {"sklearn", "python_function"}
        assert about.load_input_example(place).to_dict("list") == {"x": [1.0]}
    assert about.get_model_info().metadata == {"team": "plants"}
    assert about.get_params_schema() is None
    signature = infer_signature(pd.DataFrame({"x": [1.0]}), np.array([1.0]), {"depth": 3})
    set_signature(tmp_path / "m", signature)
    assert Model.load(tmp_path / "m").signature == signature
    assert Model.load(tmp_path / "m").get_params_schema().params[0].default == 3
    assert mlflow.models.Model.load(str(tmp_path / "m")).signature.to_dict() == signature.to_dict()
    assert [path.name for path in (tmp_path / "m").glob(".*")] == []
    with pytest.raises(InvalidParameter, match="infer_signature"):
        set_signature(tmp_path / "m", {"inputs": "x"})
    with pytest.raises(InvalidParameter, match="stays as it is"):
        set_signature("models:/m/1", signature)


@pytest.mark.parametrize(
    "example", [np.array([[1.0, 2.0]]), [{"a": 1}], pd.DataFrame({"x": [1, 2]})]
)
def test_an_example_comes_back_as_it_was(tmp_path, example):
    from sklearn.dummy import DummyClassifier

    model = DummyClassifier().fit([[0]], [0])
    mltrack_jupyter.sklearn.save_model(model, tmp_path / "m", input_example=example)
    found = Model.load(tmp_path / "m").load_input_example(tmp_path / "m")
    assert type(found) is type(example)
    assert str(found) == str(example)


# --- metrics --------------------------------------------------------------------------------------

MEASURES = ["mae", "mse", "rmse", "r2_score", "max_error", "mape", "recall_score", "precision_score",
            "f1_score"]  # fmt: skip


@pytest.mark.parametrize("name", MEASURES)
def test_a_metric_finds_what_mlflows_finds(name):
    truth, predicted = pd.Series([0, 1, 1, 0]), pd.Series([0, 1, 0, 0])
    ours, theirs = getattr(mltrack_jupyter.metrics, name)(), getattr(mlflow.metrics, name)()
    assert str(ours) == str(theirs)
    assert ours.eval_fn(predicted, truth).aggregate_results == pytest.approx(
        theirs.eval_fn(predicted, truth).aggregate_results
    )
    assert ours(predictions=predicted, targets=truth) == ours.eval_fn(predicted, truth)
    with pytest.raises(InvalidParameter, match="give targets"):
        ours.eval_fn(predicted)


def test_a_metric_that_cannot_be_computed_says_why():
    with pytest.raises(InvalidParameter, match=re.escape("'recall_score' cannot be computed")):
        mltrack_jupyter.metrics.recall_score().eval_fn([0, 1, 2], [0, 1, 2])
