"""A training whose server goes away notices nothing of it, and its run has everything afterwards."""

import io
import shutil
import socket
import time

import numpy as np
import pandas as pd
import PIL.Image
import pytest
from flaky import FlakyServer

from mltrack_jupyter.errors import Unauthenticated, Unavailable
from mltrack_jupyter.tracking import session

AWAY = (503, {}, b'{"error_code": "TEMPORARILY_UNAVAILABLE", "message": "not now"}')
FRAME = pd.DataFrame({"x": [1, 2]})


class Between(FlakyServer):
    """Stands before the real server, and answers for it while that is ``away``."""

    def away(self):
        self.plan = [AWAY] * 10_000

    def back(self):
        self.plan.clear()


@pytest.fixture
def between(server, mltrack, environment):
    environment.setenv("MLTRACK_TRACKING_TOKEN", server.token)
    environment.setenv("MLTRACK_HTTP_REQUEST_MAX_RETRIES", "0")
    between = Between(server.tracking_uri)
    mltrack.set_tracking_uri(between.url)
    yield between
    between.back()
    mltrack.set_tracking_uri("elsewhere")
    between.close()


@pytest.mark.server
class TestEverythingIsKept:
    """Each call while the server is away leaves what it would have left with it."""

    @pytest.fixture(params=["from the begin", "after the begin"])
    def run(self, request, between, mltrack):
        if request.param == "from the begin":
            between.away()
        with mltrack.start_run() as run:
            mltrack.log_metric("loss", 1.0)
            if request.param == "after the begin":
                mltrack.flush_async_logging()
                between.away()
            yield run

    @pytest.fixture
    def stored(self, between, mltrack, run):
        """Return the run as it is stored when the server is there again."""

        def stored():
            between.back()
            mltrack.flush_async_logging()
            return mltrack.get_run(run.info.run_id)

        return stored

    def test_images_of_a_series(self, mltrack, stored):
        for step in range(2):
            mltrack.log_image(np.zeros((4, 4), np.uint8), key="sample", step=step)
        run = stored()
        files = [
            item.path
            for item in mltrack.artifacts.list_artifacts(
                run_id=run.info.run_id, artifact_path="images"
            )
        ]
        assert [
            f"step+{step}+" in name for step, name in zip([0, 0, 1, 1], sorted(files), strict=True)
        ] == [True] * 4
        assert run.data.tags["mlflow.loggedImages"] == "True"

    def test_files_of_every_kind(self, mltrack, stored, tmp_path):
        (tmp_path / "notes.txt").write_text("notes")
        mltrack.log_artifact(tmp_path / "notes.txt")
        mltrack.log_text("text", "text.txt")
        mltrack.log_image(PIL.Image.new("RGB", (2, 2)), "image.png")
        mltrack.log_stream(io.BytesIO(b"stream"), "stream.bin")
        run_id = stored().info.run_id
        files = [item.path for item in mltrack.artifacts.list_artifacts(run_id=run_id)]
        assert files == ["image.png", "notes.txt", "stream.bin", "text.txt"]

    def test_a_table_that_grows(self, mltrack, stored):
        for step in range(3):
            mltrack.log_table({"step": [step]}, "steps.json")
        run_id = stored().info.run_id
        assert list(mltrack.load_table("steps.json", [run_id]).step) == [0, 1, 2]

    def test_datasets(self, mltrack, stored):
        mltrack.log_input(mltrack.data.from_pandas(FRAME, name="frame"), context="training")
        (found,) = stored().inputs.dataset_inputs
        assert (found.dataset.name, found.tags[0].value) == ("frame", "training")

    def test_metrics_of_a_dataset(self, mltrack, stored):
        data = mltrack.data.from_pandas(FRAME, name="frame")
        mltrack.log_metric("accuracy", 0.5, dataset=data)
        mltrack.log_metrics({"f1": 0.25}, dataset=data)
        assert stored().data.metrics == {"accuracy": 0.5, "f1": 0.25, "loss": 1.0}


