"""What is around a request: bodies, headers, hosts, origins, credentials; filters; files that are pages."""

import base64
import gzip
import json
from email.message import Message
from urllib.parse import quote

import pytest

MLFLOW = "/api/2.0/mlflow"
FILES = "/api/2.0/mlflow-artifacts/artifacts"
CREATE = f"{MLFLOW}/experiments/create"
INFO = "/api/1/info"

# --- bodies -----------------------------------------------------------------------------------

BODIES = [
    b"null", b"[]", b'"x"', b"1", b"true", b"{", b"}", b'{"name":', b"\xff\xfe{\x00}\x00", b'{"name": "\xff"}', b"NaN",
    b'{"name": NaN}', b'{"max_results": Infinity}', b'{"name": "\\ud800"}', b'{"name": "\\udc00\\ud800"}', b"\xef\xbb\xbf{}",
    b'"{\\"name\\": 1}"', b'"\\"{}\\""', b"{'name': 1}", b"{}{}", b"{} x", b"[" * 100_000, b'{"a":' * 100_000, b'{"name":' + b"[" * 500,
    b'{"tags": ' + b"[" * 40 + b"]" * 40 + b"}", b'{"max_results": 1e999}', b'{"max_results": 1' + b"0" * 5000 + b"}",
    b'{"name": "' + b"x" * 1_000_001 + b'"}', b'{"tags": [' + b"{}," * 9_999 + b"{}]}", b'{"params": [' + b"1," * 9_999 + b"1]}",
    b'{"order_by": [' + b'"start_time",' * 9_999 + b'"x"]}', b'{"experiment_ids": [' + b'"0",' * 40_000 + b'"0"]}',
    json.dumps({str(i): i for i in range(10_000)}).encode(), gzip.compress(b"{}"), b"\x00" * 100, b"name=x&tags=y",
    b'{"__proto__": {"name": 1}, "constructor": 1}', b"<?xml version='1.0'?><!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]>",
    b"--- !!python/object/apply:os.system ['id']", b"\x80\x04cos\nsystem\n(S'id'\ntR.", b"-0", b"1" * 100_000, b'{"": ""}',
]  # fmt: skip
TAKERS = [
    CREATE, f"{MLFLOW}/runs/create", f"{MLFLOW}/runs/log-batch", f"{MLFLOW}/runs/search", f"{MLFLOW}/experiments/search",
    f"{MLFLOW}/registered-models/create", "/api/1/runs/table", "/api/1/runs/register",
]  # fmt: skip
MANY = 33_000
WIDE = {  # more than a statement of SQLite binds
    "params": ("/api/1/runs/register", {"params": {f"p{i}": "1" for i in range(MANY)}}),
    "imported params": ("/api/1/runs/import", {"run": {
        "info": {"run_id": "wide", "experiment_id": "0"},
        "data": {"params": [{"key": f"p{i}", "value": "1"} for i in range(MANY)]}}}),
    "columns": ("/api/1/runs/table", {"columns": [f"metrics.m{i}" for i in range(MANY)]}),
    "runs": ("/api/1/runs/table", {"run_ids": [f"r{i}" for i in range(MANY)]}),
    "ids": ("/api/1/transfer/marks", {"entity": "run", "ids": [f"r{i}" for i in range(MANY)]}),
    "marks": ("/api/1/transfer/mark", {"entity": "run", "marks": {f"r{i}": "x" for i in range(MANY)}}),
    "models": (f"{MLFLOW}/runs/outputs", {"run_id": "{run_id}", "models": [{"model_id": f"m{i}", "step": 0} for i in range(500)]}),
    "datasets": (f"{MLFLOW}/runs/log-inputs", {"run_id": "{run_id}", "datasets": [
        {"dataset": {"name": f"d{i}", "digest": "d", "source_type": "t", "source": "s"}} for i in range(200)]}),
    "stages": (f"{MLFLOW}/registered-models/get-latest-versions", {"name": "{model}", "stages": ["None"] * MANY}),
    "trash": ("/api/1/trash/list", {"experiment_ids": [str(i) for i in range(MANY)]}),
}  # fmt: skip


