"""What is shown, in logs, errors and on terminals: no passwords, and nothing that steers."""

import http.server
import io
import json
import logging
import sqlite3
import threading
import traceback
import warnings

import pytest

from mltrack_jupyter import cli
from mltrack_jupyter.entities import RunStatus
from mltrack_jupyter.errors import InvalidParameter, MltrackError
from mltrack_jupyter.shown import hide_password, neutral, one_line, passing, shown, shown_uri
from mltrack_jupyter.store import open_store
from mltrack_jupyter.store.sql.database import Database
from mltrack_jupyter.transfer import Report
from mltrack_jupyter.transfer.report import Progress

SECRET = "S3CR3Tmarker99"
# Each is at the end of a closed port, so that what is said of it is said at once.
DATABASES = [
    f"postgresql://u:{SECRET}@127.0.0.1:1/d",
    f"postgresql+psycopg://u:{SECRET}@127.0.0.1:1/d",
    f"mysql://u:{SECRET}@127.0.0.1:1/d",
    f"mariadb://u:{SECRET}@127.0.0.1:1/d",
    f"postgresql://:{SECRET}@127.0.0.1:1/d",
    f"postgresql://u:%40{SECRET}%2F@127.0.0.1:1/d",
    f"postgresql://u:a/{SECRET}@127.0.0.1:1/d",
    f"postgresql://u:a?{SECRET}@127.0.0.1:1/d",
    f"postgresql://u:a#{SECRET}@127.0.0.1:1/d",
    f"postgresql://u:a@{SECRET}@127.0.0.1:1/d",
    f"postgresql://u:a@{SECRET}:b@127.0.0.1:1/d",
    f"postgresql://u:a {SECRET}@127.0.0.1:1/d",
    f"postgresql://u:{SECRET}:b@127.0.0.1:port/d",
    f"postgresql://u:{SECRET}@127.0.0.1:1,127.0.0.1:2/d",
    f"postgresql://u:{SECRET}@/d?host=127.0.0.1:1&host=127.0.0.1:2",
    f"postgresql://u:{SECRET}@/d?host=/nowhere/at/all",
    f"postgresql://u:{SECRET}@%2Fnowhere%2Fat%2Fall/d",
    f"postgresql://127.0.0.1:1/d?user=u&password={SECRET}",
    f"postgresql://u@127.0.0.1:1/d?password=a%20{SECRET}",
    f"postgresql://u@127.0.0.1:1/d?pass%77ord={SECRET}",
    f"postgresql://u@127.0.0.1:1/d?sslpassword={SECRET}",
    f"mysql://u@127.0.0.1:1/d?password={SECRET}",
    f"mysql://u@127.0.0.1:1/d?passwd={SECRET}",
    f"postgresql+nodriver://u:{SECRET}@127.0.0.1:1/d",
    f"oracle://u:{SECRET}@127.0.0.1:1/d",
]
OTHERS = [
    f"https://u:{SECRET}@host:80/x",
    f"https://{SECRET}@host/x",
    f"git+https://{SECRET}@host/x.git",
    f"http://host/mltrack?token={SECRET}",
    f"https://bucket.s3/x?X-Amz-Signature={SECRET}&X-Amz-Credential={SECRET}",
    f"https://account.blob/x?sv=1&sig={SECRET}",
    f"s3://key:{SECRET}@bucket/folder",
    f"sftp://user:{SECRET}@host/folder",
    f"ftp://user:{SECRET}@host",
]
TEXTS = [
    f"could not open 'postgresql://u:{SECRET}@h/d' (refused).",
    f"http://a:{SECRET}@b,http://c:{SECRET}@d",
    f"host=h user=u password={SECRET} dbname=d",
    f"password = 'a b {SECRET}'",
    f"(http://h?x=1&access_token={SECRET})",
]
PLAIN = [
    "http://127.0.0.1:8888/mltrack",
    "http://host:80/a@b",
    "postgresql://user@host/d",
    "postgresql://host:5432/d does not answer me@x",
    "abfs://container@account.dfs.core/x",
    "sftp://user@host/folder",
    "s3://bucket/a:b@c",
    "sqlite:////folder/a:b@c.db",
    "mlflow-artifacts:/0/r/artifacts",
    "models:/name@alias",
    "a: b@c; d=e?f=g",
]


@pytest.mark.parametrize("text", DATABASES + OTHERS + TEXTS)
def test_a_text_is_shown_without_the_password_in_it(text):
    for show in (
        hide_password,
        shown,
        lambda text: str(MltrackError(text)),
        lambda text: repr(MltrackError(text)),
    ):
        found = show(text)
        assert SECRET not in found
        assert "***" in found
        assert show(found).count("***") >= 1
    assert hide_password(hide_password(text)) == hide_password(text)