@pytest.mark.server
class TestATableThatIsThere:
    """Its rows cannot be read while the server is away, and must not get lost."""

    def test_it_goes_on_and_comes_back(self, between, mltrack):
        with mltrack.start_run() as run:
            mltrack.log_table({"step": [0]}, "steps.json")
            between.away()
            mltrack.log_table({"step": [1]}, "steps.json")
            mltrack.log_table({"loss": [0.5]}, "others.json")
            between.back()
            mltrack.log_table({"step": [2]}, "steps.json")
        run_ids = [run.info.run_id]
        assert list(mltrack.load_table("steps.json", run_ids).step) == [0, 1, 2]
        assert list(mltrack.load_table("others.json", run_ids).loss) == [0.5]

    def test_of_another_process(self, between, mltrack):
        with mltrack.start_run() as run:
            mltrack.log_table({"step": [0]}, "steps.json")
        with mltrack.start_run(run.info.run_id):
            between.away()
            with pytest.raises(Unavailable, match=r"rows that the table 'steps\.json' has"):
                mltrack.log_table({"step": [1]}, "steps.json")
            between.back()
        assert list(mltrack.load_table("steps.json", [run.info.run_id]).step) == [0]


@pytest.mark.server
class TestAKnownModel:
    """What names a logged model names it as well when it comes later."""

    def test_its_metrics_and_its_use(self, between, mltrack):
        with mltrack.start_run() as run:
            model = mltrack.create_external_model("model")
            between.away()
            mltrack.log_metric("accuracy", 0.5, model_id=model.model_id)
            mltrack.log_outputs([mltrack.entities.LoggedModelOutput(model.model_id, 3)])
            mltrack.log_inputs(models=[mltrack.entities.LoggedModelInput(model.model_id)])
        between.back()
        mltrack.flush_async_logging()
        stored = mltrack.get_run(run.info.run_id)
        assert [item.model_id for item in stored.inputs.model_inputs] == [model.model_id]
        assert [item.step for item in stored.outputs.model_outputs] == [3]
        assert mltrack.get_logged_model(model.model_id).metrics[0].value == 0.5


@pytest.mark.server
class TestWhoWantsToHear:
    """In strict mode, and without a run of this process, the caller is told at once."""

    def test_strict(self, between, mltrack, environment):
        environment.setenv("MLTRACK_STRICT", "1")
        with mltrack.start_run() as run:
            between.away()
            with pytest.raises(Unavailable):
                mltrack.log_text("text", "text.txt")
            with pytest.raises(Unavailable):
                mltrack.log_input(mltrack.data.from_pandas(FRAME))
            between.back()
        assert mltrack.artifacts.list_artifacts(run_id=run.info.run_id) == []

    def test_the_run_of_somebody_else(self, between, mltrack):
        with mltrack.start_run() as run:
            pass
        between.away()
        with pytest.raises(Unavailable):
            mltrack.log_text("text", "text.txt", run_id=run.info.run_id)


@pytest.mark.server
def test_nobody_knocks_at_every_call(between, mltrack):
    """While the server is known to be away, a call does not wait for it."""
    with mltrack.start_run():
        mltrack.log_metric("loss", 1.0)
        between.away()
        mltrack.log_text("first", "0.txt")
        asked = len(between.seen)
        for step in range(20):
            mltrack.log_text("text", f"{step}.txt")
        assert len(between.seen) < asked + 10
        between.back()


