"""A server that stands before another one (or before none) and misbehaves as it is told, over real sockets."""

import http.client
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit


class FlakyServer:
    """Forwards requests; ``plan`` says for the next of them what happens to their answers.

    ``drop`` closes the connection after the request was carried out; a tuple is an answer of a status,
    headers and a body that is sent without asking anybody; ``ok`` is what comes from behind. ``hidden``
    are headers that are left out of answers. ``seen`` holds the method, path and headers of what came.
    """

    def __init__(self, behind="", port=0):
        self.plan, self.hidden, self.seen, self.connections = [], set(), [], 0
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self):
                super().setup()
                outer.connections += 1

            def do_GET(self):
                outer.answer(self, behind)

            do_POST = do_PUT = do_PATCH = do_DELETE = do_GET  # noqa: N815 - the library's names

            def log_message(self, *arguments):
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def answer(self, handler, behind):
        body = handler.rfile.read(int(handler.headers.get("Content-Length", 0)))
        self.seen.append((handler.command, handler.path, dict(handler.headers)))
        fate = self.plan.pop(0) if self.plan else "ok"
        if isinstance(fate, tuple):
            status, headers, content = fate
        else:
            status, headers, content = self._ask(handler, behind, body)
        if fate == "drop":
            handler.close_connection = True
            return
        handler.send_response(status)
        for name, value in headers.items():
            if name not in self.hidden and name.lower() not in ("transfer-encoding", "connection"):
                handler.send_header(name, value)
        if "Content-Length" not in headers:
            handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        handler.wfile.write(content)
        if len(content) < int(headers.get("Content-Length", 0)):
            handler.close_connection = True

    @staticmethod
    def _ask(handler, behind, body):
        place = urlsplit(behind)
        connection = http.client.HTTPConnection(place.hostname, place.port, timeout=60)
        try:
            connection.request(
                handler.command, place.path + handler.path, body, dict(handler.headers)
            )
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read()
        finally:
            connection.close()

    def close(self):
        self._server.shutdown()
        self._server.server_close()
