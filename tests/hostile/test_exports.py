"""A folder to export to in which somebody laid links: nothing is written through them."""

import io
import os
import stat
import zipfile

import pytest

from mltrack_jupyter.errors import InvalidParameter
from mltrack_jupyter.transfer import Report, open_source, write_archive
from mltrack_jupyter.transfer.places import FolderPlace, ZipPlace
from mltrack_jupyter.transfer.report import Progress

MANIFEST = "mltrack-export.json"


@pytest.fixture
def elsewhere(tmp_path):
    """A folder of the user's, and a file in it, that links lead to."""
    folder = tmp_path / "home"
    folder.mkdir()
    (folder / "notes.txt").write_text("mine")
    yield folder
    assert [path.name for path in folder.iterdir()] == ["notes.txt"]
    assert (folder / "notes.txt").read_text() == "mine"


def link_new(out, name, elsewhere):
    (out / f".{name}.new").symlink_to(elsewhere / "notes.txt")


def link_itself(out, name, elsewhere):
    (out / name).symlink_to(elsewhere / "notes.txt")


def link_to_nowhere(out, name, elsewhere):
    (out / f".{name}.new").symlink_to(elsewhere / "fresh.txt")


def hard_link(out, name, elsewhere):
    os.link(elsewhere / "notes.txt", out / f".{name}.new")


LINKS = [link_new, link_itself, link_to_nowhere, hard_link]


@pytest.mark.parametrize("lay", LINKS)
def test_into_a_folder(tmp_path, elsewhere, lay):
    out = tmp_path / "out"
    out.mkdir()
    (out / f".{MANIFEST}").symlink_to(elsewhere / "notes.txt")  # looks like an export
    place = FolderPlace(out)
    lay(out, "runs.jsonl", elsewhere)
    try:
        place.write("runs.jsonl", io.BytesIO(b"theirs"))
    except InvalidParameter:
        assert lay is link_itself  # it leads out
        return
    assert (out / "runs.jsonl").read_bytes() == b"theirs"
    assert stat.S_IMODE((out / "runs.jsonl").stat().st_mode) == 0o600


def test_below_a_folder_that_is_a_link(tmp_path, elsewhere):
    out = tmp_path / "out"
    place = FolderPlace(out)
    (out / "blobs").symlink_to(elsewhere)
    with pytest.raises(InvalidParameter, match="leads out"):
        place.write("blobs/abc", io.BytesIO(b"theirs"))


@pytest.mark.parametrize("lay", [link_new, link_to_nowhere, hard_link])
def test_into_a_zip(tmp_path, elsewhere, lay):
    lay(tmp_path, "out.zip", elsewhere)
    place = ZipPlace(tmp_path / "out.zip")
    place.write("a", io.BytesIO(b"theirs"))
    place.finish()
    assert zipfile.ZipFile(tmp_path / "out.zip").read("a") == b"theirs"


def test_an_export_is_for_its_user_alone(tmp_path, store):
    store.runs.create("0")
    before = os.umask(0)
    try:
        for name in ("out", "out.zip"):
            report = Report()
            source = open_source(str(tmp_path / ".mltrack"))
            write_archive(source, tmp_path / name, report, Progress(report))
            source.close()
    finally:
        os.umask(before)
    files = [
        tmp_path / "out.zip",
        *(path for path in (tmp_path / "out").rglob("*") if path.is_file()),
    ]
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
