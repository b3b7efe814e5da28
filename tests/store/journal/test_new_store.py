"""A store that comes back as another one: runs that are open go on there, in their experiment."""

import io
import shutil

import pytest

from mltrack_jupyter.entities import NewRun, RunEntry, RunStatus, Tag
from mltrack_jupyter.errors import Unavailable
from mltrack_jupyter.store import open_store
from mltrack_jupyter.store.journal.draining import Drain
from mltrack_jupyter.store.journal.journal import Journal
from mltrack_jupyter.store.journal.keeper import Keeper
from mltrack_jupyter.store.journal.sinks import MlflowSink, StoreSink


class Server(StoreSink):
    """A server that has the store which is there: whoever asks it does not see which one that is."""

    def come_back(self, services):
        """Come back with another store."""
        self._services = services


@pytest.fixture
def other(tmp_path):
    """A new store, in which the first experiment is somebody else's."""
    services = open_store(tmp_path / "other")
    services.experiments.create("somebody else's")
    yield services
    services.close()


@pytest.fixture
def sink(desk):
    return Server(desk.services)


@pytest.fixture
def journal(desk):
    desk.services.experiments.create("e")
    journal = Journal(desk.folder, desk.services.uri)
    new = NewRun(experiment_id="1", experiment_name="e", user_id="ada", start_time=7)
    journal.entry(RunEntry(run_id=desk.run_id, new=new, tags=[Tag("mlflow.runName", "named")]))
    yield journal
    desk.die(journal)


@pytest.fixture
def drain(desk, journal, sink):
    drain = Drain(journal.journal_id, desk.folder, journal.segments)
    journal.point(desk.run_id, "m", 0, 1, 0.5)
    drain.run(sink)
    return drain


def test_an_open_run_goes_on(desk, journal, drain, sink, other):
    sink.come_back(other)
    journal.point(desk.run_id, "m", 1, 1, 0.5)
    journal.entry(RunEntry(run_id=desk.run_id, status=RunStatus.FINISHED, end_time=9))
    drain.run(sink)
    run = other.runs.get(desk.run_id)
    assert (run.info.run_name, run.info.user_id, run.info.start_time) == ("named", "ada", 7)
    assert (run.info.status, run.info.end_time) == ("FINISHED", 9)
    assert [point.step for point in other.metrics.history(desk.run_id, "m")] == [1]
    assert other.experiments.get(run.info.experiment_id).name == "e"
    created = [item for item in other.workspace.changes(0).changes if item.action == "create"]
    assert [item.entity_id for item in created].count(desk.run_id) == 1
    assert list(desk.folder.glob("*.refused.jsonl")) == []


def test_a_run_that_had_ended_does_not_come_back(desk, journal, drain, sink, other):
    journal.entry(RunEntry(run_id=desk.run_id, status=RunStatus.FINISHED, end_time=9))
    drain.run(sink)
    sink.come_back(other)
    other_run = "f" * 32
    desk.begin(journal, other_run)
    drain.run(sink)
    assert [run.info.run_id for run in other.runs.search(["0", "1", "2"])] == [other_run]


def test_an_answer_that_is_lost_meanwhile_doubles_nothing(desk, journal, drain, sink, other):
    sink.come_back(other)
    journal.point(desk.run_id, "m", 1, 1, 0.5)
    real = other.journals.append

    def lose(*batch):
        found = real(*batch)
        if found.position:
            other.journals.append = real
            raise Unavailable("the answer was lost")
        return found

    other.journals.append = lose
    with pytest.raises(Unavailable):
        drain.run(sink)
    drain.run(sink)
    journal.point(desk.run_id, "m", 2, 1, 0.5)
    drain.run(sink)
    assert [point.step for point in other.metrics.history(desk.run_id, "m")] == [1, 2]


def test_an_artifact_that_waited_finds_its_run(desk, journal, drain, sink, other):
    sink.come_back(other)
    journal.spool(desk.run_id, "a.txt", io.BytesIO(b"kept"))
    drain.run(sink)
    with other.run_artifacts.read(desk.run_id, "a.txt").file as found:
        assert found.read() == b"kept"


def test_a_store_that_contradicts_itself_gets_it_later(desk, journal, drain, sink):
    class Torn(StoreSink):
        """Two servers in turn, of which one lost its store."""

        def append(self, *batch):
            return None

        def position(self, journal_id):
            return 0

    journal.point(desk.run_id, "m", 1, 1, 0.5)
    with pytest.raises(Unavailable):
        drain.run(Torn(desk.services))
    drain.run(sink)
    assert desk.steps() == [0, 1]


@pytest.mark.parametrize("flushed", [True, False])
def test_a_journal_that_was_deleted_with_its_store_goes_on_in_another_file(desk, flushed):
    keeper = Keeper(desk.folder, desk.services.uri, lambda: desk.services)
    desk.begin(keeper.journal)
    keeper.flush()
    shutil.rmtree(desk.folder.parent / ".mltrack")
    shutil.rmtree(desk.folder)
    if flushed:
        keeper.journal.point(desk.run_id, "m", 0, 1, 0.5)
        keeper.flush()
        keeper.journal.point(desk.run_id, "m", 1, 1, 0.5)
    else:
        desk.begin(keeper.journal)
        keeper.journal.point(desk.run_id, "m", 1, 1, 0.5)
    assert desk.files() == ["000001.journal"]
    desk.die(keeper.journal)  # nothing is lost that is in a file
    desk.recover()
    assert desk.steps() == ([0, 1] if flushed else [1])


def test_what_is_refused_is_kept_although_the_folder_is_gone(desk, journal, drain, sink):
    shutil.rmtree(desk.folder)
    journal.point("e" * 32, "m", 0, 1, 0.5)
    drain.run(sink)
    (place,) = desk.folder.glob("*.refused.jsonl")
    assert "not found" in place.read_text()


@pytest.mark.parametrize(
    ("number", "name", "expected"),
    [("1", "e", "e"), ("2", "e", "e"), ("1", "renamed", "e"), ("9", "e", "e"), ("9", "new", "new"), ("", "new", "new")],
)  # fmt: skip
def test_mlflow_s_server_is_asked_for_an_experiment_by_both(desk, tmp_path, number, name, expected):
    desk.services.experiments.create("e")
    desk.services.experiments.create("other")
    new = NewRun(experiment_id=number, experiment_name=name, start_time=1)
    sink = MlflowSink(desk.services, tmp_path)
    assert sink.append("j", 0, 1, [RunEntry(run_id=desk.run_id, new=new)]) == []
    (run,) = desk.services.runs.search(["0", "1", "2", "3"])
    assert desk.services.experiments.get(run.info.experiment_id).name == expected
