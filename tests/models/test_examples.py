"""A model is kept whatever its input example is: the example is kept as MLflow reads it, or left out and said so."""

import dataclasses
import decimal
import json
import warnings

import numpy as np
import pandas as pd
import pytest

from mltrack_jupyter.errors import InvalidParameter
from mltrack_jupyter.models import ModelSignature, Schema, read_metadata, save_model
from mltrack_jupyter.models.folder import ModelFolder

sparse = pytest.importorskip("scipy.sparse")


class Hostile:
    """An example whose every answer is an error."""

    shape = (3, 2)
    ndim = 2

    def tolist(self):
        raise ZeroDivisionError("not today")

    def __getitem__(self, place):
        raise KeyError(place)


class Frame(pd.DataFrame):
    """Somebody's own kind of frame."""


@dataclasses.dataclass
class Order:
    size: int = 2


def circle():
    found = []
    found.append(found)
    return found


KEPT = {
    "a frame of pyarrow's types": (
        lambda: pd.DataFrame({"a": [1, None], "b": ["x", "y"]}).convert_dtypes(dtype_backend="pyarrow"),
        "dataframe", [("a", "long"), ("b", "string")], [[1, "x"], [None, "y"]],
    ),
    "small unsigned numbers": (lambda: pd.DataFrame({"a": np.array([1], "uint16")}), "dataframe", [("a", "integer")], [[1]]),
    "numbers as objects": (lambda: pd.DataFrame({"a": pd.Series([1, 2.5, None], dtype=object)}), "dataframe", [("a", "double")], [[1], [2.5], [None]]),
    "a category of numbers": (lambda: pd.DataFrame({"a": pd.Categorical([3, 1])}), "dataframe", [("a", "long")], [[3], [1]]),
    "times with a zone": (lambda: pd.DataFrame({"a": pd.to_datetime(["2024-01-01"]).tz_localize("UTC")}), "dataframe", [("a", "datetime")], [["2024-01-01T00:00:00+00:00"]]),
    "bytes": (lambda: pd.DataFrame({"a": [b"\xff"]}), "dataframe", [("a", "binary")], [["/w==\n"]]),
    "a sparse column": (lambda: pd.DataFrame({"a": pd.arrays.SparseArray([0.0, 1.0])}), "dataframe", [("a", "double")], [[0.0], [1.0]]),
    "somebody's frame": (lambda: Frame({"a": [1]}), "dataframe", [("a", "long")], [[1]]),
    "an index with rows of one name": (lambda: pd.DataFrame({"a": [1, 2]}, index=[0, 0]), "dataframe", [("a", "long")], [[1], [2]]),
    "cells with lists": (lambda: pd.DataFrame({"a": [[1, 2], []]}), "dataframe", [("a", "array")], [[[1, 2]], [[]]]),
    "numbers for names": (lambda: pd.DataFrame(np.eye(2)), "dataframe", [(0, "double"), (1, "double")], [[1.0, 0.0], [0.0, 1.0]]),
    "a table of pyarrow": (lambda: pytest.importorskip("pyarrow").table({"a": [1]}), "dataframe", [("a", "long")], [[1]]),
    "a tensor": (lambda: pytest.importorskip("torch").ones(1, 2, requires_grad=True), "ndarray", [(None, "float32")], [[1.0, 1.0]]),
    "tensors by name": (lambda: {"x": np.ones((30, 1))}, "ndarray", [("x", "float64")], {"x": [[1.0]] * 20}),
    "an array without dimensions": (lambda: np.array(2.5), "ndarray", [(None, "double")], 2.5),
    "infinite numbers": (lambda: np.array([np.inf, 1.0]), "ndarray", [(None, "float64")], [None, 1.0]),
    "a record": (Order, "json_object", [("size", "long")], {"size": 2}),
    "a text": (lambda: "good morning", "json_object", [(None, "string")], "good morning"),
    "nothing in a list": (list, "json_object", [(None, "string")], []),
}  # fmt: skip
WITHOUT_SIGNATURE = {
    "numbers beside texts": lambda: pd.DataFrame({"a": [1, "x"]}),
    "more than 63 bits": lambda: pd.DataFrame({"a": np.array([1], "uint64")}),
    "one name twice": lambda: pd.DataFrame([[1, 2]], columns=["a", "a"]),
    "a name and none": lambda: pd.DataFrame({None: [1], "a": [2]}),
    "no columns": lambda: pd.DataFrame(index=[1]),
    "an array of records": lambda: np.array([(1, 2.0)], dtype=[("a", "i4"), ("b", "f8")]),
    "a set": lambda: {1, 2},
    "numbers as keys": lambda: {1: 2},
    "nothing by name": dict,
}
LEFT_OUT = {
    "a generator": lambda: (number for number in range(3)),
    "periods": lambda: pd.DataFrame({"a": pd.period_range("2024", periods=2, freq="M")}),
    "decimals": lambda: pd.DataFrame({"a": [decimal.Decimal("0.1")]}),
    "something hostile": Hostile,
    "a function": lambda: print,
    "a circle": circle,
    "one enormous row": lambda: np.zeros((1, 2_000_000)),
    "a complex number": lambda: [1j],
}


def saved(tree, folder, example, **more):
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        save_model(tree, folder, input_example=example, **more)
    return read_metadata(ModelFolder.open(folder)), [str(item.message) for item in heard]


def described(about):
    return [
        (spec.name, getattr(spec, "type", None) or spec.dtype) for spec in about.signature.inputs
    ]


@pytest.mark.parametrize(("make", "kind", "columns", "rows"), KEPT.values(), ids=KEPT)
def test_an_example_is_kept_with_its_signature(tree, tmp_path, make, kind, columns, rows):
    about, heard = saved(tree, tmp_path / "m", make())
    assert heard == []
    content = json.loads((tmp_path / "m" / "input_example.json").read_text())
    assert (content["data"] if kind == "dataframe" else content) == rows
    assert about.extra["saved_input_example_info"]["type"] == kind
    assert described(about) == columns