@pytest.mark.parametrize("uri", DATABASES + OTHERS)
def test_a_uri_is_shown_without_its_password(uri):
    assert SECRET not in shown_uri(uri)
    assert SECRET not in shown_uri(uri.replace(SECRET, f"a {SECRET}"))


@pytest.mark.parametrize("text", PLAIN)
def test_what_holds_no_password_is_shown_as_it_is(text):
    assert hide_password(text) == text
    assert " " in text or shown_uri(text) == text


@pytest.mark.parametrize(
    "text", ["http://" * 30_000, "a://b:" * 30_000, "?a=" * 50_000, "password=" * 50_000]
)
def test_a_long_text_is_read_in_a_moment(text):
    hide_password(text)


@pytest.mark.parametrize("uri", DATABASES)
def test_a_database_that_does_not_answer_does_not_tell_its_password(uri, caplog):
    caplog.set_level(logging.DEBUG)
    warnings.simplefilter("always")
    with warnings.catch_warnings(record=True) as warned, pytest.raises(MltrackError) as raised:
        open_store(uri)
    said = "".join(traceback.format_exception(raised.value))
    assert SECRET not in said
    assert SECRET not in caplog.text
    assert not [item for item in warned if SECRET in str(item.message)]


@pytest.mark.parametrize(
    "uri", [uri for uri in DATABASES if "password=" in uri or "passwd=" in uri]
)
def test_what_is_logged_of_an_engine_has_no_password(uri):
    database = Database(uri)
    try:
        assert SECRET not in repr(database.engine)
        assert SECRET not in str(database.engine.url)
        assert SECRET not in database.place
        arguments = database.engine.dialect.create_connect_args(database.engine.url)[1]
        # It is used all the same; what is no part of the URL is given to the driver beside it.
        assert SECRET in str(arguments) or "passwd" in uri or "sslpassword" in uri
    finally:
        database.close()


@pytest.mark.parametrize("uri", DATABASES)
@pytest.mark.parametrize("command", [["doctor"], ["db", "check"], ["runs", "list"]])
def test_commands_do_not_print_a_password(command, uri, capsys):
    cli.main([*command, uri])
    printed = "".join(capsys.readouterr())
    assert printed
    assert SECRET not in printed


# --- terminals ------------------------------------------------------------------------------------

CONTROLS = {
    "a title": "\x1b]0;title\x07",
    "a title, ended by ST": "\x1b]2;title\x1b\\",
    "a colour": "\x1b[31m",
    "clearing": "\x1b[2J\x1b[H",
    "a C1 sequence": "\x9b31m",
    "a C1 title": "\x9d0;title\x9c",
    "device control": "\x1bP$q\x1b\\",
    "a bell": "\x07",
    "backspaces": "abc\x08\x08\x08xyz",
    "a carriage return": "good\rbad ",
    "a line": "\nstatus      FINISHED (forged)",
    "a vertical tab": "\x0b",
    "another line": "\x85status      FINISHED (forged)",
    "a line separator": "\u2028status      FINISHED (forged)",
    "an override of direction": "\u202egnp.exe",
    "an isolate": "\u2066x\u2069",
    "a mark of direction": "\u200f",
    "no width": "a\u200bb\ufeff",
    "tags": "\U000e0041\U000e007f",
    "half a surrogate": "\ud83d",
    "delete": "\x7f",
    "nothing": "\x00",
}
HARMLESS = ["é", "日本語", "👩\u200d👩\u200d👧", "می\u200cخواهم", "a\tb", "\\x1b", "±∞"]


def steers(text):
    """Tell whether a text holds what could steer a terminal, in the words of the standards."""
    import unicodedata

    joiners = "\u200c\u200d"
    return any(
        unicodedata.category(char) in ("Cc", "Cf", "Cs", "Zl", "Zp")
        and char not in f"{joiners}\n\t"
        for char in text
    )


@pytest.mark.parametrize("name", CONTROLS)
def test_controls_are_written_out(name):
    text = f"a{CONTROLS[name]}z"
    for show in (neutral, shown, one_line, lambda text: str(InvalidParameter(text))):
        found = show(text)
        assert not steers(found)
        assert show(found) == found
        found.encode()
    assert "\n" not in one_line(text)
    assert "\x1b" not in passing(text, 60)
    assert not steers(passing(text, 60))


@pytest.mark.parametrize("text", HARMLESS)
def test_other_texts_are_shown_as_they_are(text):
    assert neutral(text) == text


