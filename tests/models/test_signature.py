import datetime
import json
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mltrack_jupyter.errors import InvalidParameter
from mltrack_jupyter.models import Column, ModelSignature, Schema, Tensor, infer_signature


def columns(data):
    return [(spec.name, spec.type, spec.required) for spec in infer_signature(data).inputs]


def test_a_frame_has_named_columns():
    frame = pd.DataFrame(
        {
            "i": [1, 2],
            "f": [1.0, math.nan],
            "s": ["a", "b"],
            "b": [True, False],
            "d": pd.to_datetime(["2020-01-01", "2020-01-02"]),
            "i32": np.array([1, 2], "int32"),
            "f32": np.array([1, 2], "float32"),
            "raw": [b"x", b"y"],
            "cat": pd.Categorical(["u", "v"]),
            "opt": pd.array([1, None], dtype="Int64"),
            "none": pd.Series([None, None], dtype=object),
        }
    )
    assert columns(frame) == [
        ("i", "long", True),
        ("f", "double", False),
        ("s", "string", True),
        ("b", "boolean", True),
        ("d", "datetime", True),
        ("i32", "integer", True),
        ("f32", "float", True),
        ("raw", "binary", True),
        ("cat", "string", True),
        ("opt", "long", False),
        ("none", "string", False),
    ]


def test_nested_cells_get_mlflows_json():
    frame = pd.DataFrame({"l": [[1], [2, 3]], "o": [{"a": 1}, {"a": 2, "b": "x"}]})
    assert json.loads(infer_signature(frame).inputs.to_json()) == [
        {"type": "array", "items": {"type": "long"}, "name": "l", "required": True},
        {
            "type": "object",
            "properties": {
                "a": {"type": "long", "required": True},
                "b": {"type": "string", "required": False},
            },
            "name": "o",
            "required": True,
        },
    ]


def test_a_series_is_one_column():
    assert columns(pd.Series([1.0], name="x")) == [("x", "double", True)]


@pytest.mark.parametrize(
    ("array", "spec"),
    [
        (np.zeros((5, 4)), Tensor("float64", (-1, 4))),
        (np.zeros(3, "float32"), Tensor("float32", (-1,))),
        (np.array(["a", "bc"]), Tensor("str", (-1,))),
        (np.array([b"a"]), Tensor("bytes", (-1,))),
        (np.zeros((2, 3, 4), bool), Tensor("bool", (-1, 3, 4))),
    ],
)
def test_arrays_are_tensors(array, spec):
    assert infer_signature(array).inputs.specs == (spec,)


def test_sparse_matrices_are_tensors():
    from scipy.sparse import csr_matrix

    assert infer_signature(csr_matrix(np.eye(3))).inputs.specs == (Tensor("float64", (-1, 3)),)


def test_dicts_of_arrays_are_named_tensors():
    data = {"a": np.array([1, 2]), "b": np.array([[1.0, 2.0]])}
    assert infer_signature(data).inputs.specs == (
        Tensor("int64", (-1,), "a"),
        Tensor("float64", (-1, 2), "b"),
    )


def test_lists_dicts_and_values():
    assert columns([1, 2]) == [(None, "long", True)]
    assert columns([]) == [(None, "string", True)]
    assert columns([{"a": 1, "b": "x"}, {"a": 2}]) == [("a", "long", True), ("b", "string", False)]
    assert columns({"a": None, "b": 1}) == [("a", "any", False), ("b", "long", True)]
    assert columns("text") == [(None, "string", True)]
    assert columns(np.float32(1)) == [(None, "float", True)]
    assert columns(np.array(1.5)) == [(None, "double", True)]
    assert columns(datetime.datetime(2024, 1, 1, tzinfo=datetime.UTC)) == [(None, "datetime", True)]
    assert columns(np.datetime64("2024-01-01")) == [(None, "datetime", True)]
    assert columns({"a": np.array([1, 2]), "n": 1})[0][1] == "array"


def test_lists_of_lists_merge_what_is_inside():
    schema = infer_signature([[{"a": 1}], [{"a": 2, "b": None}]]).inputs
    assert schema.specs[0].details["items"]["properties"] == {
        "a": {"type": "long", "required": True},
        "b": {"type": "any", "required": False},
    }


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ([1, "a"], "one type for each"),
        (object(), "no name for values of the type object"),
        (pd.DataFrame({"z": [1j]}), "'z' has the type complex128"),
        ({1: "x"}, "text as the names"),
    ],
)
def test_what_has_no_schema(data, reason):
    with pytest.raises(InvalidParameter, match=reason):
        infer_signature(data)


def test_output_and_params_travel_too():
    params = [{"name": "t", "type": "double", "default": 0.5, "shape": None}]
    signature = infer_signature(np.zeros((1, 2)), np.zeros(1), params)
    again = ModelSignature.from_dict(signature.to_dict())
    assert again == signature
    assert again.params.to_dict() == params


