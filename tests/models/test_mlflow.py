"""MLflow reads our folders, and we read its. Runs where MLflow is installed."""

import pytest

from mltrack_jupyter.errors import PermissionDenied
from mltrack_jupyter.models import (
    ModelFolder,
    ModelSignature,
    infer_signature,
    load_model,
    pyfunc,
    read_metadata,
    save_model,
)

mlflow = pytest.importorskip("mlflow")
pytest.importorskip("mlflow.sklearn")


@pytest.fixture(autouse=True)
def quiet(monkeypatch):
    monkeypatch.setenv("MLFLOW_ALLOW_PICKLE_DESERIALIZATION", "true")


@pytest.mark.parametrize("kind", ["cloudpickle", "pickle", "skops"])
def test_mlflow_reads_ours(tree, iris, tmp_path, kind):
    path = str(tmp_path / "m")
    data, _ = iris
    save_model(
        tree,
        path,
        signature=infer_signature(data, tree.predict(data)),
        input_example=data,
        serialization_format=kind,
    )
    assert mlflow.sklearn.load_model(path).get_params() == tree.get_params()
    model = mlflow.pyfunc.load_model(path)
    assert (model.predict(data) == tree.predict(data)).all()
    assert model.metadata.get_input_schema().input_names() == list(data.columns)
    assert len(model.metadata.load_input_example(path)) == 20


@pytest.mark.parametrize("kind", ["cloudpickle", "skops"])
def test_we_read_mlflows(tree, iris, tmp_path, kind):
    path = str(tmp_path / "m")
    data, _ = iris
    mlflow.sklearn.save_model(
        tree,
        path,
        signature=mlflow.models.infer_signature(data, tree.predict(data)),
        serialization_format=kind,
        skops_trusted_types=["sklearn.tree._tree.Tree"],
        pip_requirements=["scikit-learn"],  # else MLflow starts a process to find them
    )
    with pytest.raises(PermissionDenied):
        load_model(path)
    model = pyfunc.load_model(path, trust=True)
    assert (model.predict(data) == tree.predict(data)).all()
    assert model.metadata.signature == infer_signature(data, tree.predict(data))


def samples():
    import numpy as np
    import pandas as pd

    frame = pd.DataFrame(
        {
            "i": [1, 2], "f": [1.0, 2.0], "s": ["a", None], "b": [True, False],
            "d": pd.to_datetime(["2020-01-01", "2020-01-02"]), "l": [[1], [2, 3]],
            "o": [{"a": 1}, {"a": 2, "b": "x"}], "f32": np.array([1, 2], "float32"),
        }
    )  # fmt: skip
    array = np.zeros((3, 4))
    return [
        frame, array, {"a": array, "b": array[0]}, [1, 2, 3], ["x"], [{"a": 1}, {"a": 2}],
        [{"a": [1.0, 2.0]}], {"q": "hi", "k": [1, 2], "z": {"y": 1.0}}, "text", 1.5, [],
        {"a": None, "b": 1}, array.astype("float32"), np.array(["a"]), frame["i"], [[1], [2]],
        {"a": [2], "b": 1}, [{"a": {"b": [{"c": 1}, {"c": 2, "d": "x"}]}}],
    ]  # fmt: skip


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("number", range(18))
def test_signatures_are_those_that_mlflow_infers(number):
    data = samples()[number]
    theirs = mlflow.models.infer_signature(data).to_dict()
    assert ModelSignature.from_dict(theirs) == infer_signature(data)
    again = mlflow.models.ModelSignature.from_dict(infer_signature(data).to_dict())
    assert again.to_dict() == theirs


def test_mlmodel_of_mlflow_survives_reading_and_writing(tree, tmp_path):
    path = str(tmp_path / "m")
    mlflow.sklearn.save_model(
        tree, path, serialization_format="cloudpickle", pip_requirements=["scikit-learn"]
    )
    about = read_metadata(ModelFolder.open(path))
    (tmp_path / "m" / "MLmodel").write_text(about.to_yaml())
    assert mlflow.models.Model.load(path).model_uuid == about.model_uuid
