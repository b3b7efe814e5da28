"""Imports of hostile mlruns folders and exports: nothing bad costs the rest, and all is bounded."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import zipfile
import zlib

import pytest

from mltrack_jupyter.errors import MltrackError, NotFound
from mltrack_jupyter.store import open_store
from mltrack_jupyter.transfer import open_source

GOOD, BAD = "g" * 32, "b" * 32
pytestmark = pytest.mark.timeout(120)


# --- mlruns -----------------------------------------------------------------------------------------

BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{chr(98 + i)}: &{chr(98 + i)} [{','.join(['*' + chr(97 + i)] * 9)}]\n" for i in range(8)
)
BASE = f"run_id: {BAD}\nexperiment_id: '1'\nstatus: 3\nstart_time: 1\n"
METAS = {
    "bomb": f"{BOMB}{BASE}run_name: *i\n",
    "bad date": f"{BASE}x: 2024-99-99\n",
    "infinite time": BASE.replace("start_time: 1", "start_time: .inf"),
    "no number": BASE.replace("start_time: 1", "start_time: .nan"),
    "huge number": BASE.replace("start_time: 1", f"start_time: {'9' * 5000}"),
    "number of 100 digits": BASE.replace("start_time: 1", f"start_time: {'9' * 100}"),
    "sexagesimal": f"{BASE}x: {':'.join(['59'] * 20_000)}\n",
    "object": f"{BASE}run_name: !!python/object/apply:os.system ['touch CANARY']\n",
    "tags that are no list": f"{BASE}tags: 5\n",
    "list as a name": f"{BASE}run_name: [a, b]\n",
    "odd keys": f"{BASE}? [a]\n: b\n",
    "large": f"{BASE}l: [{','.join(['1'] * 1_500_000)}]\n",
    "deep": f"{BASE}l: {'[' * 5000}{']' * 5000}\n",
    "merge": f"{BASE}<<: [*a]\n",
    "binary": f"{BASE}run_name: !!binary '?'\n",
    "not text": "\x00\x01",
    "endless": f"{BASE}run_name: '",
}
FOLDERS = {
    "pipe as tag": lambda run: (mkdir(run / "tags"), os.mkfifo(run / "tags" / "x")),
    "pipe as metric": lambda run: (mkdir(run / "metrics"), os.mkfifo(run / "metrics" / "x")),
    "pipe as meta": lambda run: ((run / "meta.yaml").unlink(), os.mkfifo(run / "meta.yaml")),
    "link as tag": lambda run: (mkdir(run / "tags"), (run / "tags" / "x").symlink_to("/etc/passwd")),
    "link as tags": lambda run: (run / "tags").symlink_to("/etc"),
    "link as params": lambda run: (run / "params").symlink_to(".."),
    "link as metric": lambda run: (mkdir(run / "metrics"), (run / "metrics" / "x").symlink_to("/etc/passwd")),
    "link as meta": lambda run: ((run / "meta.yaml").unlink(), (run / "meta.yaml").symlink_to("/etc/passwd")),
    "large tag": lambda run: (mkdir(run / "tags"), sparse(run / "tags" / "x", 2_000_000_000)),
    "dataset outside": lambda run: dataset(run, "../../../../../etc"),
    "dataset at the root": lambda run: dataset(run, "/etc"),
    "deep tags": lambda run: mkdir(run / "tags" / "/".join("d" * 200)),
}  # fmt: skip


def mkdir(place):
    place.mkdir(parents=True)


def sparse(place, size):
    with place.open("wb") as file:
        file.truncate(size)


def dataset(run, number):
    mkdir(run / "inputs" / "x")
    (run / "inputs" / "x" / "meta.yaml").write_text(
        f"source_type: DATASET\nsource_id: {number}\ndestination_type: RUN\n"
    )


@pytest.fixture
def mlruns(tmp_path):
    root = tmp_path / "mlruns"
    for run_id in (GOOD, BAD):
        mkdir(root / "1" / run_id)
        (root / "1" / run_id / "meta.yaml").write_text(BASE.replace(BAD, run_id))
    (root / "1" / "meta.yaml").write_text("name: e\nexperiment_id: '1'\n")
    return root


def check_left_out(report, into):
    assert into.runs.get(GOOD).info.start_time == 1
    with pytest.raises(NotFound):
        into.runs.get(BAD)
    (problem,) = report.problems
    assert BAD in problem.what
    assert "\n" not in problem.reason
    assert len(problem.reason) < 600
    assert "root:x:0" not in problem.reason


@pytest.mark.parametrize("name", METAS)
def test_a_hostile_meta_costs_its_run_only(mlruns, into, name, tmp_path, monkeypatch, bring):
    monkeypatch.chdir(tmp_path)
    (mlruns / "1" / BAD / "meta.yaml").write_text(METAS[name])
    check_left_out(bring(mlruns, into), into)
    assert not (tmp_path / "CANARY").exists()


@pytest.mark.parametrize("name", FOLDERS)
def test_a_hostile_folder_costs_its_run_only(mlruns, into, name, bring):
    FOLDERS[name](mlruns / "1" / BAD)
    check_left_out(bring(mlruns, into), into)


@pytest.mark.parametrize("name", ["bomb", "deep", "object", "list as a name"])
def test_a_hostile_experiment_keeps_its_runs(mlruns, into, name, bring):
    meta = METAS[name].replace("run_name", "name").replace("start_time: 1\n", "")
    (mlruns / "1" / "meta.yaml").write_text(meta)
    report = bring(mlruns, into)
    assert any("experiment 1" in note for note in report.notes)
    assert into.runs.get(GOOD).info.experiment_id == into.runs.get(BAD).info.experiment_id


@pytest.mark.parametrize("place", ["1", ".trash", "models", f"1/{BAD}", "1/models"])
def test_a_folder_that_is_a_link_is_left_out(mlruns, into, place, tmp_path, bring):
    elsewhere = tmp_path / "elsewhere"
    if (mlruns / place).exists():
        (mlruns / place).rename(elsewhere)
    else:
        shutil.copytree(mlruns / "1", elsewhere)
    (mlruns / "2").mkdir()
    (mlruns / "2" / "meta.yaml").write_text("name: other\nexperiment_id: '2'\n")
    (mlruns / place).symlink_to(elsewhere)
    report = bring(mlruns, into)
    assert any("link" in note for note in report.notes)
    assert into.experiments.get_by_name("other")
    if place == "1":
        with pytest.raises(NotFound):
            into.runs.get(GOOD)


@pytest.mark.parametrize("to", ["/etc", "nowhere", f"../{GOOD}", "."])
def test_a_link_as_the_artifacts_costs_these_only(mlruns, into, to, bring):
    (mlruns / "1" / BAD / "artifacts").symlink_to(to)
    report = bring(mlruns, into)
    assert [item.what for item in report.problems] == [f"run {BAD}"]
    assert into.run_artifacts.list(BAD).files == []


def test_links_among_artifacts_are_said(mlruns, into, tmp_path, bring):
    place = mlruns / "1" / GOOD / "artifacts"
    mkdir(place)
    (place / "a").write_text("x")
    (tmp_path / "id_rsa").write_text("x")
    (place / "key").symlink_to(tmp_path / "id_rsa")
    os.mkfifo(place / "pipe")
    report = bring(mlruns, into)
    assert [item.path for item in into.run_artifacts.list(GOOD).files] == ["a"]
    assert len([note for note in report.notes if "'key'" in note or "'pipe'" in note]) == 2


# --- exports ----------------------------------------------------------------------------------------

EXPERIMENT = '{"experiment_id":"1","name":"e"}\n'
A = "a" * 64


def run_line(run_id, files="null"):
    info = f'{{"run_id":"{run_id}","experiment_id":"1","status":"FINISHED","start_time":1}}'
    return f'{{"run":{{"info":{info},"data":{{}}}},"points":0,"files":{files}}}\n'


def blob(path, size, digest):
    return json.dumps([{"path": path, "size": size, "sha256": digest}])


ZEROS = hashlib.sha256(b"\0" * 1000).hexdigest()
LINES = {
    "no run": '{"run": 5}\n',
    "no JSON": "{{{\n",
    "deep": "[" * 100_000 + "\n",
    "id with a way out": run_line("../../x"),
    "status unknown": run_line(BAD).replace("FINISHED", "ASLEEP"),
    "time too large": run_line(BAD).replace('"start_time":1', f'"start_time":{"9" * 40}'),
}
BLOBS = {
    "path with a way out": ("../../../evil", 1000, ZEROS),
    "absolute path": ("/etc/evil", 1000, ZEROS),
    "digest with a way out": ("evil", 1000, "../../x"),
    "larger than said": ("evil", 10, ZEROS),
    "smaller than said": ("evil", 3_000_000_000, ZEROS),
    "another digest": ("evil", 1000, A),
    "absent": ("evil", 1000, "c" * 64),
}


def export(folder, form, **files):
    content = {
        "mltrack-export.json": json.dumps({"format": 1, "version": "x", "created": 1}),
        "experiments.jsonl": EXPERIMENT,
        "logged_models/1.jsonl": "",
        "runs/1.jsonl": run_line(GOOD),
        f"points/{GOOD}.jsonl": "",
        f"points/{BAD}.jsonl": "",
        "registered_models.jsonl": "",
        f"blobs/{ZEROS}": b"\0" * 1000,
        f"blobs/{A}": b"\0" * 1000,
        **files,
    }
    if form == "zip":
        with zipfile.ZipFile(folder / "x.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            for name, body in content.items():
                archive.writestr(name, body)
        return folder / "x.zip"
    for name, body in content.items():
        place = folder / "x" / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(body if isinstance(body, bytes) else body.encode())
    return folder / "x"


forms = pytest.mark.parametrize("form", ["zip", "folder"])


@forms
@pytest.mark.parametrize("name", LINES)
def test_a_bad_line_costs_itself_only(tmp_path, into, form, name, bring):
    report = bring(export(tmp_path, form, **{"runs/1.jsonl": LINES[name] + run_line(GOOD)}), into)
    assert into.runs.get(GOOD)
    assert len(report.problems) == 1
    assert not report.matches


@forms
@pytest.mark.parametrize("name", BLOBS)
def test_a_bad_file_costs_itself_only(tmp_path, into, form, name, bring):
    runs = run_line(BAD, blob(*BLOBS[name])) + run_line(GOOD, blob("good", 1000, ZEROS))
    report = bring(export(tmp_path, form, **{"runs/1.jsonl": runs}), into)
    assert not report.matches
    assert [item.path for item in into.run_artifacts.list(GOOD).files] == ["good"]
    assert into.run_artifacts.list(BAD).files == []
    assert not list(tmp_path.rglob("evil"))


@forms
@pytest.mark.parametrize("experiment_id", ["../1", "x", "", "9" * 30, "-1"])
def test_an_experiment_without_a_number(tmp_path, into, form, experiment_id, bring):
    line = EXPERIMENT.replace('"1"', f'"{experiment_id}"').replace('"e"', '"bad"')
    report = bring(export(tmp_path, form, **{"experiments.jsonl": line + EXPERIMENT}), into)
    assert [item.what for item in report.problems] == ["experiment 'bad'"]
    assert into.runs.get(GOOD)


@forms
@pytest.mark.parametrize("missing", ["logged_models/1.jsonl", "registered_models.jsonl"])
def test_what_an_export_lacks_costs_itself_only(tmp_path, into, form, missing, bring):
    place = export(tmp_path, "folder")
    (place / missing).unlink()
    if form == "zip":
        place = shutil.make_archive(str(tmp_path / "y"), "zip", place)
    report = bring(place, into)
    assert [item.what for item in report.problems] == [missing]
    assert into.runs.get(GOOD)


@pytest.mark.parametrize("name", ["runs/1.jsonl", "blobs", "points", "experiments.jsonl"])
def test_a_link_is_no_part_of_an_export(tmp_path, into, name, bring):
    place = export(tmp_path, "folder")
    (place / name).rename(tmp_path / "elsewhere")
    (place / name).symlink_to(tmp_path / "elsewhere")
    runs = place / "runs" / "1.jsonl"
    if not runs.is_symlink():
        runs.write_text(run_line(GOOD, blob("f", 1000, ZEROS)))
    report = bring(place, into)
    assert report.problems
    assert not report.matches or name == "points"


def test_a_damaged_zip(tmp_path, into, bring):
    place = export(tmp_path, "zip", **{"runs/1.jsonl": run_line(GOOD) * 1000})
    content = place.read_bytes()
    compressed = zlib.compressobj(wbits=-15)
    deflated = compressed.compress((run_line(GOOD) * 1000).encode()) + compressed.flush()
    where = content.index(deflated[:20])
    place.write_bytes(content[: where + 30] + b"\xff" * 30 + content[where + 60 :])
    report = bring(place, into)
    assert report.problems[0].what == "runs/1.jsonl"


@pytest.mark.parametrize("suffix", ["x.csv", "x.zip", "x.db", "x"])
def test_a_pipe_is_nothing_to_import(tmp_path, suffix):
    os.mkfifo(tmp_path / suffix)
    with pytest.raises(MltrackError, match="pipe"):
        open_source(str(tmp_path / suffix))


# --- bounds -----------------------------------------------------------------------------------------

LIMIT = 1 << 30


def with_little_memory(source, into):
    code = (
        "import resource, sys\n"
        f"resource.setrlimit(resource.RLIMIT_AS, ({LIMIT}, {LIMIT}))\n"
        "from mltrack_jupyter.cli import main\nsys.exit(main(sys.argv[1:]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "import", source, "--into", into],
        capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip
    assert "Traceback" not in done.stderr
    assert "MemoryError" not in done.stderr
    return done


def test_a_line_of_half_a_gigabyte(mlruns, tmp_path):
    mkdir(mlruns / "1" / BAD / "metrics")
    sparse(mlruns / "1" / BAD / "metrics" / "m", 500_000_000)
    (mlruns / "1" / GOOD / "meta.yaml").write_text(BASE.replace(BAD, GOOD))
    done = with_little_memory(mlruns, tmp_path / "target" / ".mltrack")
    assert done.returncode == 1
    assert "'m', line 1 is left out" in done.stderr


@pytest.mark.parametrize("packed", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_zip_of_a_line_that_is_larger_than_memory(tmp_path, packed):
    place = export(tmp_path, "zip", **{"runs/1.jsonl": ""})
    with (
        zipfile.ZipFile(place) as old,
        zipfile.ZipFile(tmp_path / "y.zip", "w", compresslevel=1) as new,
    ):
        for name in old.namelist():
            if name != "runs/1.jsonl":
                new.writestr(name, old.read(name))
        entry = zipfile.ZipInfo("runs/1.jsonl")
        entry.compress_type = packed
        with new.open(entry, "w") as file:
            file.write(run_line(GOOD).encode())
            for _ in range(700 if packed == zipfile.ZIP_DEFLATED else 40):
                file.write(b"x" * 1_000_000)
    place = tmp_path / "y.zip"
    done = with_little_memory(place, tmp_path / "target" / ".mltrack")
    assert done.returncode == 1
    if packed != zipfile.ZIP_DEFLATED:  # a kilobyte of these is unpacked as a whole
        assert "packed in a way that is not read" in done.stderr
        return
    assert "line 2 is longer than" in done.stderr
    store = open_store(tmp_path / "target" / ".mltrack")
    assert store.runs.get(GOOD)
    store.close()
