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
    scope._opened.clear()
    environment.setattr(scope, "_newest", None)
    environment.setattr(scope, "_last_of_process", None)
    environment.setattr(session, "_uri", None)
    environment.setattr(session, "_experiment", None)
    scope.current.set(None)
    scope._last.set(None)
    mltrack_jupyter.set_tracking_uri(tmp_path / "store")
    yield mltrack_jupyter
    while mltrack_jupyter.active_run():
        scope.end(scope.active_run(), scope.RunStatus.FINISHED)
    session.close()


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
