"""A tracked cell whose store goes away: nothing that it made is lost, and its user sees no traceback."""

import pytest
from flaky import FlakyServer

pytestmark = [pytest.mark.kernel, pytest.mark.server]
AWAY = (503, {}, b'{"error_code": "TEMPORARILY_UNAVAILABLE", "message": "not now"}')
CELL = """%%track -n {name} -t team=vision --register M
depth = 7
import warnings; warnings.simplefilter("ignore")
from IPython.display import Image, display
import base64
from sklearn.dummy import DummyClassifier
display(Image(base64.b64decode(PIXEL)))
model = DummyClassifier().fit([[1], [2]], [0, 1])
mltrack.log_metric("by_hand", 1.0)
{middle}
acc = 0.5 + depth / 100
{end}"""
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


@pytest.fixture(scope="module")
def between(own_server):
    between = FlakyServer(own_server.tracking_uri)
    yield between
    between.close()


@pytest.fixture
def kernel(between, own_server, new_kernel):
    settings = {"MLTRACK_TRACKING_TOKEN": own_server.token, "MLTRACK_HTTP_REQUEST_MAX_RETRIES": "0"}
    kernel = new_kernel(store=between.url, env=settings)
    kernel.run(f"import mltrack_jupyter as mltrack; PIXEL = {PIXEL!r}")
    # Reached once: the kernel knows that there is such a server.
    assert kernel.run("%%track\nwarm = 1 + 1").status == "ok"
    yield kernel
    between.plan.clear()


def away(kernel, between, name, *, middle="", end="", from_begin=False):
    """Run a cell whose server is away, from the begin or after it, and return what it showed."""
    kernel.run("mltrack.flush_async_logging()")
    if from_begin:
        between.plan = [AWAY] * 10_000
        return kernel.run(CELL.format(name=name, middle=middle, end=end))
    wait = "import time; print('now', flush=True); time.sleep(0.5)"
    started = kernel.start(CELL.format(name=name, middle=f"{wait}\n{middle}", end=end))
    kernel.wait(started, until="now")
    between.plan = [AWAY] * 10_000
    return kernel.wait(started)


@pytest.mark.parametrize(
    ("case", "options", "status"),
    [
        ("at the end", {}, "FINISHED"),
        ("from the begin", {"from_begin": True}, "FINISHED"),
        ("failed", {"end": "1 / 0"}, "FAILED"),
        ("ended by hand", {"middle": "mltrack.end_run()"}, "FINISHED"),
    ],
)
def test_everything_is_kept(kernel, between, own_server, case, options, status):
    name = f"run-{case.replace(' ', '-')}"
    reply = away(kernel, between, name, **options)
    assert reply.status == ("error" if status == "FAILED" else "ok")
    assert "Traceback" not in reply.text
    shown = [
        content["data"]["text/plain"] for content in reply.of("display_data", "update_display_data")
    ]
    assert "the store is away" in shown[-1]
    assert name in shown[-1]
    between.plan.clear()
    kernel.run("mltrack.flush_async_logging()")
    services = own_server.services()
    every = [item.experiment_id for item in services.experiments.search(100).items]
    (run,) = services.runs.search(every, f"run_name = '{name}'")
    assert run.info.status == status
    assert run.data.params["depth"] == "7"
    assert run.data.metrics == {"by_hand": 1.0, "acc": 0.5 + 7 / 100}
    assert run.data.tags["team"] == "vision"
    assert '"depth"' in run.data.tags["mltrack.inferred"]
    assert ("ZeroDivisionError" in run.data.tags.get("mltrack.error", "")) is (status == "FAILED")
    files = services.files_at(run.info.artifact_uri, run.info.run_id)
    assert {"figures"} <= {item.path for item in files.list("")}
    if case in ("at the end", "from the begin"):
        assert "not registered as 'M'" in run.data.tags["mltrack.warnings"]
        assert "not registered as 'M'" in shown[-1]
    if case != "ended by hand":
        assert {"model.pkl", "MLmodel"} <= {
            item.path.rpartition("/")[2] for item in files.list("model")
        }
    services.close()
