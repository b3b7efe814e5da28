"""A run is there for everybody on the machine as soon as the call that began it has returned."""

import subprocess
import sys
import time
import uuid

import pytest
from conftest import clean_environment

from mltrack_jupyter.entities import Metric, Param, RunEntry, RunStatus, Tag
from mltrack_jupyter.errors import NotFound
from mltrack_jupyter.store import open_store
from mltrack_jupyter.store.journal.draining import Drain
from mltrack_jupyter.store.journal.journal import Journal
from mltrack_jupyter.store.journal.sinks import StoreSink
from mltrack_jupyter.store.names import RUN_NAME


@pytest.fixture
def desk(desk, tmp_path):
    desk.folder = tmp_path / ".mltrack" / "journals"  # beside the store, where others look
    return desk


def _append(services, run_id):
    entry = RunEntry(run_id=run_id, params=[Param("q", "1")])
    assert services.journals.append(uuid.uuid4().hex, 0, 1, [entry]).refused == []
    assert services.runs.get(run_id).data.params["q"] == "1"


TOLD = {
    "is asked for": lambda services, run_id: services.runs.get(run_id),
    "is updated": lambda services, run_id: services.runs.update(run_id, status=RunStatus.RUNNING),
    "gets a point": lambda services, run_id: services.runs.log_metric(run_id, "w", 1.0, 1, 0),
    "gets a batch": lambda services, run_id: services.runs.log_batch(
        run_id, metrics=[Metric("w", 1.0, 1, 0)], params=[Param("q", "1")], tags=[Tag("t", "1")]
    ),
    "gets a tag": lambda services, run_id: services.runs.set_tag(run_id, "t", "1"),
    "is searched for": lambda services, run_id: services.runs.search(
        ["0"], f"attributes.run_id = '{run_id}'"
    ).items[0],
    "is searched for over the wire": lambda services, run_id: services.runs.search(
        experiment_ids=["0"], filter=f"attributes.run_id = '{run_id}'"
    ).items[0],
    "gets a file": lambda services, run_id: services.files_at(
        services.runs.get(run_id).info.artifact_uri, run_id
    ),
    "is asked for its files": lambda services, run_id: services.run_artifacts.list(run_id, ""),
    "gets what another journal has": _append,
}  # fmt: skip


@pytest.mark.parametrize("ask", TOLD.values(), ids=TOLD)
def test_a_run_that_waits_in_a_living_journal(desk, journal, ask):
    ask(desk.services, desk.run_id)
    assert desk.services.runs.get(desk.run_id).info.run_id == desk.run_id
    desk.param(journal, "p", "1")
    Drain(journal.journal_id, desk.folder, journal.segments).run(StoreSink(desk.services))
    assert desk.params()["p"] == "1"
    changes = desk.services.workspace.changes(0).changes
    told = [item.action for item in changes if item.entity_id == desk.run_id]
    assert told.count("create") == 1


def test_the_rest_of_the_journal_comes_once(desk, journal):
    journal.point(desk.run_id, "m", 0, 1, 0.5)
    desk.param(journal, "p", "1")
    desk.services.runs.get(desk.run_id)
    desk.param(journal, "p", "2")
    Drain(journal.journal_id, desk.folder, journal.segments).run(StoreSink(desk.services))
    assert (desk.steps(), desk.params()) == ([0], {"p": "2"})
    assert len(desk.services.journals.amendments(desk.run_id)) == 1


def test_its_begin_takes_back_nothing_that_was_written_to_it_since(desk, journal):
    desk.services.runs.set_tag(desk.run_id, RUN_NAME, "renamed")
    desk.param(journal, "p", "1")
    Drain(journal.journal_id, desk.folder, journal.segments).run(StoreSink(desk.services))
    assert desk.services.runs.get(desk.run_id).info.run_name == "renamed"
    assert desk.params() == {"p": "1"}


def test_of_a_dead_process_everything_is_there(desk, journal):
    journal.point(desk.run_id, "m", 0, 1, 0.5)
    desk.die(journal)
    journal.segments.clear()
    assert desk.services.runs.get(desk.run_id).data.metrics == {"m": 0.5}
    assert desk.files() == []


def test_a_run_in_a_second_file_and_one_that_came_later(desk, journal):
    journal.seal()
    second, third = uuid.uuid4().hex, uuid.uuid4().hex
    desk.begin(journal, second)
    for run_id in (desk.run_id, second):
        assert desk.services.runs.get(run_id).info.run_id == run_id
    for step in range(5000):
        journal.point(second, "m", step, 1, 0.5)
    desk.begin(journal, third)
    assert desk.services.runs.get(third).info.run_id == third


