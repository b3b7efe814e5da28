"""What a table was given is what comes back, of JSON as of Parquet, and MLflow reads the file."""

import datetime
import decimal
import io
import json
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mltrack_jupyter.errors import InvalidParameter
from mltrack_jupyter.tracking.table_files import longer, named, parsed, table_bytes

STAMP = pd.Timestamp


def back(frame, name="t.json"):
    return parsed(io.BytesIO(table_bytes(named(frame.copy(), name), name)), name)


def same(found, due):
    """Whether a cell is what was given, in value and kind; all that is missing is one."""
    if due is None or due != due:
        return bool(pd.isna(found))
    return isinstance(found, type(due)) and found == due


ROUND = {
    "small": [1e-300, 5e-324, 3.2e-11],
    "long": [0.1234567890123456, 1 / 3, -2.5e17],
    "infinite": [math.inf, -math.inf, 1.0],
    "whole beside missing": [1.0, math.nan],
    "beyond 2**53": [2**53 + 1, -(2**60) - 1],
    "unsigned": [2**64 - 1],
    "beyond 64 bits": [2**70],
    "large beside a fraction": [2**60 + 1, 0.5],
    "flags": [True, False],
    "flags and gaps": [True, None],
    "texts of numbers": ["1", "02", "1e5", "Infinity", "null", "true"],
    "texts of dates": ["2024-01-01", "2024-01-01T00:00:00.000Z", "1700000000"],
    "of several kinds": [1, "x", 2.5, None, True],
    "lists": [[1, [2.5, None]], []],
    "records": [{"x": math.inf}, {"y": "z"}],
    "moments": [STAMP("2024-05-01"), STAMP("1969-12-31T23:59:59.123456")],
    "nanoseconds": [STAMP("2024-05-01T00:00:00.123456789"), None],
    "far away": [STAMP("9999-01-01")],
}


def test_what_was_logged_comes_back_after_each_call(mltrack):
    # MLflow reads dates out of columns of such names.
    for place, (what, cells) in enumerate(ROUND.items()):
        with mltrack.start_run() as run:
            for calls in (1, 2):
                mltrack.log_table({"a": list(cells), "created_at": list(cells)}, f"t{place}.json")
                found = mltrack.load_table(f"t{place}.json", run_ids=[run.info.run_id])
                for name in found:
                    assert all(map(same, found[name].tolist(), cells * calls)), (what, found[name])


@pytest.mark.parametrize(
    ("column", "dtype"),
    [
        (np.array([1, 2], "int8"), "int64"),
        (np.array([0.5], "float32"), "float64"),
        (pd.array([1, 2**60 + 1, None], "Int64"), "Int64"),
        (pd.array([1, None], "Int64"), "float64"),
        (pd.Categorical(["x", "y"]), "str"),
        (pd.to_datetime(["2024-01-01"]).tz_localize("Asia/Tokyo"), "datetime64[us, UTC]"),
        (pd.arrays.SparseArray([0.0, 1.5]), "float64"),
        (pd.Series([], dtype="datetime64[ns]"), "object"),
    ],
)
def test_the_types_of_columns(column, dtype):
    assert str(back(pd.DataFrame({"a": column}))["a"].dtype).replace("ns", "us") == dtype


def test_what_json_has_no_kind_for_is_text():
    given = [decimal.Decimal("0.10"), Path("a/b"), datetime.date(2024, 1, 2), 1j, pd.Period("2024")]
    expected = ["0.10", "a/b", "2024-01-02", "1j", "2024"]
    assert back(pd.DataFrame({"a": given}))["a"].tolist() == expected


@pytest.mark.parametrize(
    "labels",
    [
        [0, 1], ["0", 1], [None, "a"], [0.5, 1], [("a", "x"), ("a", 2)], [True, "True"],
        ["2024-01-01", "x"], ["a", "a"],
    ],
)  # fmt: skip
def test_names_of_columns_stay_what_they_are(mltrack, labels):
    frame = pd.DataFrame([[1, 2.5]], columns=pd.Index(labels, dtype=object))
    with mltrack.start_run():
        mltrack.log_table(frame, "t.json")
        mltrack.log_table(frame, "t.json")
    found = mltrack.load_table("t.json")
    assert list(found.columns) == labels
    assert found.to_numpy().tolist() == [[1, 2.5], [1, 2.5]]


def test_names_that_json_has_no_kind_for_and_levels_that_it_has():
    assert list(back(pd.DataFrame({STAMP("2024"): [1]})).columns) == ["2024-01-01 00:00:00"]
    levels = pd.MultiIndex.from_product([["a", "b"], [1, 2]])
    pd.testing.assert_index_equal(back(pd.DataFrame([[1] * 4], columns=levels)).columns, levels)
    assert list(back(pd.DataFrame([[1, 2]]), "t.parquet").columns) == ["0", "1"]