@pytest.mark.parametrize("path", TAKERS)
def test_a_body_that_is_no_request(target, make, path):
    for body in BODIES:
        target.attack(make("POST", path, body))


@pytest.mark.parametrize("name", WIDE)
def test_more_than_the_database_takes_at_once(target, make, name):
    target.attack(make("POST", *WIDE[name]))


@pytest.mark.parametrize("value", ["not JSON", '{"a": 1}', "1", "null", "[" * 100_000, '[{"artifact_path": {"a": 1}}]',
                                   '[{"artifact_path": "../../x"}]'])  # fmt: skip
def test_a_tag_that_the_server_reads(target, make, value):
    tags = [{"key": "mlflow.log-model.history", "value": value}]
    target.attack(make("POST", f"{MLFLOW}/runs/log-batch", {"run_id": "{run_id}", "tags": tags}))
    target.attack(
        make("POST", "/api/1/registered-models/register", {"name": "m", "run_id": "{run_id}"})
    )
    tags = {"tags": [{"key": "mlflow.modelVersions", "value": value}]}
    target.attack(make("PATCH", f"{MLFLOW}/logged-models/{{model_id}}/tags", tags))
    body = {"name": "{model}", "source": "models:/{model_id}", "model_id": "{model_id}"}
    assert target.attack(make("POST", f"{MLFLOW}/model-versions/create", body)).status == 200


# --- headers ----------------------------------------------------------------------------------

FORMS = [
    "text/plain", "text/plain;application/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x",
    "multipart/form-data", "multipart/form-data; boundary=" + "x" * 5000, "application/x-yaml", "application/xml", "text/json",
    "application/json5", "application/jsonp", "json", ";", "*/*", "<script>alert(1)</script>", "application/octet-stream",
]  # fmt: skip
HOSTS = [
    "evil.example", "evil.example:80", "127.0.0.1.evil.example", "localhost.evil.example", "evil.example@127.0.0.1", "0", "0.0.0.0.nip.io",
    "127.0.0.1.nip.io", "169.254.169.254", "10.0.0.1", "[2001:db8::1]", "xn--lcalhost-54a", "localhost@evil.example", "lоcalhost".encode().decode("latin-1"),
    "127.1.evil.example", "evil.example#127.0.0.1", "evil.example/127.0.0.1", "a" * 5000, "..", "{",
]  # fmt: skip
ORIGINS = [
    "http://evil.example", "https://evil.example", "null", "http://127.0.0.1.evil.example", "http://127.0.0.1:1",
    "http://127.0.0.1:{port}.evil.example", "http://127.0.0.1:{port}@evil.example", "http://evil.example#127.0.0.1:{port}", "file://",
    "http://localhost:{port}", "http://127.0.0.1", "http://127.0.0.1:{port}0", "HTTP://EVIL.EXAMPLE", "chrome-extension://x", "x",
    "http://evil127.0.0.1:{port}", "http://[::1]:{port}",
]  # fmt: skip
CREDENTIALS = [
    "", " ", "Bearer", "Bearer ", "Bearer  ", "bearer x", "Digest username=x", 'Digest username="admin", realm="x"', "Negotiate YII=", "NTLM x",
    "Basic", "Basic ", "Basic !!!", "Basic /w==", "Basic Og==", "Basic " + base64.b64encode(b"admin:password1234").decode(), "Bearer " + "x" * 50_000,
    "token", "token null", "token undefined", "Token x", "AWS4-HMAC-SHA256 Credential=x", "Bearer {token}x", "Bearer x{token}", "Bearer {token},x",
    "Bearer None", "Bearer {TOKEN}", "Basic " + base64.b64encode(b"x" * 5000).decode(), "\xff\xfe", "Bearer %00", "token {token}.",
    "Basic \xff\xfe", "Basic " + base64.b64encode(b"a:b\r\nX-Evil: 1").decode(), "Basic " + base64.b64encode("a:ü".encode()).decode(),
]  # fmt: skip
ODD_HEADERS = [
    {"Content-Length": "-1"}, {"Content-Length": "x"}, {"Content-Length": "1e3"}, {"Content-Length": "0x10"}, {"Transfer-Encoding": "chunked"},
    {"Transfer-Encoding": "gzip, chunked"}, {"Transfer-Encoding": "x"}, {"X-HTTP-Method-Override": "DELETE"}, {"X-Forwarded-For": "127.0.0.1"},
    {"X-Forwarded-Host": "evil.example"}, {"X-Original-URL": "/api/kernels"}, {"X-Rewrite-URL": "/api/kernels"}, {"Accept": "text/html"},
    {"Accept-Encoding": "gzip;q=x, *"}, {"Range": "bytes=0-"}, {"Range": "bytes=-99999999999999999999"}, {"Range": "bytes=5-2"},
    {"Range": "bytes=" + "0-1," * 1000}, {"If-None-Match": "*"}, {"If-Modified-Since": "x"}, {"Cookie": "a=" + "b;" * 3000},
    {"Cookie": "_xsrf=1; " * 50}, {"User-Agent": "<script>"}, {"Content-Encoding": "gzip"}, {"Content-Encoding": "zip-bomb"},
    {"X-MLFLOW-WORKSPACE": "../x"}, {"Origin": "\xff"}, {"Referer": "javascript:alert(1)"}, {"Connection": "close"}, {"Upgrade": "h2c"},
    {"Sec-Fetch-Mode": "no-cors"}, {"A" * 5000: "x"}, {"X-Long": "x" * 60_000},
]  # fmt: skip
METHODS = [
    "HEAD",
    "OPTIONS",
    "TRACE",
    "CONNECT",
    "PROPFIND",
    "get",
    "GETX",
    "DELETE",
    "PATCH",
    "PUT",
    "X" * 1000,
    "POST",
]
PLACES = [
    INFO,
    CREATE,
    f"{FILES}/x",
    f"{MLFLOW}/logged-models/x",
    "/api/nothing",
    "/get-artifact",
    "//evil.example/%2e%2e",
]