@pytest.fixture(scope="module")
def full_of_controls(tmp_path_factory):
    """A store in which everything that can have any name has one that steers terminals."""
    folder = tmp_path_factory.mktemp("controls") / ".mltrack"
    evil = "".join(text for text in CONTROLS.values() if text != "\ud83d" and text != "\x00")
    services = open_store(folder)
    run = services.transfer.register_run(
        experiment="e" + evil, run_name="n" + evil, run_id="r1", user_id="u" + evil,
        status=RunStatus.FAILED, params={"p": "v" + evil}, metrics={"m": 1.0},
        tags={"mltrack.status_reason": "why" + evil, "t": evil, "mltrack.warnings": evil},
    )  # fmt: skip
    services.registered_models.create("m[31m", description=evil)
    gone = services.transfer.register_run(run_name="gone" + evil)
    services.runs.delete(gone.info.run_id)
    services.close()
    assert run.info.run_name == "n" + evil  # what is stored keeps its bytes
    return folder


COMMANDS = [
    ["runs", "list"],
    ["runs", "list", "--columns", "params.p,tags.t"],
    ["runs", "show", "r1"],
    ["experiments", "list", "--all"],
    ["models", "list"],
    ["trash"],
    ["gc", "--dry-run"],
    ["db", "check"],
    ["runs", "list", "--filter", "x\x1b]0;title\x07 = \x9b31m"],
    ["runs", "show", "\x1b[31mr"],
]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_commands_print_nothing_that_steers_a_terminal(full_of_controls, command, capsys):
    cli.main([*command, str(full_of_controls)])
    out, err = capsys.readouterr()
    assert out + err
    assert not steers(out + err)
    assert not any(line.startswith("status      FINISHED (forged)") for line in out.splitlines())


def test_wrong_arguments_are_repeated_without_what_steers(capsys):
    with pytest.raises(SystemExit):
        cli.main(["runs", "list", "--no\x1b[31msuch"])
    assert not steers(capsys.readouterr().err)


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize("name", CONTROLS)
def test_the_line_of_progress_shows_no_sequence_of_a_source(name):
    stream = Terminal()
    Progress(Report(), stream).update(f"a{CONTROLS[name]}z")
    assert not steers(stream.getvalue().replace("\r\x1b[K", ""))


class Answers(http.server.BaseHTTPRequestHandler):
    """A server whose errors steer terminals, and repeat a password."""

    def do_POST(self):
        text = "bad \x1b]0;title\x07\nmltrack: all is well postgresql://u:" + SECRET + "@h/d"
        body = json.dumps({"error_code": "INVALID_PARAMETER_VALUE", "message": text}).encode()
        self.send_response(400)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST  # noqa: N815

    def log_message(self, *_):
        pass


def test_the_text_of_a_server_is_shown_so_too(capsys):
    server = http.server.HTTPServer(("127.0.0.1", 0), Answers)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        assert cli.main(["runs", "list", f"http://127.0.0.1:{server.server_port}"]) == 1
    finally:
        server.shutdown()
        server.server_close()
    err = capsys.readouterr().err
    assert not steers(err)
    assert SECRET not in err
    assert not any(line.startswith("mltrack: all") for line in err.splitlines())


TAGS = {
    "numbers for names": {"mltrack.inferred": '{"params": 5, "metrics": true}'},
    "mappings for names": {"mltrack.inferred": '{"params": [{}, []]}'},
    "deep": {"mltrack.inferred": "[" * 100_000},
    "a list for a class": {"mltrack.model": '{"class": ["x"]}'},
    "a deep model": {"mltrack.model": '{"a":' * 50_000},
    "no JSON": {"mltrack.inferred": "{", "mltrack.model": "null"},
}


@pytest.mark.parametrize("name", TAGS)
def test_a_card_survives_what_others_write_into_tags(tmp_path, environment, name):
    import mltrack_jupyter as mltrack
    from mltrack_jupyter.widgets import card

    mltrack.set_tracking_uri(tmp_path / ".mltrack")
    with mltrack.start_run(run_name="n\x1b[31m\nforged") as run:
        mltrack.log_param("p", "v\x9b31m")
    with sqlite3.connect(tmp_path / ".mltrack" / "mltrack.db") as database:
        # The file is anybody's who was given the store; over the wire one of them is reserved.
        number = "SELECT id, ?, ? FROM runs WHERE run_id = ?"
        for key, value in TAGS[name].items():
            database.execute(f"INSERT INTO tags {number}", (key, value, run.info.run_id))
    database.close()
    plain = card(run.info.run_id).bundle()["text/plain"]
    assert not steers(plain)
    assert "\nforged" not in plain
