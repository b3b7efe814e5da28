"""Datasets: the digests, schemas and profiles that MLflow computes, and sources."""

import json

import numpy as np
import pandas as pd
import pytest

from mltrack_jupyter import data
from mltrack_jupyter.data.http_dataset_source import HTTPDatasetSource
from mltrack_jupyter.errors import InvalidParameter

FRAMES = {
    "numbers": pd.DataFrame({"a": [1, 2, 3], "b": [1.5, np.nan, np.inf]}),
    "texts": pd.DataFrame({"name": ["ä", "b", None], "full": ["x", "y", "z"]}),
    "mixed": pd.DataFrame({"m": [1, "x", None], 5: [True, False, True]}),
    "dates": pd.DataFrame({"when": pd.to_datetime(["2020-01-01", None])}),
    "empty": pd.DataFrame({"a": pd.Series([], dtype="float64")}),
    "long": pd.DataFrame({"a": np.arange(20_001)}),
    "categories": pd.DataFrame({"c": pd.Categorical(["x", "y", "x"])}),
}
ARRAYS = {
    "matrix": (np.arange(6.0).reshape(2, 3), None),
    "with targets": (np.arange(6, dtype=np.int32).reshape(3, 2), np.array([0, 1, 0])),
    "by name": ({"b": np.ones(3), "a": np.zeros((2, 2))}, {"y": np.array([1.0])}),
    "texts": (np.array(["a", "ü"]), None),
    "long": (np.arange(30_000), None),
}


@pytest.fixture(scope="module")
def theirs():
    return pytest.importorskip("mlflow.data")


@pytest.mark.parametrize("name", FRAMES)
def test_a_frame_is_described_as_by_mlflow(theirs, name):
    source = "https://example.org/data.csv"
    ours = data.from_pandas(FRAMES[name], source=source, name=name).to_dict()
    expected = theirs.from_pandas(FRAMES[name], source=source, name=name).to_dict()
    assert ours == expected
    assert len(ours["digest"]) == 8


@pytest.mark.parametrize("name", ARRAYS)
def test_arrays_are_described_as_by_mlflow(theirs, name):
    features, targets = ARRAYS[name]
    source = "s3://bucket/data.npz"
    ours = data.from_numpy(features, source=source, targets=targets).to_dict()
    assert ours == theirs.from_numpy(features, source=source, targets=targets).to_dict()


def test_a_description_has_mlflows_digest(theirs):
    from mlflow.data.http_dataset_source import HTTPDatasetSource as Theirs

    url = "https://example.org/archive.tar.gz"
    ours = data.MetaDataset(HTTPDatasetSource(url), name="archive")
    assert ours.digest == theirs.meta_dataset.MetaDataset(Theirs(url), name="archive").digest


def test_other_data_has_another_digest():
    one, other = FRAMES["numbers"], FRAMES["numbers"].assign(a=[1, 2, 4])
    assert data.from_pandas(one).digest == data.from_pandas(one.copy()).digest
    assert data.from_pandas(one).digest != data.from_pandas(other).digest


def test_without_a_source_it_is_the_code():
    found = data.from_pandas(FRAMES["numbers"]).to_dict()
    assert found["source_type"] == "code"
    assert "mlflow.source.name" in json.loads(found["source"])["tags"]


@pytest.mark.parametrize(
    ("given", "kind"),
    [("data.csv", "local"), ("file:///srv/data.csv", "local"), ("s3://b/k", "s3"), ("https://x/y", "http")],
)  # fmt: skip
def test_sources_by_their_address(given, kind):
    stored = data.from_numpy(np.ones(2), source=given).to_entity()
    assert stored.source_type == kind
    assert given in json.loads(stored.source).values()
    again = data.get_source(stored)
    assert again.to_json() == stored.source


def test_a_local_source_says_where_it_is():
    assert (
        data.from_numpy(np.ones(1), source="file:///srv/a%20b.csv").source.load() == "/srv/a b.csv"
    )
    with pytest.raises(InvalidParameter, match="not loaded from here"):
        data.from_numpy(np.ones(1), source="s3://bucket/key").source.load()


@pytest.mark.parametrize("source", ["gopher://x/y", 3, ["a"]])
def test_a_source_that_cannot_be_right(source):
    with pytest.raises(InvalidParameter, match=r"source"):
        data.from_numpy(np.ones(1), source=source)


def test_what_is_no_data():
    with pytest.raises(InvalidParameter, match="takes a DataFrame, not a list"):
        data.from_pandas([1, 2])
    with pytest.raises(InvalidParameter, match=r"numpy\.asarray"):
        data.from_numpy([1, 2])
    with pytest.raises(InvalidParameter, match="'z' is no column"):
        data.from_pandas(FRAMES["numbers"], targets="z")


def test_a_stored_source_that_is_corrupt():
    stored = data.from_numpy(np.ones(1)).to_entity()
    broken = type(stored)(name="x", digest="1", source_type="code", source="{")
    with pytest.raises(InvalidParameter, match="corrupt"):
        data.get_source(broken)
