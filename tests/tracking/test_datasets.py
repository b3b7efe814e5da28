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


def polars_frame():
    pl = pytest.importorskip("polars")
    return pl.DataFrame(
        {
            "a": [1, 2, 3],
            "b": ["x", "y", None],
            "c": [[1], [2], [3]],
            "d": [{"k": 1}, {"k": 2}, {"k": 3}],
            "f": [1.5, 2.0, 3.0],
            "g": pl.Series([1, 2, 3], dtype=pl.UInt8),
            "h": pl.Series([None] * 3, dtype=pl.Int32),
            "i": pl.Series(["u", "v", "u"], dtype=pl.Categorical),
        }
    )


def test_a_frame_of_polars_is_what_mlflow_makes_of_it():
    frame = polars_frame()
    theirs = pytest.importorskip("mlflow.data.polars_dataset").from_polars
    known = {"source": "x.csv", "targets": "a", "name": "n"}
    assert data.from_polars(frame, **known).to_dict() == theirs(frame, **known).to_dict()


def test_what_polars_has_no_word_for_is_a_dataset_still():
    import datetime

    pl = pytest.importorskip("polars")
    made = data.from_polars(pl.DataFrame({"t": [datetime.time(1, 2)]}))
    assert made.schema is None
    assert made.to_dict()["schema"] is None
    with pytest.raises(InvalidParameter, match="is no column"):
        data.from_polars(polars_frame(), targets="zz")
    with pytest.raises(InvalidParameter, match="from_pandas"):
        data.from_polars(FRAMES["numbers"])


def test_a_model_is_measured_on_a_frame_of_polars(mltrack):
    pl = pytest.importorskip("polars")
    frame = pl.DataFrame({"y": [1.0, 2.0], "p": [1.0, 2.5]})
    made = data.from_polars(frame, targets="y", predictions="p")
    assert mltrack.evaluate(data=made, model_type="regressor").metrics["max_error"] == 0.5


class PlantSource(data.DatasetSource):
    """A source of one's own, as for MLflow."""

    def __init__(self, uri):
        self._uri = uri

    @staticmethod
    def _get_source_type():
        return "plant"

    @staticmethod
    def _can_resolve(raw_source):
        return isinstance(raw_source, str) and raw_source.startswith("plant:")

    @classmethod
    def _resolve(cls, raw_source):
        return cls(raw_source)

    def to_dict(self):
        return {"uri": self._uri}

    @classmethod
    def from_dict(cls, source_dict):
        return cls(source_dict["uri"])

    def load(self):
        return f"grown from {self._uri}"


class PlantDataset(data.Dataset):
    """A dataset of one's own, which gives anew what MLflow's lets it give."""

    def __init__(self, items, source):
        self._items = items
        super().__init__(source=source, name="plants")

    def _compute_digest(self):
        return str(len(self._items))

    @property
    def source(self):
        return self._source

    @property
    def profile(self):
        return {"count": len(self._items)}

    def to_dict(self):
        return {**super().to_dict(), "profile": json.dumps(self.profile)}


def test_sources_and_datasets_of_ones_own(mltrack, monkeypatch):
    from mltrack_jupyter.data import sources

    monkeypatch.setattr(sources, "_registered", [])
    with pytest.raises(InvalidParameter, match="register_dataset_source"):
        data.from_pandas(FRAMES["numbers"], source="plant://oak")
    data.register_dataset_source(PlantSource)
    assert data.get_registered_sources()[-1] is PlantSource
    with mltrack.start_run() as run:
        mltrack.log_input(data.from_pandas(FRAMES["numbers"], source="plant://oak", name="numbers"))
        mltrack.log_input(PlantDataset([1, 2], PlantSource("plant://elm")))
    found = {
        item.dataset.name: item for item in mltrack.get_run(run.info.run_id).inputs.dataset_inputs
    }
    assert found["plants"].dataset.profile == '{"count": 2}'
    assert found["plants"].dataset.source_type == "plant"
    assert data.get_source(found["numbers"]).load() == "grown from plant://oak"
    assert data.get_source(found["plants"]).load() == "grown from plant://elm"


@pytest.mark.parametrize("several", [True, False])
def test_what_a_metric_was_measured_on_is_what_the_run_read(mltrack, several):
    made = data.from_pandas(FRAMES["numbers"], name="numbers")
    with mltrack.start_run() as run:
        if several:
            mltrack.log_metrics({"acc": 0.5}, dataset=made)
        else:
            mltrack.log_metric("acc", 0.5, dataset=made)
    (item,) = mltrack.get_run(run.info.run_id).inputs.dataset_inputs
    assert (item.dataset.name, item.dataset.digest, item.tags) == ("numbers", made.digest, [])
