"""Training metrics where not every measure is defined: those that are, and no warning for the others."""

import logging

import numpy
import pytest
import scipy.sparse
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GridSearchCV
from sklearn.multiclass import OneVsRestClassifier
from sklearn.multioutput import MultiOutputClassifier
from sklearn.semi_supervised import SelfTrainingClassifier
from sklearn.tree import DecisionTreeClassifier


@pytest.fixture
def fit(script, classes, runs, caplog):
    """Return a function that trains a model and returns the metrics of its run."""

    def call(model, y):
        script.sklearn.autolog(log_models=False)
        model.fit(classes[0], y)
        assert [item for item in caplog.records if item.levelno >= logging.WARNING] == []
        return runs()[0].data.metrics

    return call


def names(metrics):
    return {name.removeprefix("training_").removesuffix("_score") for name in metrics}


OF_CLASSES = {"accuracy", "f1", "precision", "recall", "score"}


def test_several_targets(fit, classes):
    y = numpy.column_stack([classes[1], 1 - classes[1]])
    assert names(fit(MultiOutputClassifier(LogisticRegression()), y)) == OF_CLASSES


def test_several_targets_of_several_classes(fit, classes):
    y = numpy.column_stack([classes[1], numpy.arange(60) % 3])
    # Neither has scikit-learn a score for them, but for some.
    model = RandomForestClassifier(2, random_state=0)
    assert fit(model, y) == {}


def test_several_targets_of_several_classes_with_a_score(fit, classes):
    y = numpy.column_stack([classes[1], numpy.arange(60) % 3])
    model = MultiOutputClassifier(LogisticRegression())
    assert fit(model, y) == {"training_score": model.score(classes[0], y)}


def test_several_labels_at_once(fit, classes):
    y = numpy.column_stack([classes[1], 1 - classes[1]])
    model = OneVsRestClassifier(LogisticRegression())
    metrics = fit(model, scipy.sparse.csr_matrix(y))
    area = roc_auc_score(y, model.predict_proba(classes[0]), average="weighted")
    assert metrics["training_roc_auc"] == area


def test_one_class_alone(fit):
    assert names(fit(DecisionTreeClassifier(), numpy.zeros(60))) == OF_CLASSES


def test_what_is_not_labelled_yet(fit, classes):
    y = classes[1].copy()
    y[:20] = -1
    assert names(fit(SelfTrainingClassifier(LogisticRegression()), y)) == OF_CLASSES


def test_a_search_that_keeps_no_model(fit, classes):
    search = GridSearchCV(LogisticRegression(), {"C": [1, 2]}, cv=2, refit=False)
    assert set(fit(search, classes[1])) == {"best_cv_score"}
