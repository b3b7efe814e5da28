"""Parts of the store that the contract does not reach: bits, links, the watcher, local paths."""

import math
import os
import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mltrack_jupyter.errors import InvalidParameter, NotFound
from mltrack_jupyter.store import open_store
from mltrack_jupyter.store.artifacts import check_path, resolve
from mltrack_jupyter.store.sql.search.grammar import parse_filter, parse_order
from mltrack_jupyter.store.sql.values import from_bits, from_bits_many, to_bits
from mltrack_jupyter.store.watch import Watcher
from mltrack_jupyter.testing.making import new_run, put, root_of, unique


@given(st.floats())
def test_bits_keep_every_float(value):
    assert struct.pack("<d", from_bits(to_bits(value))) == struct.pack("<d", value)
    assert -(2**63) <= to_bits(value) < 2**63


@given(st.floats(allow_nan=False), st.floats(allow_nan=False))
def test_bits_are_ordered_as_the_floats_are(one, two):
    if one < two:
        assert to_bits(one) < to_bits(two)
    assert from_bits_many([to_bits(one), to_bits(two)]) == [one, two]


def test_nan_is_the_greatest_as_bits():
    assert to_bits(math.nan) > to_bits(math.inf)


@given(st.text(max_size=60))
def test_a_filter_is_read_or_refused(text):
    try:
        parse_filter(text)
        parse_order([text])
    except InvalidParameter:
        return
    parse_filter(text)


@given(st.text(st.characters(codec="utf-8"), max_size=40))
def test_a_path_stays_below_its_root_or_is_refused(tmp_path_factory, path):
    root = Path(tmp_path_factory.getbasetemp()) / "root"
    try:
        place = resolve(root, path)
    except InvalidParameter:
        return
    assert os.path.commonpath([place, os.path.realpath(root)]) == os.path.realpath(root)


@pytest.mark.parametrize("target", ["outside", "outside/secret.txt"])
def test_a_link_leads_nowhere(store, tmp_path, target):
    run = new_run(store)
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.txt").write_text("secret")
    put(store, f"{root_of(run)}/a.txt")
    folder = tmp_path / ".mltrack" / "artifacts" / root_of(run)
    (folder / "link").symlink_to(tmp_path / target)
    path = "link" if target.endswith(".txt") else "link/secret.txt"
    with pytest.raises((InvalidParameter, NotFound)):
        store.run_artifacts.read(run.info.run_id, path)
    with pytest.raises(InvalidParameter):
        put(store, f"{root_of(run)}/{path}", b"overwritten")
    assert [item.path for item in store.run_artifacts.list(run.info.run_id).files] == ["a.txt"]
    assert (outside / "secret.txt").read_text() == "secret"


def test_a_neighbour_with_the_same_beginning_is_another_folder(tmp_path):
    (tmp_path / "root-secret").mkdir()
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "link").symlink_to(tmp_path / "root-secret")
    with pytest.raises(InvalidParameter, match="leads out"):
        resolve(tmp_path / "root", "link")


def test_a_half_written_upload_leaves_nothing(store, tmp_path):
    class Breaks:
        def read(self, size=-1):
            raise OSError("the cable was pulled")

    with pytest.raises(Exception, match="cable"):
        store.artifact_files.upload("0/a.txt", Breaks())
    assert store.artifact_files.list("0").files == []
    assert os.listdir(tmp_path / ".mltrack" / "artifacts" / "0") == []


def test_the_watcher_sees_what_another_connection_wrote(store, tmp_path):
    other = open_store(tmp_path / ".mltrack")
    watcher = Watcher(store)
    assert watcher.poll() is None
    run_id = new_run(other).info.run_id
    found = watcher.poll()
    assert run_id in [change.entity_id for change in found.changes]
    assert watcher.poll() is None
    store.runs.delete(run_id)
    assert [change.action for change in watcher.poll().changes] == ["delete"]
    watcher.close()
    other.close()


def test_in_the_users_own_process_artifacts_may_be_anywhere(store, tmp_path):
    number = store.experiments.create(unique(), str(tmp_path / "mine"))
    run = new_run(store, number)
    assert run.info.artifact_uri == f"{tmp_path}/mine/{run.info.run_id}/artifacts"


@pytest.mark.parametrize("path", ["a/b.txt", "ü", "a b"])
def test_a_good_path_is_returned_as_it_is(path):
    assert check_path(path) == path
