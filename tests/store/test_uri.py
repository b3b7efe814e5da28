"""The value of a store's URI: what it names, where the file is, and what people are shown."""

from dataclasses import FrozenInstanceError
from pathlib import Path

import pytest

from mltrack_jupyter.store import StoreUri
from mltrack_jupyter.store.artifacts import is_here


@pytest.mark.parametrize(
    ("text", "kind", "file", "place"),
    [
        ("sqlite:////d/x.db", "sqlite", "/d/x.db", "/d/x.db"),
        ("sqlite:////d/50% ?a=b/x.db", "sqlite", "/d/50% ?a=b/x.db", "/d/50% ?a=b/x.db"),
        ("sqlite:///:memory:", "sqlite", None, ":memory:"),
        ("http://host:1/mltrack", "http", None, "http://host:1/mltrack"),
        ("HTTPS://ada:geheim@host", "https", None, "HTTPS://ada:***@host"),
        ("postgresql://me:geheim@h/db", "postgresql", None, "postgresql://me:***@h/db"),
        ("mysql+pymysql://me:geheim@h/db", "mysql", None, "mysql+pymysql://me:***@h/db"),
        ("mariadb://h/db?password=geheim", "mariadb", None, "mariadb://h/db?password=***"),
        ("here", "", None, "here"),  # what services of a test are called
    ],
)
def test_what_a_uri_in_full_says(text, kind, file, place):
    store = StoreUri.of(text)
    assert (store.text, store.kind, store.place) == (text, kind, place)
    assert store.file == (Path(file) if file else None)
    assert store.is_server is (kind in ("http", "https"))
    assert "geheim" not in f"{store}{store!r}{store.shown}"


def test_it_is_a_value_that_is_taken_apart_once():
    store = StoreUri.of("sqlite:////d/x.db")
    assert store == StoreUri.of_file("/d/x.db")
    assert store is StoreUri.of("sqlite:////d/x.db")
    with pytest.raises(FrozenInstanceError):
        store.kind = "http"


def test_what_a_user_names_becomes_the_same_value(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    store = StoreUri.of_file(tmp_path / "x.db")
    for named in ("x.db", tmp_path / "x.db", f"file://{tmp_path}/x.db", "SQLite:///x.db?timeout=5"):
        assert StoreUri.named(named) == store


@pytest.mark.parametrize("place", ["/files/a", "file:///files/a"])
def test_a_path_of_a_server_is_none_of_this_machine(place):
    assert is_here(place, "sqlite:////d/x.db")
    assert not is_here(place, "https://host/mltrack")
    assert not is_here("s3://bucket/a", "sqlite:////d/x.db")