def test_rows_with_other_columns_leave_numbers_whole(mltrack):
    rows = [{"id": [2**60 + 1], "seen": [True]}, {"other": [1]}, {"id": ["x"]}]
    with mltrack.start_run():
        for row in rows:
            mltrack.log_table(row, "t.json")
    found = mltrack.load_table("t.json")
    assert found["id"].tolist() == [2**60 + 1, None, "x"]
    assert found["seen"].tolist() == [True, None, None]
    assert found["other"].fillna(-1).tolist() == [-1, 1, -1]


def test_indices_do_not_matter_and_callers_keep_their_frames():
    frame = pd.DataFrame({3: [1, 2]}, index=[7, 7])
    assert back(frame)[3].tolist() == [1, 2]
    assert longer(frame, frame).index.tolist() == [0, 1, 2, 3]
    assert frame.columns.tolist() == [3]


@pytest.mark.parametrize(
    ("data", "name", "message"),
    [
        ({"a": [b"\xff"]}, "t.json", "can't decode byte"),
        ({"a": [10**5000]}, "t.json", "cannot be written"),
        ({"a": ["\ud800"]}, "t.json", "surrogates"),
        ({"a": {1, 2}}, "t.json", "do not fit together"),
        ({"a": [1, "x"]}, "t.parquet", "cannot be written"),
        ({"a": [1j]}, "t.parquet", "cannot be written"),
        (
            pd.DataFrame([[1, 2]], columns=["a", "a"]),
            "t.parquet",
            "two of its columns have one name",
        ),
        ([[1]], "t.json", "a DataFrame or a dict"),
    ],
)
def test_what_cannot_be_kept_is_said_before_anything_is_written(mltrack, data, name, message):
    with mltrack.start_run() as run, pytest.raises(InvalidParameter, match=message):
        mltrack.log_table(data, name)
    assert mltrack.Client().list_artifacts(run.info.run_id) == []


def test_two_columns_of_one_name_grow_by_the_same_columns_only(mltrack):
    with mltrack.start_run():
        mltrack.log_table(pd.DataFrame([[1, 2]], columns=["a", "a"]), "t.json")
        with pytest.raises(InvalidParameter, match="two columns of one name"):
            mltrack.log_table({"a": [1]}, "t.json")
    assert mltrack.load_table("t.json").to_numpy().tolist() == [[1, 2]]


@pytest.mark.parametrize(
    "text",
    ["[]", "{}", "no json", '{"columns": ["a"], "data": [[1, 2]]}', '{"columns": 1, "data": 2}'],
)
@pytest.mark.parametrize("name", ["t.json", "t.parquet"])
def test_a_file_that_is_no_table_says_so(name, text):
    with pytest.raises(InvalidParameter, match="is no table"):
        parsed(io.BytesIO(text.encode()), name)


@pytest.mark.parametrize("cells", [[1.5, math.inf, -math.inf], [1e-12], ["1", "x"], [2**60 + 1]])
def test_mlflow_and_others_read_the_file(cells):
    content = table_bytes(pd.DataFrame({"a": cells}), "t.json")
    assert pd.read_json(io.BytesIO(content), orient="split")["a"].tolist() == cells

    def refuse(name):
        raise AssertionError(f"{name} is no JSON")

    json.loads(content, parse_constant=refuse)


def test_a_table_that_mlflow_wrote():
    text = '{"columns":["a","created_at"],"data":[[1.0,1700000000],[null,2]]}'
    found = parsed(io.BytesIO(text.encode()), "t.json")
    assert (found["a"][0], found["created_at"].tolist()) == (1.0, [1700000000, 2])


numbers = st.integers(-(2**80), 2**80) | st.floats() | st.booleans() | st.none()
cells = st.lists(
    numbers | st.text(st.characters(codec="utf-8"), max_size=9), min_size=1, max_size=5
)


@given(cells, cells)
def test_any_cells_come_back(first, second):
    frame = longer(*(named(pd.DataFrame({"a": pd.Series(part, dtype=object)}), "t.json")
                     for part in (first, second)))  # fmt: skip
    for found, due in zip(back(frame)["a"].tolist(), [*first, *second], strict=True):
        missing = due is None or due != due
        assert pd.isna(found) if missing else found == due
        # Of numbers alone a column may make floats, where no digit is lost by it.
        assert missing or isinstance(found, str | bool) == isinstance(due, str | bool)
