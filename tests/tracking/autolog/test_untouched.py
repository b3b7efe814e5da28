"""What a training returns, and what it was given, are as they would be without autologging."""

import inspect
import pickle

import numpy
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import VotingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.multioutput import MultiOutputClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from mltrack_jupyter.tracking.autolog.border import undrawn


class Drawing(ClassifierMixin, BaseEstimator):
    """A classifier whose predictions come from a generator of its own."""

    def fit(self, X, y):
        self.classes_ = numpy.unique(y)
        self.generator_ = numpy.random.default_rng(0)
        return self

    def predict(self, X):
        return self.generator_.integers(0, 2, len(X))


def with_a_generator_of_the_users(X, y):
    generator = numpy.random.RandomState(0)
    model = DummyClassifier(strategy="stratified", random_state=generator).fit(X, y)
    return [*model.predict(X), generator.rand()]


def with_a_generator_in_a_step(X, y):
    return make_pipeline(StandardScaler(), Drawing()).fit(X, y).predict(X).tolist()


def with_a_generator_in_a_member(X, y):
    members = [("a", Drawing()), ("b", LogisticRegression())]
    return VotingClassifier(members, weights=[2, 1]).fit(X, y).predict(X).tolist()


def in_place(X, y):
    X = X.copy()
    make_pipeline(StandardScaler(copy=False), LogisticRegression()).fit(X, y)
    return X.tolist()


@pytest.mark.parametrize(
    "work",
    [
        with_a_generator_of_the_users,
        with_a_generator_in_a_step,
        with_a_generator_in_a_member,
        in_place,
    ],
)
def test_the_same_with_and_without(script, classes, runs, work):
    expected = work(*classes)
    script.sklearn.autolog()
    assert work(*classes) == expected
    [run] = runs()
    assert "training_accuracy_score" in run.data.metrics
    assert "mltrack.autolog.warnings" not in run.data.tags


class Overriding(LogisticRegression):
    """A class of the user's, whose own method is not the library's."""

    def predict(self, X):
        return -super().predict(X)


def test_methods_are_the_objects_that_python_knows(script, classes):
    X, y = classes
    expected = inspect.signature(LogisticRegression.predict)
    script.sklearn.autolog(log_models=False)
    model = Overriding().fit(X, y)
    for method in (model.predict, model.decision_function, LogisticRegression.fit):
        assert pickle.loads(pickle.dumps(method)).__name__ == method.__name__
    assert inspect.signature(LogisticRegression.predict) == expected
    assert inspect.isfunction(LogisticRegression.fit)
    assert "predict" in inspect.getsource(LogisticRegression.predict)
    assert (model.predict(X) == -LogisticRegression().fit(X, y).predict(X)).all()
    assert clone(model).get_params() == model.get_params()


def test_a_method_of_an_instance_reaches_worker_processes(script, classes):
    X, y = classes
    targets = numpy.stack([y, 1 - y], axis=1)
    expected = MultiOutputClassifier(LogisticRegression()).fit(X, targets).predict(X)
    script.sklearn.autolog(log_models=False)
    model = MultiOutputClassifier(LogisticRegression(), n_jobs=2).fit(X, targets)
    assert (model.predict(X) == expected).all()


def test_generators_of_models_that_refer_to_each_other():
    one, two = Drawing(), Drawing()
    one.other, two.other, two.generator_ = two, one, numpy.random.default_rng(1)
    expected = numpy.random.default_rng(1).random()
    with undrawn(one):
        two.generator_.random()
    assert two.generator_.random() == expected