@pytest.mark.parametrize("form", FORMS)
def test_a_form_writes_nothing(target, make, form):
    before = target.count()
    reply = target.attack(make("POST", CREATE, {"name": f"of {form[:99]}"}, {"Content-Type": form}))
    assert (400 <= reply.status < 500, reply.headers["Content-Type"].split(";")[0]) == (
        True,
        "application/json",
    )
    assert target.count() == before


@pytest.mark.parametrize("host", HOSTS, ids=ascii)
@pytest.mark.parametrize("path", [INFO, f"{FILES}?path="])
def test_another_host_is_refused(target, make, host, path):
    assert 400 <= target.attack(make("GET", path, b"", {"Host": host})).status < 500


@pytest.mark.parametrize("origin", ORIGINS)
def test_a_page_of_another_origin_writes_nothing(target, make, origin):
    cookies, xsrf = target.log_in()
    headers = {"Cookie": cookies, "Origin": origin.replace("{port}", str(target.port))}
    before = target.count()
    for more in (
        {},
        {"X-XSRFToken": xsrf},
        {"Sec-Fetch-Mode": "no-cors"},
        {"X-XSRFToken": "x" * 40},
    ):
        for form in ("application/json", "text/plain"):
            body = {"name": f"of {origin}"}
            reply = target.attack(
                make("POST", CREATE, body, headers | more | {"Content-Type": form}), token=False
            )
            assert "Access-Control-Allow-Origin" not in reply.headers
            assert reply.status >= 400 or "X-XSRFToken" in more, reply.status
        if "X-XSRFToken" not in more:
            target.attack(make("PUT", f"{FILES}/x", b"x", headers | more), token=False)
    assert target.count() == before


@pytest.mark.parametrize("credential", CREDENTIALS, ids=ascii)
def test_wrong_credentials_are_refused(target, make, credential):
    told = credential.replace("{token}", target.server.token).replace(
        "{TOKEN}", target.server.token.upper()
    )
    for method, path in (("GET", INFO), ("POST", CREATE), ("PUT", f"{FILES}/x")):
        reply = target.attack(make(method, path, b"", {"Authorization": told}), token=False)
        assert 400 <= reply.status < 500
        assert target.server.token not in reply.text


