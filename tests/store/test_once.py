"""The key of a request, its effect and its answer are written together, in every database."""

import threading

import pytest

from mltrack_jupyter.errors import AlreadyExists, InvalidParameter
from mltrack_jupyter.store import open_store
from mltrack_jupyter.store.sql import once
from mltrack_jupyter.testing.making import unique


@pytest.fixture(
    params=[
        "sqlite",
        pytest.param("postgresql", marks=pytest.mark.database),
        pytest.param("mysql", marks=pytest.mark.database),
    ]
)
def services(request, tmp_path):
    if request.param == "sqlite":
        uri = tmp_path / "store"
    else:
        uri = request.getfixturevalue("database_server_of")(request.param).new_database()
    services = open_store(uri, artifact_root=tmp_path / "artifacts", local_paths=False)
    yield services
    services.close()


def creating(services, name):
    return lambda: services.experiments.create(name).encode()


def test_a_repetition_has_the_first_answer(services):
    key, name = unique(), unique()
    first = services.once(key, "create", creating(services, name))
    assert services.once(key, "create", creating(services, name)) == first
    assert services.experiments.get_by_name(name).experiment_id == first.decode()


def test_what_fails_has_no_effect_and_may_be_tried_again(services):
    key, name = unique(), unique()

    def fails():
        services.experiments.create(name)
        raise AlreadyExists("too late")

    for _ in range(2):
        with pytest.raises(AlreadyExists, match="too late"):
            services.once(key, "create", fails)
    assert services.once(key, "create", creating(services, name)).decode().isdigit()


def test_of_two_at_once_one_is_carried_out(services):
    key, name = unique(), unique()
    begun, answers = threading.Event(), []

    def slowly():
        begun.set()
        threading.Event().wait(0.3)  # the other one waits for the end of this transaction
        return services.experiments.create(name).encode()

    first = threading.Thread(target=lambda: answers.append(services.once(key, "create", slowly)))
    first.start()
    begun.wait(10)
    answers.append(services.once(key, "create", creating(services, name)))
    first.join(30)
    assert len(answers) == 2
    assert len(set(answers)) == 1


def test_a_key_has_one_request(services):
    key = unique()
    services.once(key, "create", creating(services, unique()))
    with pytest.raises(InvalidParameter, match="another request"):
        services.once(key, "delete", creating(services, unique()))
    for wrong in ("", "x" * 129, "schlüssel", "a\nb"):
        with pytest.raises(InvalidParameter, match="from 1 to 128"):
            services.once(wrong, "create", creating(services, unique()))


def test_answers_are_forgotten_after_a_day(services, monkeypatch):
    key, name = unique(), unique()
    services.once(key, "create", creating(services, name))
    later = once.now_ms() + once.KEPT_MS + 1
    monkeypatch.setattr(once, "now_ms", lambda: later)
    monkeypatch.setattr(once, "_EVERY_S", 0)
    with pytest.raises(AlreadyExists):
        services.once(key, "create", creating(services, name))
