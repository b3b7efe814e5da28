"""Columns whose names are no text, or one name twice: described, measured, or refused in words."""

import json

import numpy as np
import pandas as pd
import pytest

from mltrack_jupyter import data
from mltrack_jupyter.errors import InvalidParameter

STAMPS = [pd.Timestamp("2024-01-01"), pd.Timestamp("2025-01-01")]
NAMES = {
    "numbers": [0, 1],
    "numbers of numpy": [np.int64(0), np.int64(1)],
    "fractions": [0.5, 1.5],
    "levels": [("a", "x"), ("a", "y")],
    "times": STAMPS,
    "of several kinds": [1, "a"],
    "none": [None, "a"],
    "flags": [False, True],
}
ODD = {
    "one name twice": pd.DataFrame([[1.0, 2.0]], columns=["a", "a"]),
    "texts of one name": pd.DataFrame([["x", "y"]], columns=["a", "a"]),
    "no name": pd.DataFrame({None: [1.0]}),
    "a sparse column": pd.DataFrame({"a": pd.arrays.SparseArray([0.0, 1.0])}),
    "cells without a hash": pd.DataFrame({"a": [[1], {2}]}),
    "rows of one name": pd.DataFrame({"a": [1, 2]}, index=[0, 0]),
    "pyarrow's types": pd.DataFrame({"a": [1], "b": ["x"]}).convert_dtypes(dtype_backend="pyarrow"),
    "no columns": pd.DataFrame(index=[1]),
    "a level without rows": pd.DataFrame(columns=pd.MultiIndex.from_tuples([("a", 1)])),
}


def frame_of(names, *columns):
    found = pd.DataFrame(dict(enumerate(columns)))
    found.columns = pd.Index(names, tupleize_cols=True)
    return found


@pytest.mark.parametrize("names", NAMES.values(), ids=NAMES)
def test_evaluate_takes_the_names_of_a_frame(mltrack, names):
    frame = frame_of(names, [1.0, 2.0], [1.0, 2.5])
    target, guess = names if names[0] is not None else names[::-1]
    guesses = guess if guess is not None else [1.0, 2.5]
    result = mltrack.evaluate(
        data=frame, targets=target, predictions=guesses, model_type="regressor"
    )
    assert result.metrics["max_error"] == (0.5 if names[0] is not None else 0.0)


@pytest.mark.parametrize("names", NAMES.values(), ids=NAMES)
def test_a_model_is_measured_on_the_other_columns(mltrack, names):
    frame = frame_of(names, [1.0, 2.0], [1.0, 2.5])[::-1]
    seen = []

    def double(features):
        seen.append(list(features.columns))
        return np.ones(len(features))

    target = names[1]
    metric = mltrack.models.make_metric(
        eval_fn=lambda predictions, targets: float(sum(targets)),
        greater_is_better=True,
        name="total",
    )
    result = mltrack.evaluate(
        double, frame, targets=target, model_type="regressor", extra_metrics=[metric]
    )
    assert seen == [list(frame.columns[:1])]
    assert result.metrics["total"] == 3.5
    result = mltrack.evaluate(
        double, data.from_pandas(frame, targets=target), model_type="regressor"
    )
    assert result.metrics["mean_absolute_error"] == 0.75


@pytest.mark.parametrize(
    ("frame", "targets", "message"),
    [
        (frame_of([0, 1], [1.0], [2.0]), 7, "targets=7 is no column"),
        (frame_of([0, 1], [1.0], [2.0]), STAMPS[0], "is no column of the data"),
        (frame_of([0, 1], [1.0], [2.0]), "0", "targets='0' is no column"),
        (
            frame_of(["a", "a", "b"], [1.0], [2.0], [3.0]),
            "a",
            "Two columns of the data have the name 'a'",
        ),
        (np.eye(2), 1, "one value for each row, not 1"),
        (frame_of([0, 1], [1.0], [2.0]), [1.0, 2.0], "1 rows of data and 2 targets"),
    ],
)
def test_columns_that_are_not_there(mltrack, frame, targets, message):
    with pytest.raises(InvalidParameter, match=message):
        mltrack.evaluate(data=frame, targets=targets, predictions=[1.0], model_type="regressor")


def test_names_of_features_that_are_not_there(mltrack):
    for names in ([9], [["a"]]):
        with pytest.raises(InvalidParameter, match="are no columns of the data"):
            mltrack.evaluate(len, frame_of([0], [1.0]), targets=[1.0], feature_names=names,
                             model_type="regressor")  # fmt: skip


@pytest.mark.parametrize("names", NAMES.values(), ids=NAMES)
def test_a_dataset_knows_the_columns_by_their_names(mltrack, names):
    given = data.from_pandas(frame_of(names, [1.0], ["x"]), targets=names[1])
    with mltrack.start_run() as run:
        mltrack.log_input(given)
    (stored,) = mltrack.get_run(run.info.run_id).inputs.dataset_inputs
    assert (stored.dataset.digest, given.targets) == (given.digest, names[1])
    if None not in names:
        told = [item["name"] for item in json.loads(stored.dataset.schema)["mlflow_colspec"]]
        plain = [name.item() if hasattr(name, "item") else name for name in names]
        due = [list(name) if isinstance(name, tuple) else name for name in plain]
        assert told == [str(name) if isinstance(name, pd.Timestamp) else name for name in due]


@pytest.mark.parametrize("frame", ODD.values(), ids=ODD)
def test_odd_frames_are_datasets(mltrack, frame):
    given = data.from_pandas(frame)
    with mltrack.start_run() as run:
        mltrack.log_input(given)
    (stored,) = mltrack.get_run(run.info.run_id).inputs.dataset_inputs
    assert stored.dataset.digest == given.digest == data.from_pandas(frame.copy()).digest
    assert json.loads(stored.dataset.profile)["num_rows"] == len(frame)


@pytest.mark.parametrize("frame", ODD.values(), ids=ODD)
def test_their_digests_are_mlflows_where_it_has_one(frame):
    theirs = pytest.importorskip("mlflow.data")
    try:
        due = theirs.from_pandas(frame, source="https://example.org/x").digest
    except (TypeError, ValueError):
        return
    assert data.from_pandas(frame).digest == due


@pytest.mark.parametrize("targets", ["z", 7, ["a"], {"a": 1}, ("a", "b"), np.array(["a"])])
def test_a_target_that_is_no_column(targets):
    with pytest.raises(InvalidParameter, match="is no column of the DataFrame"):
        data.from_pandas(pd.DataFrame({"a": [1]}), targets=targets)


def test_tensors_are_arrays():
    torch = pytest.importorskip("torch")
    given = data.from_numpy(torch.ones(2, 3, requires_grad=True), targets={"y": torch.zeros(2)})
    assert (
        given.digest
        == data.from_numpy(np.ones((2, 3), "float32"), targets={"y": np.zeros(2, "float32")}).digest
    )
    with pytest.raises(InvalidParameter, match="needs features"):
        data.from_numpy(None)