@pytest.mark.parametrize("headers", ODD_HEADERS, ids=lambda headers: str(headers)[:40])
def test_odd_headers(target, make, headers):
    run = "/get-artifact?run_id={run_id}&path=model/MLmodel"
    for method, path, body in (
        ("GET", INFO, b""),
        ("GET", run, b""),
        ("POST", CREATE, b"{}"),
        ("PUT", f"{FILES}/x", b"1\r\nx\r\n0\r\n\r\n"),
    ):
        target.attack(make(method, path, body, headers))


@pytest.mark.parametrize("method", METHODS)
def test_odd_methods(target, make, method):
    for path in PLACES:
        reply = target.attack(make(method, path))
        assert "Location" not in reply.headers


# --- filters, orders, pages -------------------------------------------------------------------

SEARCHES = {
    f"{MLFLOW}/experiments/search": {"max_results": 5},
    f"{MLFLOW}/runs/search": {"experiment_ids": ["0", "{experiment_id}"]},
    "/api/1/runs/table": {"experiment_ids": ["0", "{experiment_id}"]},
    f"{MLFLOW}/logged-models/search": {"experiment_ids": ["{experiment_id}"]},
    f"{MLFLOW}/registered-models/search": {},
}
FILTERS = [
    "'", '"', "`", "name", "name =", "name = ", "= 'x'", "name = 'x", "name = 'x' OR 1=1", "name = 'x'; DROP TABLE runs", "name == 'x'",
    "name = 'x' --", "/* */ name = 'x'", "name = 'x' UNION select 1", "name = (select 1)", "name IN ()", "name IN (1)", "name IN ('a'",
    "name IN (" + "'a'," * 4000 + "'a')", "name LIKE '" + "%" * 19_000 + "'", "name ILIKE '" + "%_" * 9_000 + "x'", "name LIKE '\\'",
    "metrics.m = 'x'", "metrics.m = 1e999", "metrics.m > -1e999", "metrics.m = nan", "metrics.m = " + "9" * 400, "metrics.`a`b` = 1",
    "params.p = 1", "params." + "x" * 300 + " = '1'", "tags.`" + "x" * 15_000 + "` = '1'", "tags.`\x00` = '\x00'", "tags.\ud800 = 'x'",
    " AND ".join(["name = 'x'"] * 61), " AND ".join(["tags.a = 'x'"] * 60), "AND " * 5000, "(" * 5000, "name = " + "(" * 5000, "x" * 20_001,
    "attributes.name = 'x' AND", "a.b.c.d = 'x'", "__class__ = 'x'", "runs.id = 'x'", "sqlite_version() = 'x'", "name = char(39)", "end_time = 'x'",
    "start_time > 1e400", "start_time = 99999999999999999999999", "experiment_id = '" + "9" * 50 + "'", "experiment_id IN ('²', '-1')",
    "dataset.name = 'x'", "dataset.x = 'x'", "datasets.context IN ('x')", "status = 'x'", "name IS NULL", "tags.a IS NOT NULL", "name IS", "name NOT",
    "model_id = 'x' AND params.`a` IN ('b')", "metrics.m != 0x41", "metrics.m = 1_000", "metrics.m = ٣", "name = ‘x’", "\u202ename = 'x'",
    "{{7*7}}", "${7*7}", "%s%n%d", "name = '<script>alert(1)</script>'", "mlflow.prompt.is_prompt", "tags.`mlflow.prompt.is_prompt` = ''", "🤖 = '🤖'",
]  # fmt: skip
ORDERS = [
    "", " ", "name DESC ASC", "name;", "name, name", "1", "1; DROP TABLE runs", "(select 1)", "name COLLATE NOCASE", "metrics.`" + "x" * 19_990 + "`",
    "random()", "metrics", "metrics.", ".m", "params.p desc nulls first", "tags.\x00", "x" * 20_001, "'name'", '"name" DESC', "dataset.name", "`", "asc",
]  # fmt: skip
TOKENS = [
    "x", "====", "0", "-1", "é", "\x00", " ", "A" * 100_000, "%00", "../x", "null", "[]", "bnVsbA==", "e30=", "W10=",
    *(base64.urlsafe_b64encode(text.encode()).decode() for text in (
        "{}", '{"offset": -1}', '{"offset": 1e9}', '{"offset": "1"}', '{"offset": 4611686018427387903}', '{"offset": 9223372036854775807}',
        '{"offset": 1' + "0" * 5000 + "}", '{"offset": NaN}', '{"offset": true}', '{"offset": [1]}', "[" * 100_000, '{"offset": "1; DROP TABLE runs"}')),
]  # fmt: skip


