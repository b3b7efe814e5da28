import json
import stat
import sys
import threading

import numpy as np
import pytest
import yaml

from mltrack_jupyter.errors import AlreadyExists, InvalidParameter
from mltrack_jupyter.models import Provenance, infer_signature, read_metadata, save_model
from mltrack_jupyter.models.audit import digest
from mltrack_jupyter.models.folder import ModelFolder


def mlmodel(path):
    return yaml.safe_load((path / "MLmodel").read_text())


def test_the_folder_has_what_mlflow_expects(saved):
    assert {item.name for item in saved.iterdir()} == {
        "MLmodel",
        "model.pkl",
        "requirements.txt",
        "conda.yaml",
        "python_env.yaml",
    }
    flavors = mlmodel(saved)["flavors"]
    assert flavors["sklearn"]["pickled_model"] == "model.pkl"
    assert flavors["sklearn"]["serialization_format"] == "cloudpickle"
    assert flavors["sklearn"]["code"] is None
    generic = flavors["python_function"]
    assert (generic["loader_module"], generic["model_path"], generic["predict_fn"]) == (
        "mlflow.sklearn",
        "model.pkl",
        "predict",
    )
    assert generic["env"] == {"conda": "conda.yaml", "virtualenv": "python_env.yaml"}


def test_no_version_of_mlflow_is_claimed(saved):
    assert "mlflow_version" not in mlmodel(saved)


def test_the_class_and_the_digest_are_noted(saved):
    ours = mlmodel(saved)["metadata"]["mltrack"]
    assert ours["class"] == "sklearn.tree._classes.DecisionTreeClassifier"
    assert ours["sha256"] == {"model.pkl": digest((saved / "model.pkl").read_bytes())}


def test_the_run_is_noted(tree, tmp_path):
    about = save_model(tree, tmp_path / "m", provenance=Provenance("a" * 32, "model"))
    read = read_metadata(ModelFolder.open(tmp_path / "m"))
    assert (read.run_id, read.artifact_path) == ("a" * 32, "model")
    assert read == about


def test_environment_files_agree(saved):
    pins = (saved / "requirements.txt").read_text().split()
    conda = yaml.safe_load((saved / "conda.yaml").read_text())
    assert conda["dependencies"][-1] == {"pip": pins}
    assert yaml.safe_load((saved / "python_env.yaml").read_text())["dependencies"] == [
        "-r requirements.txt"
    ]
    assert [pin.partition("==")[0] for pin in pins] == [
        "cloudpickle",
        "numpy",
        "scikit-learn",
        "scipy",
    ]


@pytest.mark.parametrize("kind", ["cloudpickle", "pickle", "skops"])
def test_formats(tree, tmp_path, kind):
    if kind == "skops":
        pytest.importorskip("skops")
    save_model(tree, tmp_path / "m", serialization_format=kind)
    assert mlmodel(tmp_path / "m")["flavors"]["sklearn"]["serialization_format"] == kind


def test_an_example_of_a_frame_is_cut_and_gives_the_signature(tree, iris, tmp_path):
    about = save_model(tree, tmp_path / "m", input_example=iris[0])
    content = json.loads((tmp_path / "m" / "input_example.json").read_text())
    assert content["columns"] == list(iris[0].columns)
    assert len(content["data"]) == 20
    request = json.loads((tmp_path / "m" / "serving_input_example.json").read_text())
    assert request == {"dataframe_split": content}
    assert about.signature.inputs.names == list(iris[0].columns)
    assert mlmodel(tmp_path / "m")["saved_input_example_info"]["type"] == "dataframe"


def test_an_example_of_an_array_keeps_missing_values_as_null(tree, tmp_path):
    save_model(tree, tmp_path / "m", input_example=np.array([[1.0, np.nan, 2.0, 3.0]]))
    content = json.loads((tmp_path / "m" / "input_example.json").read_text())
    assert content == [[1.0, None, 2.0, 3.0]]


def test_an_example_of_records(tree, tmp_path):
    save_model(tree, tmp_path / "m", input_example=[{"a": np.int64(1), "b": "x"}])
    content = json.loads((tmp_path / "m" / "serving_input_example.json").read_text())
    assert content == {"inputs": [{"a": 1, "b": "x"}]}


def test_dates_and_missing_cells_of_an_example(tree, tmp_path):
    import pandas as pd

    frame = pd.DataFrame({"d": pd.to_datetime(["2024-01-02", None]), "n": ["a", None]})
    save_model(tree, tmp_path / "m", input_example=frame)
    content = json.loads((tmp_path / "m" / "input_example.json").read_text())
    assert content["data"] == [["2024-01-02T00:00:00", "a"], [None, None]]


def test_a_folder_with_something_in_it_is_left_alone(tree, tmp_path):
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "thesis.txt").write_text("mine")
    with pytest.raises(AlreadyExists, match="new folder"):
        save_model(tree, tmp_path / "m")
    assert [item.name for item in tmp_path.iterdir()] == ["m"]


def test_an_empty_folder_is_taken(tree, tmp_path):
    (tmp_path / "m").mkdir()
    save_model(tree, tmp_path / "m")
    assert (tmp_path / "m" / "MLmodel").exists()


def test_what_cannot_be_pickled_leaves_nothing_behind(tree, tmp_path):
    from sklearn.preprocessing import FunctionTransformer

    with pytest.raises(InvalidParameter, match="FunctionTransformer cannot be saved as pickle"):
        save_model(
            FunctionTransformer(threading.Lock()), tmp_path / "m", serialization_format="pickle"
        )
    assert list(tmp_path.iterdir()) == []


def test_a_format_whose_library_is_not_installed(tree, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "cloudpickle", None)
    with pytest.raises(InvalidParameter, match="needs: pip install cloudpickle"):
        save_model(tree, tmp_path / "m", serialization_format="cloudpickle")


def test_unknown_format(tree, tmp_path):
    with pytest.raises(InvalidParameter, match="none of cloudpickle, pickle, skops"):
        save_model(tree, tmp_path / "m", serialization_format="joblib")


def test_an_unknown_library_names_the_way_out(tmp_path):
    from fractions import Fraction

    with pytest.raises(InvalidParameter, match=r"no flavor for .*Fraction.*mltrack\.flavors"):
        save_model(Fraction(1, 2), tmp_path / "m")


def test_the_folder_is_private_while_it_is_written(tree, tmp_path, monkeypatch):
    seen = []
    from mltrack_jupyter.models.flavors.sklearn import SklearnFlavor

    original = SklearnFlavor.save

    def spy(self, model, folder, kind):
        seen.append(stat.S_IMODE(folder.parent.stat().st_mode))
        return original(self, model, folder, kind)

    monkeypatch.setattr(SklearnFlavor, "save", spy)
    save_model(tree, tmp_path / "m")
    assert seen == [0o700]
    assert [item.name for item in tmp_path.iterdir()] == ["m"]


def test_an_estimator_of_a_notebook_is_one_of_sklearn(tmp_path):
    from sklearn.base import BaseEstimator

    class Mine(BaseEstimator):
        def predict(self, data):
            return data

    save_model(Mine(), tmp_path / "m", signature=infer_signature([1.0], [1.0]))
    assert "sklearn" in mlmodel(tmp_path / "m")["flavors"]
