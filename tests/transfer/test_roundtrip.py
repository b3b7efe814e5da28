"""Export and import again: what comes out is what went in, whatever a run looks like."""

import io
import math
import tempfile
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from moved import without_folder

from mltrack_jupyter.config import user_name
from mltrack_jupyter.entities import (
    Dataset,
    DatasetInput,
    Metric,
    Param,
    RunEntry,
    RunStatus,
    Tag,
    ViewType,
)
from mltrack_jupyter.errors import InvalidParameter, StoreUnreadable
from mltrack_jupyter.store import open_store
from mltrack_jupyter.transfer import Report, copy_source, open_source, write_archive
from mltrack_jupyter.transfer.report import Progress

names = st.text(st.sampled_from("abcXYZ019_-. é:"), min_size=1, max_size=12).filter(
    lambda text: text not in (".", "..") and not text.startswith("..")
)
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=40)
points = st.builds(
    Metric,
    key=names,
    value=st.floats(),
    timestamp=st.integers(0, 2**62),
    step=st.integers(-(2**62), 2**62),
    ordinal=st.sampled_from([0, 0, 1, 2**31 - 1]),
)
files = st.dictionaries(
    st.text(st.sampled_from("abc é+&"), min_size=1, max_size=6).map(lambda name: f"d/{name}"),
    st.binary(max_size=200),
    max_size=3,
)
run_contents = st.fixed_dictionaries(
    {
        "params": st.dictionaries(names, texts, max_size=5),
        "tags": st.dictionaries(names, texts, max_size=5),
        "points": st.lists(points, max_size=12),
        "files": files,
        "status": st.sampled_from(RunStatus),
        "end": st.none() | st.integers(0, 2**62),
        "deleted": st.booleans(),
        "digest": st.none() | st.text("0123456789abcdef", min_size=1, max_size=8),
    }
)


def make(store, found):
    run = store.runs.create("0", user_id="ada", start_time=5)
    run_id = run.info.run_id
    store.runs.log_batch(
        run_id,
        metrics=found["points"],
        params=[Param(key, text) for key, text in found["params"].items()],
        tags=[Tag(key, text) for key, text in found["tags"].items()],
    )
    if found["digest"]:
        data = Dataset(name="d", digest=found["digest"], source="s")
        tags = [Tag("mlflow.data.context", "train")]
        store.runs.log_inputs(run_id, [DatasetInput(dataset=data, tags=tags)])
    store.runs.update(run_id, found["status"], found["end"])
    for path, content in found["files"].items():
        store.artifact_files.upload(f"0/{run_id}/artifacts/{path}", io.BytesIO(content))
    if found["deleted"]:
        store.runs.delete(run_id)


def contents(store):
    """Everything of a store, comparable: NaN equals NaN."""
    found = {}
    for run in store.runs.search(["0"], run_view_type=ViewType.ALL):
        run_id = run.info.run_id
        history = {
            key: [repr(point) for point in store.metrics.history(run_id, key)]
            for key in run.data.metrics
        }
        stored = {}
        for item in store.run_artifacts.list(run_id, "d").files:
            with store.run_artifacts.read(run_id, item.path).file as file:
                stored[item.path] = file.read()
        found[run_id] = (repr(without_folder(store.runs.get(run_id))), history, stored)
    return found


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(run_contents, min_size=1, max_size=3), st.sampled_from(["out", "out.zip"]))
def test_export_and_import_are_inverse(runs, name):
    with tempfile.TemporaryDirectory() as folder:
        one, two = open_store(f"{folder}/a/.mltrack"), open_store(f"{folder}/b/.mltrack")
        try:
            for found in runs:
                make(one, found)
            place = Path(folder) / name
            report = Report()
            write_archive(open_source(f"{folder}/a/.mltrack"), place, report, Progress(report))
            assert report.matches, report.problems
            for _ in range(2):
                report = Report()
                copy_source(open_source(str(place)), two, report, Progress(report))
                assert report.matches, (report.problems, report.found, report.there)
                assert contents(two) == contents(one)
        finally:
            one.close()
            two.close()