@pytest.mark.parametrize("make", WITHOUT_SIGNATURE.values(), ids=WITHOUT_SIGNATURE)
def test_an_example_without_a_signature_is_kept_and_said(tree, tmp_path, make):
    about, heard = saved(tree, tmp_path / "m", make())
    assert about.signature is None
    assert len(heard) == 1
    assert "gets no signature" in heard[0]
    assert (tmp_path / "m" / "input_example.json").exists()


@pytest.mark.parametrize("make", LEFT_OUT.values(), ids=LEFT_OUT)
def test_what_cannot_be_an_example_is_left_out_and_said(tree, tmp_path, make):
    example = make()
    about, heard = saved(tree, tmp_path / "m", example)
    assert "saved_input_example_info" not in about.extra
    assert not list((tmp_path / "m").glob("*example.json"))
    assert [text for text in heard if "the input example is left out" in text] == heard[:1] == heard


def test_a_generator_is_not_used_up(tree, tmp_path):
    numbers = (number for number in range(3))
    saved(tree, tmp_path / "m", numbers)
    assert list(numbers) == [0, 1, 2]


@pytest.mark.parametrize("form", ["csr", "csc", "coo", "dok"])
def test_sparse_matrices_are_read_by_mlflow(tree, tmp_path, form):
    mlflow = pytest.importorskip("mlflow")
    given = sparse.random(30, 5, density=0.3, format="csr", random_state=1)
    about, heard = saved(tree, tmp_path / "m", given.asformat(form))
    assert (heard, described(about)) == ([], [(None, "float64")])
    model = mlflow.models.Model.load(str(tmp_path / "m"))
    found = model.load_input_example(str(tmp_path / "m"))
    np.testing.assert_array_equal(found.toarray(), given[:20].toarray())


def test_a_wide_sparse_matrix_gets_no_dense_request(tree, tmp_path):
    saved(tree, tmp_path / "m", sparse.random(9, 10**6, density=1e-6, format="csr"))
    assert not (tmp_path / "m" / "serving_input_example.json").exists()


def test_an_example_with_the_settings_of_the_call(tree, tmp_path, iris):
    mlflow = pytest.importorskip("mlflow")
    about, heard = saved(tree, tmp_path / "m", (iris[0][:2], {"t": np.float64(0.5), "n": 3}))
    assert heard == []
    assert [item.name for item in about.signature.params] == ["t", "n"]
    request = json.loads((tmp_path / "m" / "serving_input_example.json").read_text())
    assert request["params"] == {"t": 0.5, "n": 3}
    theirs = mlflow.models.Model.load(str(tmp_path / "m"))
    assert theirs.load_input_example(str(tmp_path / "m")).shape == (2, 4)
    assert theirs.load_input_example_params(str(tmp_path / "m")) == {"t": 0.5, "n": 3}


@pytest.mark.parametrize(
    "labels",
    [
        [0, 1, 2, 3],
        ["a", 0.5, 7, "b"],
        [("x", 1), ("x", 2), ("y", 1), ("y", 2)],
        [True, "a", "b", "c"],
    ],
)
def test_names_that_are_no_text_are_read_by_mlflow(tree, tmp_path, iris, labels):
    mlflow = pytest.importorskip("mlflow")
    frame = iris[0][:2].set_axis(pd.Index(labels, tupleize_cols=True), axis=1)
    about, heard = saved(tree, tmp_path / "m", frame)
    assert heard == []
    assert about.signature.inputs.names == labels
    theirs = mlflow.models.infer_signature(frame).inputs.to_json()
    assert json.loads(about.signature.inputs.to_json()) == json.loads(theirs)
    assert mlflow.models.Model.load(str(tmp_path / "m")).signature is not None


def test_no_signature_is_wanted(tree, tmp_path, iris):
    about, heard = saved(tree, tmp_path / "m", iris[0], signature=False)
    assert (about.signature, heard) == (None, [])
    assert "saved_input_example_info" in about.extra


def test_a_signature_of_mlflow_is_taken(tree, tmp_path, iris):
    theirs = pytest.importorskip("mlflow").models.infer_signature(iris[0])
    about = save_model(tree, tmp_path / "m", signature=theirs)
    assert about.signature.inputs.names == list(iris[0])


@pytest.mark.parametrize(
    "signature",
    [{"inputs": "[]"}, "text", 0, True, [1], ModelSignature, Schema([]), pd.DataFrame({"a": [1]}),
     ModelSignature()],
    ids=repr,
)  # fmt: skip
def test_what_is_no_signature_is_refused_before_anything_is_written(tree, tmp_path, signature):
    with pytest.raises(InvalidParameter, match="signature must be what infer_signature"):
        save_model(tree, tmp_path / "m", signature=signature)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "make",
    [
        lambda: ModelSignature(inputs=[1]),
        lambda: ModelSignature(inputs=Schema([1])),
        lambda: ModelSignature(params=[{"default": object()}]),
    ],
)
def test_what_can_be_none_is_refused_where_it_is_made(make):
    with pytest.raises(InvalidParameter):
        make()


def test_what_the_file_is_to_say_may_be_numbers_of_numpy(tree, tmp_path):
    from mltrack_jupyter.models import Provenance

    metadata = {"score": np.float64(0.5), "shape": (1, 2)}
    save_model(tree, tmp_path / "m", provenance=Provenance(metadata=metadata))
    about = read_metadata(ModelFolder.open(tmp_path / "m"))
    assert (about.metadata["score"], about.metadata["shape"]) == (0.5, [1, 2])
