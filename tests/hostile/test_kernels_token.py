"""The token of a Jupyter server, which MLflow's requests are signed with: nobody else gets it, or names another."""

import contextlib
import http.server
import json
import os
import threading

import pytest
import requests

from mltrack_jupyter import hosted, inheritance
from mltrack_jupyter.mlflow_plugin import ServerToken

TOKEN = "t0k-7f3a91"


class Listener(http.server.ThreadingHTTPServer):
    """A server on the loopback that keeps what it is told, and may lead elsewhere."""

    def __init__(self, address="127.0.0.1", location=""):
        self.told = told = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                told.append(self.headers.get("Authorization"))
                self.send_response(302 if location and not self.path.endswith("end") else 200)
                self.send_header("Location", location)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_given):
                pass

        super().__init__((address, 0), Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def port(self):
        return self.server_address[1]


@pytest.fixture
def listener():
    with contextlib.ExitStack() as stack:

        def listen(*options):
            made = stack.enter_context(contextlib.closing(_Closing(Listener(*options))))
            return made.listener

        yield listen


class _Closing:
    def __init__(self, listener):
        self.listener = listener

    def close(self):
        self.listener.shutdown()
        self.listener.server_close()


@pytest.fixture
def known(tmp_path, environment):
    """Write what the server of this kernel says of itself."""
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY"):
        environment.delenv(name, raising=False)
    environment.setenv("NETRC", str(tmp_path / "none"))
    environment.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path))
    environment.setenv("JPY_PARENT_PID", "7")
    environment.delenv("JUPYTER_ALLOW_INSECURE_WRITES", raising=False)
    file = tmp_path / "jpserver-7.json"

    def write(**info):
        told = {"port": 8888, "hostname": "127.0.0.1", "base_url": "/", "secure": False,
                "token": TOKEN, "sock": "", "pid": 7} | info  # fmt: skip
        file.write_text(json.dumps(told))
        file.chmod(0o600)
        return file

    return write


def ask(url):
    return requests.get(url, auth=ServerToken(), timeout=10)


@pytest.mark.parametrize("where", ["another port", "another host", "by a name"])
def test_a_redirect_takes_it_nowhere(known, listener, where):
    other = listener("127.0.0.2" if where == "another host" else "127.0.0.1")
    host = {"another port": "127.0.0.1", "another host": "127.0.0.2", "by a name": "localhost"}
    own = listener("127.0.0.1", f"http://{host[where]}:{other.port}/mltrack/end")
    known(port=own.port)
    assert ask(f"http://127.0.0.1:{own.port}/mltrack/api").status_code == 200
    assert (own.told, other.told) == ([f"Bearer {TOKEN}"], [None])


HOSTS = [
    "127.evil.example", "127.0.0.1.evil.example", "127.0.0.1@evil.example", "127.1.evil", "127.0.0.1/x",
    "localhost.evil.example", "evil.example", "127.0.0.1\n.evil.example", "[::1].evil", "192.0.2.1", "127.", "127.0.0.1 ",
]  # fmt: skip


@pytest.mark.parametrize("host", HOSTS)
def test_a_server_that_is_not_on_this_machine(known, host):
    known(hostname=host)
    assert hosted.server_info() is None


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.53", "localhost", "::1", "0.0.0.0", ""])
def test_a_server_that_is(known, host):
    known(hostname=host)
    assert hosted.server_info()["token"] == TOKEN


def writable_by_the_group(file, _environment):
    file.chmod(0o620)


def writable_by_everybody(file, _environment):
    file.chmod(0o602)


def of_somebody_else(file, _environment):
    if os.geteuid():
        pytest.skip("only root gives files away")
    os.chown(file, 12345, 12345)


def a_link_to_a_file_of_somebody_else(file, environment):
    target = file.with_name("theirs.json")
    file.rename(target)
    file.symlink_to(target)
    of_somebody_else(target, environment)


def a_pipe(file, _environment):
    file.unlink()
    os.mkfifo(file, 0o600)


def a_folder(file, _environment):
    file.unlink()
    file.mkdir()


def endless(file, _environment):
    file.unlink()
    file.symlink_to("/dev/zero")


def nested(file, _environment):
    file.write_text("[" * 50_000)


def a_list(file, _environment):
    file.write_text("[1]")


def no_text(file, _environment):
    file.write_bytes(b"\xff\xfe\x00")


def of_another_process(_file, environment):
    for name in ("JPY_PARENT_PID", hosted.SERVER):
        environment.setenv(name, "../7")


def of_a_process_in_other_digits(_file, environment):
    for name in ("JPY_PARENT_PID", hosted.SERVER):
        environment.setenv(name, "७")


FILES = [
    writable_by_the_group, writable_by_everybody, of_somebody_else, a_link_to_a_file_of_somebody_else, a_pipe,
    a_folder, endless, nested, a_list, no_text, of_another_process, of_a_process_in_other_digits,
]  # fmt: skip


@pytest.mark.timeout(20)
@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="rights as POSIX has them")
@pytest.mark.parametrize("spoil", FILES, ids=lambda spoil: spoil.__name__)
def test_a_file_that_this_user_did_not_write(known, environment, spoil):
    """Else whoever may write beside it would choose where the runs of MLflow's code go."""
    environment.setattr(hosted, "is_kernel", lambda: True)
    environment.setattr(hosted, "_has_plugin", lambda: True)
    environment.setenv(hosted.SERVER, "7")
    spoil(known(), environment)
    environment.delenv("MLFLOW_TRACKING_URI", raising=False)
    hosted.offer_to_mlflow()
    assert (hosted.server_info(), os.environ.get(inheritance.OFFERED)) == (None, None)


def test_a_disk_without_rights(known, environment):
    known().chmod(0o666)
    environment.setenv("JUPYTER_ALLOW_INSECURE_WRITES", "1")
    assert hosted.server_info()["token"] == TOKEN
