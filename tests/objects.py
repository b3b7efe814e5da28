"""Places for artifacts, as servers on the loopback: S3, SFTP, and a web server that takes files."""

import asyncio
import contextlib
import http.server
import os
import socket
import subprocess
import sys
import threading
import time
import uuid
from urllib.parse import unquote

import asyncssh
import boto3
import pytest

KEYS = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
}


class S3:
    """moto, which speaks S3, on the loopback."""

    def __init__(self):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        # In a process of its own, so that the memory of this one is what a client takes.
        self._process = subprocess.Popen(
            [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self.url = f"http://127.0.0.1:{port}"
        self._wait(port)
        self.environment = {**KEYS, "AWS_ENDPOINT_URL_S3": self.url}
        self.client = boto3.client(
            "s3",
            endpoint_url=self.url,
            aws_access_key_id="testing",
            aws_secret_access_key="testing",
            region_name="us-east-1",
        )

    def _wait(self, port):
        for _ in range(600):
            if self._process.poll() is not None:
                raise RuntimeError("moto did not start")
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", port), 1).close()
                return
            time.sleep(0.05)
        raise RuntimeError("moto does not answer")

    def bucket(self):
        """Make a bucket and return its name."""
        name = f"bucket-{uuid.uuid4().hex[:12]}"
        self.client.create_bucket(Bucket=name)
        return name

    def keys(self, bucket):
        """Return the size of every object in a bucket."""
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=bucket)
        return {item["Key"]: item["Size"] for page in pages for item in page.get("Contents", [])}

    def read(self, bucket, key):
        return self.client.get_object(Bucket=bucket, Key=key)["Body"].read()

    def unfinished(self, bucket):
        """Return the uploads in parts that were begun and neither completed nor aborted."""
        return self.client.list_multipart_uploads(Bucket=bucket).get("Uploads", [])

    def stop(self):
        self._process.terminate()
        self._process.wait(30)


class Sftp:
    """An SSH server that gives out one folder by SFTP."""

    def __init__(self, folder):
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, daemon=True).start()
        self._key = asyncssh.generate_private_key("ssh-ed25519")
        self._server = asyncio.run_coroutine_threadsafe(self._listen(folder), self._loop).result(30)
        self.port = self._server.sockets[0].getsockname()[1]
        self.url = f"sftp://ada:secret-word@127.0.0.1:{self.port}"

    async def _listen(self, folder):
        class Login(asyncssh.SSHServer):
            def password_auth_supported(self):
                return True

            def validate_password(self, username, password):
                return (username, password) == ("ada", "secret-word")

        def files(channel):
            return asyncssh.SFTPServer(channel, chroot=str(folder))

        return await asyncssh.create_server(
            Login, "127.0.0.1", 0, server_host_keys=[self._key], sftp_factory=files
        )

    def known_host(self):
        """Return the line by which a client knows this server."""
        key = self._key.export_public_key().decode().strip()
        return f"[127.0.0.1]:{self.port} {key}\n"

    async def _close(self):
        self._server.close()
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()

    def stop(self):
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(30)
        self._loop.call_soon_threadsafe(self._loop.stop)


class Keeper(http.server.BaseHTTPRequestHandler):
    """Answers a request to :class:`Web`."""

    protocol_version = "HTTP/1.1"

    def answer(self, status, body=b"", **headers):
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def do_PUT(self):
        length = int(self.headers["Content-Length"])
        body = self.rfile.read(length)
        if len(body) < length:
            self.close_connection = True
        elif self.headers.get("Authorization") != "Basic YWRhOnNlY3JldC13b3Jk":
            self.answer(401)
        else:
            self.server.files[unquote(self.path)] = body
            self.answer(201)

    def do_GET(self):
        body = self.server.files.get(unquote(self.path))
        if self.server.redirect:
            self.answer(302, Location=self.server.redirect)
        elif body is None:
            self.answer(404)
        else:
            self.answer(200, body)

    def do_HEAD(self):
        self.do_GET()

    def do_DELETE(self):
        found = self.server.files.pop(unquote(self.path), None)
        self.answer(404 if found is None else 204)

    def log_message(self, *_):
        pass


class Web(http.server.ThreadingHTTPServer):
    """A web server that keeps what is put to it, by who knows the password."""

    def __init__(self):
        self.files, self.redirect = {}, ""
        super().__init__(("127.0.0.1", 0), Keeper)
        self.url = f"http://ada:secret-word@127.0.0.1:{self.server_address[1]}/raw"
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def stop(self):
        self.shutdown()
        self.server_close()


@pytest.fixture(scope="session")
def s3():
    """An S3 server, whose address and keys the environment of this process names."""
    server = S3()
    with pytest.MonkeyPatch.context() as environment:
        for name, value in server.environment.items():
            environment.setenv(name, value)
        yield server
    server.stop()


@pytest.fixture(scope="session")
def sftp(tmp_path_factory):
    """An SFTP server whose key this user's ``known_hosts`` has."""
    home = tmp_path_factory.mktemp("home")
    folder = tmp_path_factory.mktemp("sftp")
    server = Sftp(folder)
    (home / ".ssh").mkdir()
    (home / ".ssh" / "known_hosts").write_text(server.known_host())
    server.folder = folder
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("HOME", str(home))
        yield server
    server.stop()


@pytest.fixture
def web():
    server = Web()
    yield server
    server.stop()
