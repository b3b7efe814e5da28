"""What is found out beside a user goes to the journal: the store may be away, or the run have ended."""

import pytest
from flaky import FlakyServer

from mltrack_jupyter.capture.writing import write_run
from mltrack_jupyter.entities import Dataset, DatasetInput, RunStatus
from mltrack_jupyter.tracking.writer import RunWriter

AWAY = (503, {}, b'{"error_code": "TEMPORARILY_UNAVAILABLE", "message": "not now"}')


@pytest.fixture
def between(server, mltrack, environment):
    environment.setenv("MLTRACK_TRACKING_TOKEN", server.token)
    environment.setenv("MLTRACK_HTTP_REQUEST_MAX_RETRIES", "0")
    between = FlakyServer(server.tracking_uri)
    mltrack.set_tracking_uri(between.url)
    yield between
    between.plan.clear()
    mltrack.set_tracking_uri("elsewhere")
    between.close()


@pytest.mark.server
@pytest.mark.parametrize("away", ["from the begin", "at the end", "after the end"])
def test_nothing_is_lost_whenever_the_store_goes_away(between, mltrack, away, tmp_path):
    if away == "from the begin":
        between.plan = [AWAY] * 10_000
    run = mltrack.start_run()
    writer = RunWriter(run)
    if away == "at the end":
        mltrack.flush_async_logging()
        between.plan = [AWAY] * 10_000
    if away == "after the end":
        mltrack.end_run()
        mltrack.flush_async_logging()
        between.plan = [AWAY] * 10_000
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "file").write_text("content")
    writer.params({"depth": "3"})
    writer.metrics({"loss": 0.5}, step=2)
    writer.tags({"team": "vision"})
    data = Dataset(name="d", digest="digest", source_type="code", source="here")
    writer.dataset(DatasetInput(dataset=data, tags=[]))
    writer.text("hello", "note.txt")
    writer.folder(tmp_path / "folder", "model")
    writer.end(RunStatus.FAILED, {"mltrack.status_reason": "why"})
    between.plan.clear()
    mltrack.flush_async_logging()
    stored = mltrack.get_run(run.run_id)
    assert stored.data.params == {"depth": "3"}
    assert stored.data.metrics == {"loss": 0.5}
    assert (stored.data.tags["team"], stored.data.tags["mltrack.status_reason"]) == (
        "vision",
        "why",
    )
    assert [item.dataset.name for item in stored.inputs.dataset_inputs] == ["d"]
    assert stored.info.status == "FAILED"
    files = mltrack.artifacts.list_artifacts(run_id=run.run_id)
    assert sorted(item.path for item in files) == ["model", "note.txt"]


def test_what_is_refused_is_a_note_and_loses_no_others(mltrack):
    with mltrack.start_run() as run:
        notes = write_run(
            RunWriter(run),
            params={
                "good": "1",
                "bad\n": "2",
                "half": "\ud800",
                **{f"p{i}": "" for i in range(250)},
            },
            metrics={"a": 1.0, "b" * 251: 2.0, "c": 3.0},
            tags={"": "x", "t": "y"},
        )
        assert write_run(RunWriter(run)) == []
    stored = mltrack.get_run(run.run_id).data
    assert len(stored.params) == 251
    assert stored.metrics == {"a": 1.0, "c": 3.0}
    assert stored.tags["t"] == "y"
    assert [note.split()[1] for note in notes] == ["param", "param", "metric", "tag"]


@pytest.mark.server
def test_who_is_strict_is_told(between, mltrack, environment):
    environment.setenv("MLTRACK_STRICT", "1")
    with mltrack.start_run() as run:
        between.plan = [AWAY] * 10_000
        notes = write_run(RunWriter(run), tags={"t": "y"})
        between.plan.clear()
    assert "1 tags could not be stored" in notes[0]


@pytest.mark.server
class TestWhereARunIs:
    """A run that began while the server was away knows its place as soon as that is there."""

    def test_the_place_is_asked_for_until_it_is_known(self, between, mltrack):
        mltrack.set_experiment("places")
        between.plan = [AWAY] * 10_000
        with pytest.warns(UserWarning, match="belong to the experiment 'later'"):
            mltrack.set_experiment("later")
        with mltrack.start_run() as run:
            assert (run.info.artifact_uri, run.info.experiment_id) == ("", "")
            with pytest.raises(mltrack.MltrackError, match="The store is away"):
                mltrack.get_artifact_uri("model")
            between.plan.clear()
            mltrack.flush_async_logging()
            stored = mltrack.get_run(run.run_id).info
            assert mltrack.get_artifact_uri("model") == f"{stored.artifact_uri}/model"
            assert run.info.experiment_id == stored.experiment_id
            assert run.info.run_name == stored.run_name
            with mltrack.start_run(nested=True) as child:
                pass
        assert child.info.artifact_uri == mltrack.get_run(child.run_id).info.artifact_uri

    def test_one_that_is_gone_on_with(self, between, mltrack):
        with mltrack.start_run() as first:
            pass
        mltrack.flush_async_logging()
        between.plan = [AWAY] * 10_000
        with mltrack.start_run(first.run_id) as run:
            between.plan.clear()
            mltrack.flush_async_logging()
            assert run.info.artifact_uri == mltrack.get_run(run.run_id).info.artifact_uri
            assert run.info.run_name == first.run_name

    def test_nobody_waits_for_it_at_each_question(self, between, mltrack):
        with mltrack.start_run():
            mltrack.flush_async_logging()
        between.plan = [AWAY] * 10_000
        with mltrack.start_run() as run:
            mltrack.log_text("x", "x.txt")
            asked = len(between.seen)
            for _ in range(20):
                assert run.info.artifact_uri == ""
            assert len(between.seen) < asked + 10
            between.plan.clear()
