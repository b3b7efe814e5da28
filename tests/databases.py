"""Real PostgreSQL and MariaDB servers for the tests, in a temporary folder, ended with the session."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import threading
import time
import uuid
from contextlib import suppress
from pathlib import Path

import pytest

PASSWORD = "geheim-2718"
PACKAGES = {"postgresql": "postgresql", "mysql": "mariadb-server"}
DRIVERS = {"postgresql": "psycopg", "mysql": "pymysql"}
_START_SECONDS = 60
_installing = threading.Lock()


def _postgres_programs():
    """Return the folder of the newest ``initdb``; Debian keeps it out of the PATH."""
    found = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: float(p.parts[4])
    )
    here = shutil.which("initdb")
    return found[-1].parent if found else Path(here).parent if here else None


def _mariadb_programs():
    path = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/bin"])
    server, maker = (shutil.which(name, path=path) for name in ("mariadbd", "mariadb-install-db"))
    return (server, maker) if server and maker else None


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class DatabaseServer:
    """A server in a folder of its own, run by an account that is not root's."""

    account = ""

    def __init__(self):
        # Not below pytest's folder: that one is closed to other accounts.
        self.folder = Path(tempfile.mkdtemp(prefix="mltrack-db-"))
        self.data = self.folder / "data"
        self.user = self.account if os.geteuid() == 0 else ""
        if self.user:
            entry = pwd.getpwnam(self.user)
            os.chown(self.folder, entry.pw_uid, entry.pw_gid)
        self.port = _free_port()
        self._log = (self.folder / "log").open("wb")
        self.process = None
        self.make()
        self.start()

    def _as_account(self):
        return {"user": self.user, "group": self.user, "extra_groups": []} if self.user else {}

    def run(self, *command):
        subprocess.run(
            command, check=True, stdout=self._log, stderr=self._log, cwd=self.folder,
            **self._as_account(),
        )  # fmt: skip

    def start(self):
        """Start the server and wait until it answers."""
        self.process = subprocess.Popen(
            self.command(), stdout=self._log, stderr=self._log, cwd=self.folder,
            **self._as_account(),
        )  # fmt: skip
        until = time.monotonic() + _START_SECONDS
        while not self.answers():
            if self.process.poll() is not None or time.monotonic() > until:
                raise RuntimeError((self.folder / "log").read_text())
            time.sleep(0.1)

    def stop(self):
        """End the server, by its own number."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(self.signal)
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def close(self):
        self.stop()
        self._log.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def new_database(self):
        """Create an empty database and return its URL."""
        name = f"store_{uuid.uuid4().hex[:12]}"
        self.execute(f"CREATE DATABASE {name}")
        return self.url(name)

    def answers(self):
        try:
            self.execute("SELECT 1")
        except Exception:
            return False
        return True


class PostgreSQL(DatabaseServer):
    account = "postgres"
    signal = 2  # a fast shutdown: connections are cut

    def make(self):
        secret = self.folder / "password"
        secret.write_text(PASSWORD)
        secret.chmod(0o644)
        self.run(
            _postgres_programs() / "initdb", "-D", self.data, "-U", "tracker", "-A", "scram-sha-256",
            f"--pwfile={secret}", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync",
        )  # fmt: skip

    def command(self):
        return [
            _postgres_programs() / "postgres", "-D", self.data, "-p", str(self.port), "-h", "127.0.0.1",
            "-k", self.folder, "-c", "fsync=off",
        ]  # fmt: skip

    def execute(self, statement):
        import psycopg

        with psycopg.connect(
            host="127.0.0.1", port=self.port, user="tracker", password=PASSWORD, dbname="postgres",
            autocommit=True,
        ) as connection:  # fmt: skip
            connection.execute(statement)

    def url(self, name, password=PASSWORD):
        return f"postgresql://tracker:{password}@127.0.0.1:{self.port}/{name}"


class MariaDB(DatabaseServer):
    account = "mysql"
    signal = 15

    def make(self):
        _, maker = _mariadb_programs()
        self.run(
            maker, "--no-defaults", f"--datadir={self.data}", "--skip-test-db",
            "--auth-root-authentication-method=normal", *self._user_option(),
        )  # fmt: skip
        # Accounts from the first moment on, so that the start needs no second connection.
        self.first = self.folder / "first.sql"
        self.first.write_text(
            f"CREATE USER IF NOT EXISTS 'tracker'@'127.0.0.1' IDENTIFIED BY '{PASSWORD}';\n"
            f"CREATE USER IF NOT EXISTS 'tracker'@'localhost' IDENTIFIED BY '{PASSWORD}';\n"
            "GRANT ALL ON *.* TO 'tracker'@'127.0.0.1';\n"
            "GRANT ALL ON *.* TO 'tracker'@'localhost';\n"
        )
        self.first.chmod(0o644)

    def _user_option(self):
        return [f"--user={self.user}"] if self.user else []

    def command(self):
        server, _ = _mariadb_programs()
        return [
            server, "--no-defaults", f"--datadir={self.data}", f"--port={self.port}",
            "--bind-address=127.0.0.1", f"--socket={self.folder / 'socket'}",
            f"--pid-file={self.folder / 'pid'}", "--innodb-flush-log-at-trx-commit=0",
            f"--init-file={self.first}", "--skip-log-bin", *self._user_option(),
        ]  # fmt: skip

    def execute(self, statement):
        import pymysql

        connection = pymysql.connect(
            host="127.0.0.1", port=self.port, user="tracker", password=PASSWORD, autocommit=True
        )
        try:
            connection.cursor().execute(statement)
        finally:
            connection.close()

    def url(self, name, password=PASSWORD):
        return f"mysql://tracker:{password}@127.0.0.1:{self.port}/{name}"


_SERVERS = {"postgresql": PostgreSQL, "mysql": MariaDB}
_FINDERS = {"postgresql": _postgres_programs, "mysql": _mariadb_programs}


def _require(kind):
    """Skip, or fail in CI, if a server or its driver is missing and cannot be installed."""
    driver, package = DRIVERS[kind], PACKAGES[kind]
    missing = "" if _FINDERS[kind]() else f"apt-get install -y {package}"
    if missing and os.geteuid() == 0 and shutil.which("apt-get"):
        with _installing:
            environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
            for command in (["update", "-qq"], ["install", "-y", "-qq", package]):
                with suppress(subprocess.TimeoutExpired):  # then it is missing, and told
                    subprocess.run(["apt-get", *command], env=environment, check=False, timeout=140)
        missing = "" if _FINDERS[kind]() else missing
    try:
        __import__(driver)
    except ImportError:
        missing = missing or f"pip install 'mltrack-jupyter[{kind}]'"
    if missing:
        stop = pytest.fail if os.environ.get("CI") else pytest.skip
        stop(f"no {kind} to test with; type: {missing}")


_running = {}


def server_of(kind):
    """Return the server of a kind, started when first asked for."""
    if kind not in _running:
        _require(kind)
        _running[kind] = _SERVERS[kind]()
    return _running[kind]


def start_another(kind):
    """Start a server of its own, for a test that ends it."""
    _require(kind)
    return _SERVERS[kind]()


def end_all():
    while _running:
        _running.popitem()[1].close()