def test_a_run_that_was_deleted_for_good_does_not_come_back(desk, journal):
    """Its begin is in a file that is written to still, and that was handed over up to there."""
    Drain(journal.journal_id, desk.folder, journal.segments).run(StoreSink(desk.services))
    desk.services.runs.delete(desk.run_id)
    desk.services.workspace.purge(run_ids=[desk.run_id])
    with pytest.raises(NotFound):
        desk.services.runs.get(desk.run_id)
    entry = RunEntry(run_id=desk.run_id, params=[Param("q", "1")])
    assert desk.services.journals.append(uuid.uuid4().hex, 0, 1, [entry]).refused


def test_what_nobody_began_is_told_at_once(desk, journal):
    for step in range(20_000):
        journal.point(desk.run_id, "m", step, 1, 0.5)
    unknown = "f" * 32
    with pytest.raises(NotFound):
        desk.services.runs.get(unknown)
    begin = time.monotonic()
    for _ in range(20):  # what was read of a file is not read again
        with pytest.raises(NotFound):
            desk.services.runs.get(unknown)
    assert time.monotonic() - begin < 2


def test_the_journals_of_another_store_say_nothing(desk):
    journal = Journal(desk.folder, desk.services.uri.replace("mltrack.db", "other.db"))
    desk.begin(journal)
    with pytest.raises(NotFound):
        desk.services.runs.get(desk.run_id)
    desk.die(journal)


WRITER = """
import sys, mltrack_jupyter as mltrack
for line in sys.stdin:
    with mltrack.start_run() as run:
        print(run.info.run_id, flush=True)
        sys.stdin.readline()
"""
JOINS = """
import sys, mltrack_jupyter as mltrack
with mltrack.start_run(run_id=sys.argv[1]):
    mltrack.log_metric("w", 1.0)
"""


@pytest.fixture
def writer(tmp_path):
    """A process that begins runs when it is told to, and says their ids at once."""
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER], cwd=tmp_path, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        env=clean_environment() | {"MLTRACK_TRACKING_URI": str(tmp_path / ".mltrack")},
    )  # fmt: skip

    def begin():
        process.stdin.write("begin\n")
        process.stdin.flush()
        return process.stdout.readline().strip()

    def end():
        process.stdin.write("end\n")
        process.stdin.flush()

    yield begin, end, process
    process.stdin.close()
    process.wait(60)
    process.stdout.close()


def test_another_process_finds_each_run_at_once(writer, tmp_path):
    begin, end, _ = writer
    services = open_store(tmp_path / ".mltrack")
    for _ in range(20):
        run_id = begin()
        assert services.runs.get(run_id).info.status == "RUNNING"
        end()
    services.close()


@pytest.mark.server
def test_a_server_over_the_store_finds_it_too(start_server, run_script):
    server = start_server()
    services = server.services()
    done = run_script(
        """
import sys, mltrack_jupyter as mltrack
from mltrack_jupyter.store import open_store
from mltrack_jupyter.errors import MltrackError
server = open_store(sys.argv[1])
mltrack.set_tracking_uri(sys.argv[2])
server.runs.search(["0"])
for _ in range(10):
    with mltrack.start_run() as run:
        server.runs.log_metric(run.info.run_id, "w", 1.0, 1, 0)
        assert server.runs.get(run.info.run_id).data.metrics == {"w": 1.0}
# and a run that waits for the server itself, in the user's folder, told by another process of the machine
mltrack.set_tracking_uri(sys.argv[1])
with mltrack.start_run() as run:
    assert server.runs.get(run.info.run_id).info.status == "RUNNING"
print("found")
""",
        server.tracking_uri, str(server.store), MLTRACK_TRACKING_TOKEN=server.token,
    )  # fmt: skip
    assert done.stdout.split() == ["found"], done.stderr
    services.close()


def test_a_worker_that_is_given_the_id_joins(tmp_path, writer, run_script):
    begin, end, _ = writer
    run_id = begin()
    run_script(JOINS, run_id, MLTRACK_TRACKING_URI=str(tmp_path / ".mltrack"))
    end()
    services = open_store(tmp_path / ".mltrack")
    assert services.runs.get(run_id).data.metrics == {"w": 1.0}
    services.close()
