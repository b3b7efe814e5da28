"""The fluent API over a store of its own, as a fresh process has it."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

import mltrack_jupyter
from mltrack_jupyter.tracking import scope, session


@pytest.fixture
def mltrack(tmp_path, environment):
    """The package with an empty store, no active run and no active experiment."""
    environment.chdir(tmp_path)
    for run in scope.open_runs():
        run.closed = True
    scope.scopes._opened.clear()
    environment.setattr(scope.scopes, "_newest", None)
    environment.setattr(scope.scopes, "_last_of_process", None)
    environment.setattr(session.default, "_uri", None)
    environment.setattr(session.default, "_experiment", None)
    scope.current.set(None)
    scope.scopes._last.set(None)
    mltrack_jupyter.set_tracking_uri(tmp_path / "store")
    yield mltrack_jupyter
    while mltrack_jupyter.active_run():
        scope.end(scope.active_run(), scope.RunStatus.FINISHED)
    session.close()
    mltrack_jupyter.set_registry_uri(None)


@pytest.fixture(params=["404", "login page"])
def web_server(request):
    """Serve HTML, as a server that knows nothing of tracking does."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            body = b"<html>Please log in</html>"
            self.send_response(404 if request.param == "404" else 200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET  # noqa: N815

        def log_message(self, *arguments):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/mltrack"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def their_store(tmp_path_factory):
    """MLflow on a database of its own."""
    mlflow = pytest.importorskip("mlflow")
    folder = tmp_path_factory.mktemp("mlflow")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
        environment.setenv("MLFLOW_ALLOW_PICKLE_DESERIALIZATION", "true")
        environment.chdir(folder)
        mlflow.set_tracking_uri(f"sqlite:///{folder}/mlflow.db")
        mlflow.search_experiments()
        yield f"sqlite:///{folder}/mlflow.db"
        mlflow.set_tracking_uri(None)


@pytest.fixture
def answers(their_store, mltrack, environment):
    """Run a snippet with both, and return MLflow's answer and ours."""
    mlflow = pytest.importorskip("mlflow")

    def ask(snippet):
        found = []
        for library, uri in ((mlflow, their_store), (mltrack, mltrack.get_tracking_uri())):
            library.set_tracking_uri(uri)
            environment.delenv("MLFLOW_RUN_ID", raising=False)
            library.set_experiment("Default")
            try:
                found.append(snippet(library))
            except Exception as error:
                found.append(getattr(error, "error_code", type(error).__name__))
            while library.active_run():
                library.end_run()
        return found

    yield ask
    mlflow.set_tracking_uri(their_store)
