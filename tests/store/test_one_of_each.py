"""Eight who write at once to *one* metric, run, tag, version, alias, stage and name: each write counts once."""

import json
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path

import pytest
from conftest import clean_environment
from store.contender import CONTENDERS, ROUNDS, write

from mltrack_jupyter.store import open_store
from mltrack_jupyter.testing.making import new_run

SCRIPT = Path(__file__).with_name("contender.py")


def by_processes(folder, uri, what, *arguments, token=""):
    """Let processes write that begin at the same moment, and return what each of them said."""
    settings = {"MLTRACK_TRACKING_URI": uri, "MLTRACK_RECORD_ENVIRONMENT": "0"}
    environment = clean_environment() | settings | {"MLTRACK_TRACKING_TOKEN": token}
    processes = [
        subprocess.Popen(
            [sys.executable, SCRIPT, folder, what, str(index), *arguments],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment, cwd=folder,
        )
        for index in range(CONTENDERS)
    ]  # fmt: skip
    while not all((folder / f"ready{index}").exists() or process.poll() is not None
                  for index, process in enumerate(processes)):  # fmt: skip
        threading.Event().wait(0.01)
    (folder / "go").touch()
    found = [process.communicate(timeout=600) for process in processes]
    assert [
        (process.returncode, error) for process, (_, error) in zip(processes, found, strict=True)
    ] == [(0, "")] * CONTENDERS
    return [json.loads(said) for said, _ in found]


def by_threads(_, uri, what, *arguments, token=""):
    """Let threads of this process do the same."""
    services, found, errors = open_store(uri), {}, []
    gate = threading.Barrier(CONTENDERS)

    def work(index):
        gate.wait()
        try:
            found[index] = write(services, index, *arguments)
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(index,)) for index in range(CONTENDERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    services.close()
    assert errors == []
    return [found[index] for index in range(CONTENDERS)]


@pytest.fixture(params=["a file", "a server"])
def place(request, tmp_path):
    """Return a store by its URI, and the token that it wants."""
    if request.param == "a file":
        return str(tmp_path / "store"), ""
    server = request.getfixturevalue("start_server")()
    return server.tracking_uri, server.token


@pytest.mark.parametrize("together", [by_processes, by_threads])
def test_each_write_counts_once(tmp_path, place, together, monkeypatch):
    uri, token = place
    monkeypatch.setenv("MLTRACK_TRACKING_TOKEN", token)
    services = open_store(uri)
    run_id = new_run(services).info.run_id
    services.registered_models.create("M")
    said = together(tmp_path, uri, "write", run_id, "M", token=token)
    every = CONTENDERS * ROUNDS

    points = services.metrics.history(run_id, "one").items
    assert [(point.step, point.value) for point in points] == [
        (step, float(step % CONTENDERS)) for step in range(every)
    ]
    last = services.runs.get(run_id).data
    assert last.metrics == {"one": float(CONTENDERS - 1)}
    assert last.tags["last"] in {f"{index} {ROUNDS - 1}" for index in range(CONTENDERS)}

    numbers = [int(version) for one in said for version in one["versions"]]
    assert sorted(numbers) == list(range(1, every + 1))
    assert all(one["versions"] == sorted(one["versions"], key=int) for one in said)
    versions = services.model_versions.search("name = 'M'", 1000).items
    assert sorted(int(version.version) for version in versions) == sorted(numbers)
    assert Counter(version.current_stage for version in versions) == {
        "Production": 1, "Archived": every - 1,
    }  # fmt: skip
    (champion,) = [version for version in versions if "champion" in version.aliases]
    assert services.registered_models.get_by_alias("M", "champion").version == champion.version

    assert len({tuple(one["experiments"]) for one in said}) == 1
    made = Counter(name for one in said for name in one["made"])
    assert made == {
        f"{kind} {turn}": 1 for kind in ("experiment", "model") for turn in range(ROUNDS)
    }
    services.close()


def test_one_run_in_eight_processes(tmp_path, place, monkeypatch):
    """Each goes on with it, by its id: none ends it for the others, and nothing is lost or doubled."""
    uri, token = place
    monkeypatch.setenv("MLTRACK_TRACKING_TOKEN", token)
    services = open_store(uri)
    run_id = new_run(services).info.run_id
    said = by_processes(tmp_path, uri, "log", run_id, token=token)
    run = services.runs.get(run_id)
    points = services.metrics.history(run_id, "one").items
    assert sorted((point.step, point.value) for point in points) == [
        (step, float(step % CONTENDERS)) for step in range(CONTENDERS * 50)
    ]
    assert run.data.params == {"one": "the same"}
    assert services.journals.amendments(run_id) == []
    assert {f"was-{index}" for index in range(CONTENDERS)} <= set(run.data.tags)
    assert run.info.status == "FINISHED"
    files = services.files_at(run.info.artifact_uri, run_id)
    with files.open("one.txt").file as file:
        assert file.read() in {b"by %d" % index for index in range(CONTENDERS)}
    assert len({one["experiment"] for one in said}) == 1
    services.close()
