"""Data of any kind that a library takes: described as far as they can be, and no reason for a warning."""

import logging

import numpy
import pandas
import pytest
import scipy.sparse
import torch
from sklearn.compose import make_column_transformer
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder
from sklearn.tree import DecisionTreeClassifier

from mltrack_jupyter.tracking.autolog import datasets

TEXTS = ["good", "bad", "good enough", "bad luck"]
Y = [1, 0, 1, 0]


@pytest.fixture(autouse=True)
def unwarned(caplog):
    yield
    assert [item for item in caplog.get_records("call") if item.levelno >= logging.WARNING] == []


def lengths(rows):
    return numpy.array([[len(row)] for row in rows])


@pytest.mark.parametrize("kind", ["coo", "csr", "csc", "bsr", "dia", "lil", "dok"])
def test_sparse_matrices_of_every_kind(script, classes, runs, kind):
    script.sklearn.autolog()
    X = getattr(scipy.sparse, f"{kind}_matrix")(classes[0])
    LogisticRegression().fit(X, classes[1])
    [run] = runs()
    [item] = run.inputs.dataset_inputs
    assert '"features_shape": [60, 4]' in item.dataset.profile
    assert datasets.describe(X).digest == datasets.describe(X.tocsr()).digest


def test_a_wide_sparse_matrix_is_never_made_dense():
    rows = scipy.sparse.csr_matrix(([1.0], ([0], [10**6])), shape=(10_000, 2**20))
    other = scipy.sparse.csr_matrix(([2.0], ([0], [10**6])), shape=(10_000, 2**20))
    assert datasets.describe(rows).digest != datasets.describe(other).digest


@pytest.mark.parametrize(
    "rows",
    [
        [[1], [1, 2], [3], [1, 2]],
        [(1,), (1, 2), (3,), (1, 2)],
        numpy.array([[1], [1, 2], [3], [1, 2]], dtype=object),
        pandas.Series([[1], [1, 2], [3], [1, 2]]),
    ],
    ids=["lists", "tuples", "array", "series"],
)
def test_rows_of_several_lengths(script, runs, rows):
    script.sklearn.autolog()
    make_pipeline(FunctionTransformer(lengths), LogisticRegression()).fit(rows, [0, 1, 0, 1])
    assert runs()[0].data.metrics["training_accuracy_score"] == 1


@pytest.mark.parametrize("kind", [list, tuple, pandas.Series, numpy.array])
def test_texts(script, runs, kind):
    script.sklearn.autolog()
    make_pipeline(CountVectorizer(), LogisticRegression()).fit(kind(TEXTS), Y)
    [run] = runs()
    assert len(run.inputs.dataset_inputs) == 1
    assert run.data.metrics["training_accuracy_score"] == 1


def test_texts_take_no_more_memory_than_they_have():
    # As an array of texts of one length these would be 800 GB.
    texts = ["word"] * 99_999 + ["word" * 500_000]
    table = datasets.as_table(texts)
    assert table.nbytes < 10**6
    assert datasets.describe(texts).digest != datasets.describe(texts[::-1]).digest
    assert datasets.example_of(texts).dtype.kind == "U"


def test_what_can_be_read_only_once_is_left_to_the_training(script, runs):
    script.sklearn.autolog()
    model = make_pipeline(CountVectorizer(), LogisticRegression())
    model.fit((text for text in TEXTS), Y)
    [run] = runs()
    assert (run.data.metrics, run.inputs.dataset_inputs) == ({}, [])
    assert list(model.predict(TEXTS)) == Y


def test_numbers_among_texts_stay_numbers(script, runs, files):
    script.sklearn.autolog()
    rows = [["x", 1], ["y", 2], ["x", 2], ["y", 1]]
    make_pipeline(OneHotEncoder(), LogisticRegression()).fit(rows, Y)
    [run] = runs()
    assert len(run.inputs.dataset_inputs) == 1
    loaded = script.load_model(f"runs:/{run.info.run_id}/model", flavor="pyfunc")
    assert loaded.metadata.signature is not None


def test_frames_of_lists_and_frames_whose_columns_are_numbers(script, classes, runs):
    script.sklearn.autolog()
    lists = pandas.DataFrame({"a": [[1], [1, 2], [3], [1, 2]]})
    model = make_pipeline(
        make_column_transformer((FunctionTransformer(lengths), "a")), LogisticRegression()
    )
    model.fit(lists, [0, 1, 0, 1])
    sparse = pandas.DataFrame.sparse.from_spmatrix(scipy.sparse.csr_matrix(classes[0]))
    DecisionTreeClassifier().fit(sparse, classes[1])
    assert [len(run.inputs.dataset_inputs) for run in runs()] == [1, 1]
    assert '"name": 0,' in runs()[1].inputs.dataset_inputs[0].dataset.schema


def test_tensors(script, classes, runs):
    script.sklearn.autolog()
    X = torch.tensor(classes[0], requires_grad=True)
    DecisionTreeClassifier().fit(X.detach(), classes[1])
    assert len(runs()[0].inputs.dataset_inputs) == 1
    example = datasets.example_of(X)
    assert isinstance(example, numpy.ndarray)
    assert len(example) == datasets.EXAMPLE_ROWS


def test_a_schema_that_no_store_takes(classes):
    wide = pandas.DataFrame(numpy.zeros((2, 20_000)), columns=[f"c{i}" for i in range(20_000)])
    assert datasets.describe(wide).schema == ""


class Foreign:
    """A frame of another library, as far as it is asked."""

    def __init__(self, rows, columns):
        self._rows, self.columns, self.shape = rows, columns, rows.shape

    def __getitem__(self, rows):
        return Foreign(self._rows[rows], self.columns)

    def to_numpy(self):
        return self._rows


def test_a_frame_of_another_library(classes):
    one, two = Foreign(classes[0], list("abcd")), Foreign(classes[0], list("abce"))
    assert datasets.describe(one).digest != datasets.describe(two).digest
    assert '"num_rows": 60' in datasets.describe(one).profile