@pytest.fixture
def exported(tmp_path):
    store = open_store(tmp_path / "a" / ".mltrack")
    run_id = store.runs.create("0").info.run_id
    store.runs.log_metric(run_id, "acc", math.inf, 1)
    store.artifact_files.upload(f"0/{run_id}/artifacts/f", io.BytesIO(b"content"))
    store.close()
    report = Report()
    source = open_source(str(tmp_path / "a" / ".mltrack"))
    write_archive(source, tmp_path / "out", report, Progress(report))
    source.close()
    return tmp_path / "out"


def test_a_changed_file_of_an_export_is_noticed(exported, target, bring):
    (blob,) = (exported / "blobs").iterdir()
    blob.write_bytes(b"CONTENT")
    report = bring(exported, target)
    assert "not the file that was exported" in report.problems[0].reason
    assert not report.matches


def test_half_an_export_is_none(exported, target, bring):
    (exported / "mltrack-export.json").rename(exported / ".mltrack-export.json")
    with pytest.raises(StoreUnreadable, match="never finished"):
        bring(exported, target)


def test_a_path_in_an_export_cannot_lead_out(exported, target, bring, tmp_path):
    place = next((exported / "runs").iterdir())
    place.write_text(place.read_text().replace('"path":"f"', '"path":"../../evil"'))
    report = bring(exported, target)
    assert report.notes
    assert not list(tmp_path.rglob("evil"))


def test_an_export_never_overwrites_a_folder_of_something_else(tmp_path, exported):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("x")
    report = Report()
    source = open_source(str(tmp_path / "a" / ".mltrack"))
    with pytest.raises(InvalidParameter, match="not empty"):
        write_archive(source, tmp_path / "mine", report, Progress(report))
    source.close()


def test_a_zip_that_stops_leaves_nothing(tmp_path, exported, monkeypatch):
    source = open_source(str(tmp_path / "a" / ".mltrack"))
    monkeypatch.setattr(source, "registered_models", lambda: 1 / 0)
    report = Report()
    with pytest.raises(ZeroDivisionError):
        write_archive(source, tmp_path / "o.zip", report, Progress(report))
    source.close()
    assert not list(tmp_path.glob("*o.zip*"))


def test_same_content_is_kept_once(tmp_path, exported):
    store = open_store(tmp_path / "a" / ".mltrack")
    run_id = store.runs.create("0").info.run_id
    store.artifact_files.upload(f"0/{run_id}/artifacts/other", io.BytesIO(b"content"))
    store.close()
    source = open_source(str(tmp_path / "a" / ".mltrack"))
    report = Report()
    write_archive(source, tmp_path / "o.zip", report, Progress(report))
    source.close()
    names = zipfile.ZipFile(tmp_path / "o.zip").namelist()
    assert len([name for name in names if name.startswith("blobs/")]) == 1


@pytest.mark.parametrize("way", ["out", "out.zip", "store"])
def test_amendments_come_along(tmp_path, target, bring, way):
    store = open_store(tmp_path / "a" / ".mltrack")
    run_id = store.runs.create("0").info.run_id
    store.runs.log_batch(run_id, params=[Param("p", "1")])

    def amend(place, value):
        entry = RunEntry(run_id=run_id, params=[Param("p", value)])
        store.journals.append("j" * 32, place, place + 1, [entry])

    def brought():
        source = tmp_path / "a" / ".mltrack"
        if way != "store":
            report, opened = Report(), open_source(str(source))
            write_archive(opened, tmp_path / way, report, Progress(report))
            opened.close()
            source = tmp_path / way
        assert bring(source, target).matches
        assert target.journals.amendments(run_id) == store.journals.amendments(run_id)
        return target.runs.get(run_id).data.params["p"], len(target.journals.amendments(run_id))

    amend(0, "2")
    assert brought() == ("2", 1)
    amend(1, "3")  # what was imported before follows
    assert brought() == ("3", 2)
    assert brought() == ("3", 2)
    feed = target.workspace.changes(since=0).changes
    told = [item for item in feed if item.action == "amend-param"]
    assert {item.actor for item in told} == {
        user_name()
    }  # of whoever imports, not of whom the file names
    store.close()