@pytest.mark.server
class TestAHubOrAProxyAnswers:
    """A server that was reached may be hidden later: by a login, a token that ran out, or a proxy's page."""

    HIDDEN = {
        "a login": (302, {"Location": "/hub/login"}, b""),
        "a token that ran out": (401, {}, b'{"error_code": "UNAUTHENTICATED", "message": "no"}'),
        "a proxy that knows no such server": (404, {}, b"404 page not found"),
        "a page": (200, {"Content-Type": "text/html"}, b"<html>Please log in</html>"),
    }

    @pytest.mark.parametrize("answer", HIDDEN.values(), ids=HIDDEN)
    def test_runs_go_on_and_begin(self, between, mltrack, answer):
        with mltrack.start_run() as first:
            mltrack.log_metric("loss", 1.0)
        mltrack.flush_async_logging()
        between.plan = [answer] * 10_000
        with mltrack.start_run(experiment_id="0") as second:
            mltrack.log_metric("loss", 2.0)
            mltrack.log_text("text", "text.txt")
        between.back()
        mltrack.flush_async_logging()
        for run, loss in [(first, 1.0), (second, 2.0)]:
            assert mltrack.get_run(run.info.run_id).data.metrics == {"loss": loss}
        assert mltrack.artifacts.list_artifacts(run_id=second.info.run_id)

    def test_the_first_contact_tells(self, between, mltrack):
        between.plan = [self.HIDDEN["a token that ran out"]] * 10_000
        with pytest.raises(Unauthenticated), mltrack.start_run():
            pass


@pytest.mark.server
def test_an_experiment_that_is_chosen_by_its_id(between, mltrack, environment):
    environment.setenv("MLFLOW_EXPERIMENT_ID", "0")
    between.away()
    with pytest.warns(UserWarning, match="the experiment with the id 0"):
        mltrack.log_metric("loss", 1.0)
    run = mltrack.active_run()
    between.back()
    mltrack.end_run()
    assert mltrack.get_run(run.info.run_id).data.metrics == {"loss": 1.0}


def test_a_database_that_was_never_reached(mltrack, recwarn):
    """Who asks what is known of the run, or logs a file, is not told by an exception."""
    mltrack.set_tracking_uri("postgresql://nobody:none@127.0.0.1:9/none")
    with mltrack.start_run() as run:
        assert run.info.run_id
        mltrack.log_text("text", "text.txt")
        mltrack.log_metric("loss", 1.0)
    (left,) = (keeper.journal for keeper in session.default.stores.keepers().values())
    assert left.segments
    (keeper,) = session.default.stores.keepers().values()
    keeper.close(wait=0.1)
    session.default.stores._known.clear()
    shutil.rmtree(left.folder / f"{left.journal_id}.files")
    mltrack.set_tracking_uri("elsewhere")


def test_a_server_that_takes_the_question_and_never_answers(mltrack, environment):
    """Neither the end of a run nor that of the process waits for it."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        mltrack.set_tracking_uri(f"http://127.0.0.1:{silent.getsockname()[1]}")
        environment.setattr(session, "keeps_ids", lambda uri: True)
        before = time.monotonic()
        with mltrack.start_run():
            mltrack.log_metric("loss", 1.0)
        (keeper,) = session.default.stores.keepers().values()
        time.sleep(0.5)  # the thread has asked by now, and waits for two minutes
        assert not keeper.close(wait=1.0)
        assert time.monotonic() - before < 60
        session.default.stores._known.clear()
    mltrack.set_tracking_uri("elsewhere")


@pytest.mark.server
def test_what_a_run_stands_on_is_sent_once_and_kept_while_the_server_is_away(
    between, mltrack, environment
):
    environment.setenv("MLTRACK_RECORD_ENVIRONMENT", "1")

    def paths(run):
        mltrack.flush_async_logging()
        found = mltrack.artifacts.list_artifacts(
            run_id=run.info.run_id, artifact_path="environment"
        )
        return [item.path for item in found]

    def brought():
        return [path for method, path, _ in between.seen if method == "PUT" and "shared" in path]

    both = ["environment/environment.json", "environment/requirements.lock"]
    with mltrack.start_run() as first:
        pass
    assert paths(first) == both
    sent = len(brought())
    between.away()
    with mltrack.start_run() as second:
        pass
    between.back()
    with mltrack.start_run() as third:
        pass
    assert (paths(second), paths(third)) == (both, both)
    assert len(brought()) == sent <= 2
