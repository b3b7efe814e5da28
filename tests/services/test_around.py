"""Middlewares stand around the operations that are declared to need them, and around no other."""

from contextlib import suppress

import pytest

from mltrack_jupyter.errors import MltrackError, Unavailable
from mltrack_jupyter.services import operations_of, service_types
from mltrack_jupyter.services.around import around, before
from mltrack_jupyter.services.dispatch import routes
from mltrack_jupyter.store.journal.finding import Finder
from mltrack_jupyter.store.sql.retries import retry

OPERATIONS = {f"{route.service}.{route.operation.name}": route.operation for route in routes()}
SEARCH = OPERATIONS["runs.search"]
CONCERNS = {
    "retry": (lambda _: retry, lambda operation: operation.transactional),
    "missing runs": (
        lambda store: Finder(store).look,
        lambda operation: "run" in operation.subject.values() or operation is SEARCH,
    ),
}


def plain(*arguments, **named):
    """Answer what was asked."""
    return arguments, named


@pytest.mark.parametrize("name", CONCERNS)
def test_a_middleware_stands_around_what_declares_to_need_it(name, store):
    make, concerns = CONCERNS[name]
    middleware = make(store)
    found = {key: middleware(operation, plain) for key, operation in OPERATIONS.items()}
    wrapped = {key for key, call in found.items() if call is not plain}
    assert wrapped == {key for key, operation in OPERATIONS.items() if concerns(operation)}
    assert wrapped
    for call in found.values():
        assert call("a", b=1) == (("a",), {"b": 1})


def test_every_operation_of_every_service_passes_in_the_order_in_which_they_are_given(store):
    passed = []

    def noting(word):
        def middleware(operation, call):
            def noted(*arguments, **named):
                passed.append((word, operation.name))
                return call(*arguments, **named)

            return noted

        return middleware

    assert around(store, noting("inner"), noting("outer")) is store
    store.experiments.get("0")
    assert passed == [("outer", "get"), ("inner", "get")]
    for name, kind in service_types().items():
        assert operations_of(kind).keys() <= vars(getattr(store, name)).keys()


def test_what_concerns_nobody_is_left_as_it_is(store):
    before = dict(vars(store.experiments))
    around(store, lambda _operation, call: call)
    assert vars(store.experiments) == before


def test_the_services_of_a_bundle_are_what_declares_operations():
    assert service_types().keys() == {route.service for route in routes()}


def test_a_view_prepares_before_anything_is_asked_and_the_services_stay_as_they_are(store):
    prepared = []
    view = before(store, lambda: prepared.append("ready"))
    for name, kind in service_types().items():
        for operation in operations_of(kind):
            with suppress(TypeError, MltrackError):  # without what they need
                getattr(getattr(view, name), operation)()
            assert prepared.pop() == "ready"
    view.files_at("mlflow-artifacts:/0", "")
    with pytest.raises(TypeError):
        view.add_model()
    assert prepared == ["ready", "ready"]
    assert store.experiments.get("0").experiment_id == "0"
    assert len(prepared) == 2


def test_what_cannot_be_prepared_is_not_asked(store):
    def away():
        raise Unavailable("the store is away")

    view = before(store, away)
    with pytest.raises(Unavailable):
        view.experiments.create("new")
    assert [item.name for item in store.experiments.search(10)] == ["Default"]