@pytest.mark.parametrize("path", SEARCHES)
@pytest.mark.parametrize("kind", ["filter", "order_by", "page_token"])
def test_a_search_that_makes_no_sense(target, make, path, kind):
    for text in {"filter": FILTERS, "order_by": ORDERS, "page_token": TOKENS}[kind]:
        target.attack(
            make("POST", path, SEARCHES[path] | {kind: [text] if kind == "order_by" else text})
        )
    if kind == "order_by":
        for count in (31, 10_000):
            columns = [f"metrics.m{i}" for i in range(count)]
            target.attack(make("POST", path, SEARCHES[path] | {kind: columns}))


@pytest.mark.parametrize("text", [*FILTERS, *TOKENS], ids=lambda text: ascii(text[:30]))
def test_a_search_in_an_address(target, make, text):
    value = quote(text[:8000].encode("utf-8", "surrogatepass"), safe="")
    for path in (f"{MLFLOW}/model-versions/search", f"{MLFLOW}/registered-models/search"):
        target.attack(make("GET", f"{path}?filter={value}&page_token={value}"))
        target.attack(make("GET", f"{path}?page_token={value}"))


# --- files that are pages ---------------------------------------------------------------------

PAGES = ["a.html", "a.htm", "a.svg", "a.xhtml", "a.xml", "a.js", "a.mjs", "a.css", "a.pdf", "a.swf", "a.ipynb", "a.md", "a.png", "a", "a.html%20",
         "a.HTML", "a.svgz", "a.mht", "<img src=x onerror=alert(1)>.html", 'a";x="b.html', "a;b.html", "é😀.html", "a%b.html"]  # fmt: skip


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_only_ever_a_file(target, make, name):
    page, path = b"<html><script>alert(1)</script></html>", f"{FILES}/pages/{quote(name, safe='')}"
    assert target.attack(make("PUT", path, page, {"Content-Type": "text/html"})).status == 200
    reply = target.send(make("GET", path))
    assert (reply.status, reply.body) == (200, page)
    assert reply.headers["Content-Disposition"].startswith("attachment; filename")
    told = Message()
    told["Content-Disposition"] = reply.headers["Content-Disposition"]
    assert told.get_filename() == name  # quoted, so that nothing of it is read as more
    assert reply.headers["X-Content-Type-Options"] == "nosniff"
    assert reply.headers["Content-Security-Policy"] == "sandbox; default-src 'none'"


@pytest.mark.parametrize(
    "text",
    ["<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "</title><svg/onload=alert(1)>"],
)
def test_markup_comes_back_as_json_only(target, make, text):
    body = {"name": text, "tags": [{"key": "k", "value": text}]}
    assert target.attack(make("POST", CREATE, body)).status == 200
    paths = [f"/api/{quote(text)}", f"{MLFLOW}/experiments/get-by-name?experiment_name={quote(text)}", f"{MLFLOW}/runs/get?run_id={quote(text)}",
             f"{FILES}/{quote(text)}", f"{MLFLOW}/{quote(text)}"]  # fmt: skip
    for path in paths:
        reply = target.attack(make("GET", path))
        assert reply.headers["Content-Type"].split(";")[0] == "application/json"
        assert reply.headers["X-Content-Type-Options"] == "nosniff"


# --- and after all that -----------------------------------------------------------------------


def test_the_store_is_whole_and_lab_was_always_answered(target):
    print(f"{target.sent} requests")
    assert target.untouched()
    assert target.intact()
    target.watchman.stop()
    assert target.watchman.statuses
    assert set(target.watchman.statuses) == {200}