def test_settings_of_a_call_by_name_and_default():
    params = {"depth": 3, "share": 0.5, "names": ["a", "b"], "exact": True}
    ours = infer_signature([1.0], [2.0], params)
    assert json.loads(ours.to_dict()["params"])[2] == {
        "name": "names", "type": "string", "default": ["a", "b"], "shape": [-1],
    }  # fmt: skip
    theirs = pytest.importorskip("mlflow").models.infer_signature([1.0], [2.0], params)
    assert json.loads(ours.to_dict()["params"]) == json.loads(theirs.to_dict()["params"])


def test_a_schema_written_by_hand():
    from mltrack_jupyter.types import ColSpec, DataType, TensorSpec

    schema = Schema([ColSpec(DataType.string, "text"), ColSpec(type="long", name="label")])
    assert schema.to_json() == (
        '[{"type": "string", "name": "text", "required": true}, '
        '{"type": "long", "name": "label", "required": true}]'
    )
    images = Schema([TensorSpec(np.dtype(np.uint8), [-1, 28, 28])])
    assert Schema.from_json(images.to_json()) == images


def test_the_spelling_before_mlflow_2_7():
    text = '[{"type": "long", "name": "a", "optional": true}]'
    assert Schema.from_json(text).specs == (Column("long", "a", required=False),)


@pytest.mark.parametrize(
    "content",
    [
        {"inputs": "no json"},
        {"inputs": "{}"},
        {"inputs": "[1]"},
        {"inputs": 7},
        {"inputs": '[{"name": "a"}]'},
        {"inputs": '[{"type": "long", "name": []}]'},
        {"inputs": '[{"type": "tensor"}]'},
        {"inputs": '[{"type": "tensor", "tensor-spec": {"dtype": "str", "shape": ["x"]}}]'},
        {"inputs": "[" * 100_000},
        {"params": "{}"},
        "text",
    ],
)
def test_corrupt_signatures_are_refused(content):
    with pytest.raises(InvalidParameter):
        ModelSignature.from_dict(content)


names = st.none() | st.text(max_size=20)
types = st.sampled_from(["boolean", "integer", "long", "float", "double", "string", "binary"])
nested = st.recursive(
    types.map(lambda kind: {"type": kind}),
    lambda inner: st.one_of(
        inner.map(lambda items: {"type": "array", "items": items}),
        st.dictionaries(st.text(max_size=5), inner, min_size=1).map(
            lambda properties: {"type": "object", "properties": properties}
        ),
        inner.map(lambda values: {"type": "map", "values": values}),
    ),
    max_leaves=6,
)


@st.composite
def column(draw):
    kind = draw(nested)
    details = {key: value for key, value in kind.items() if key != "type"}
    return Column(kind["type"], draw(names), draw(st.booleans()), details)


tensors = st.builds(
    Tensor,
    st.sampled_from(["float64", "int8", "str"]),
    st.lists(st.integers(-1, 9), min_size=1).map(tuple),
    names,
)
schemas = st.lists(column() | tensors, min_size=1).map(tuple).map(Schema)


labels = st.one_of(
    st.text(max_size=5), st.integers(-9, 9), st.floats(allow_nan=False, allow_infinity=False),
    st.tuples(st.text(max_size=3), st.integers(0, 3)),
)  # fmt: skip
columns_of = st.sampled_from(
    [[1, 2], [1.5, None], ["a", None], [True, False], [b"x", b"y"], [[1], [2]], [{"a": 1}, {}], [None, None],
     [1, "a"], [1j, 2j], pd.to_datetime(["2024-01-01", None]), pd.array([1, None], "Int64"),
     pd.Categorical([2, 1]), pd.arrays.SparseArray([0, 1])]
)  # fmt: skip


@given(st.lists(st.tuples(labels, columns_of), max_size=4))
def test_a_frame_has_a_signature_that_comes_back_or_a_reason(found):
    names = pd.Index([name for name, _ in found], dtype=object, tupleize_cols=False)
    frame = pd.DataFrame({place: pd.Series(cells) for place, (_, cells) in enumerate(found)})
    frame.columns = names
    try:
        signature = infer_signature(frame)
    except InvalidParameter:
        return
    assert signature.inputs.names == [name for name, _ in found]
    assert ModelSignature.from_dict(signature.to_dict()) == signature


@given(st.builds(ModelSignature, st.none() | schemas, st.none() | schemas))
def test_every_signature_survives_its_json(signature):
    assert ModelSignature.from_dict(json.loads(json.dumps(signature.to_dict()))) == signature


@given(
    st.dictionaries(
        st.text(min_size=1, max_size=10),
        st.integers(-(2**60), 2**60) | st.floats(allow_nan=False) | st.text() | st.booleans(),
        min_size=1,
    )
)
def test_names_and_types_of_records_survive(record):
    signature = infer_signature([record])
    assert signature.inputs.names == list(record)
    assert ModelSignature.from_dict(signature.to_dict()) == signature


def test_nothing_heavy_is_imported_for_plain_data():
    import subprocess
    import sys

    code = (
        "import sys; from mltrack_jupyter.models import infer_signature; infer_signature([{'a': 1}]);"
        "print([m for m in ('numpy', 'pandas', 'sklearn', 'skops', 'scipy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
