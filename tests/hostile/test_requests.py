"""A table of hostile requests, made of small lists, against a real server.

Whatever is asked, ``target.attack`` holds the answer to the same rules: no 5xx, nothing of the server's
insides in it, and nobody called who was named in it. What must be refused besides, says so here.
"""

import os
import re
from urllib.parse import quote

import pytest

from mltrack_jupyter.services.dispatch import routes

MLFLOW = "/api/2.0/mlflow"
FILES = "/api/2.0/mlflow-artifacts/artifacts"
CREATE = f"{MLFLOW}/experiments/create"


# --- paths and addresses ----------------------------------------------------------------------


def version(source, **more):
    return "POST", f"{MLFLOW}/model-versions/create", {"name": "{model}", "source": source, **more}


OUT = [  # ways out of a root, or to the root itself
    "..", ".", "./", "/", "//", "../secret.txt", "../../secret.txt", "../../../secret.txt", "a/../../secret.txt",
    "./secret.txt", "a//b", "a/./b", "a/..", "/etc/passwd", "//etc/passwd", "{outside}/secret.txt",
    "/proc/self/environ", "..\\secret.txt", "..\\..\\secret.txt", "a\\..\\..\\secret.txt", "\\etc\\passwd",
    "C:\\Windows\\win.ini", "C:/Windows/win.ini", "%2e%2e/secret.txt", "%2e%2e%2fsecret.txt", "..%2fsecret.txt",
    "%252e%252e%252fsecret.txt", "%25252e%25252e%25252fsecret.txt", "..%5csecret.txt", "..%00/secret.txt",
    "\x00", "a\x00b", "a\nb", "a\r\nX-Injected: 1", "../artifacts-secret/secret.txt", "a/../../mltrack.db",
    "../mltrack.db", "a" * 256, "a/" * 2500 + "a", "\x7f",
]  # fmt: skip
ODD = [  # strange, but names like others
    "..;a", "．．/secret.txt", "..∕secret.txt", "~/secret.txt", "$(id)", "a%b", "a%20b", "a?b#c", "'", '"', "😀", "...", "<b>",
    ".upload-x", "a/" * 100 + "a", "/".join(["a" * 255] * 16),
]  # fmt: skip
PATH_FIELDS = {
    "download": lambda p: ("GET", f"{FILES}/{quote(p, safe='{}')}"),
    "upload": lambda p: ("PUT", f"{FILES}/{quote(p, safe='{}')}", b"planted"),
    "delete": lambda p: ("DELETE", f"{FILES}/{quote(p, safe='{}')}"),
    "list": lambda p: ("GET", f"{FILES}?path={quote(p, safe='{}')}"),
    "list of a run": lambda p: ("GET", f"{MLFLOW}/artifacts/list?run_id={{run_id}}&path={quote(p, safe='{}')}"),
    "file of a run": lambda p: ("GET", f"/get-artifact?run_uuid={{run_id}}&path={quote(p, safe='{}')}"),
    "model of a run": lambda p: ("POST", "/api/1/registered-models/register",
                                 {"name": "m", "run_id": "{run_id}", "artifact_path": p}),
    "file in a request": lambda p: ("POST", "/api/1/runs/register", {"artifacts": [{"path": p, "text": "planted"}]}),
    "source": lambda p: version(f"runs:/{{run_id}}/{p}"),
    "source in the root": lambda p: version(f"mlflow-artifacts:/{p}", run_id="{run_id}"),
    "location": lambda p: ("POST", CREATE, {"name": f"of {p[:9]!r}", "artifact_location": p}),
    "location in the root": lambda p: ("POST", CREATE, {"name": f"in {p[:9]!r}",
                                                        "artifact_location": f"mlflow-artifacts:/{p}"}),
}  # fmt: skip
ADDRESSES = [
    "http://{trap}/x", "https://{trap}/x", "HTTP://{trap}/x", " http://{trap}/x", "http:{trap}", "http:/\\{trap}",
    "http://user:pw@{trap}/x", "http://{trap}/x#", "http://{trap}/x;a=b", "http:///#/../../../etc/", "//{trap}/x",
    "\\\\{trap}\\x", "file://{trap}/x", "file:///etc", "FILE:///etc", " file:///etc", "file:etc", "file:///etc#",
    "file:///%2e%2e/etc", "file://localhost/etc", "mlflow-artifacts://{trap}/x", "mlflow-artifacts:http://{trap}/x",
    "mlflow-artifacts://[::1/x", "mlflow-artifacts://user@{trap}/x", "mlflow-artifacts:/x?y=http://{trap}/",
    "http://[", "//[", "file://[", "dbfs:/../../etc", "javascript:alert(1)", "data:text/html,<script>", "models:/..",
    "models:/[/1", "models:/x/²", "runs:/../../etc", "runs:/{run_id}/../../x", "runs:/x", "mlflow-artifacts:", "file:", ":", "a:",
]  # fmt: skip
STORED_ADDRESSES = [
    "s3://{trap}/x",
    "ftp://{trap}/x",
    "hdfs://{trap}/x",
    "jar:http://{trap}/x",
    "s3://[",
    "gs://{trap}/x",
]
ADDRESS_FIELDS = {
    "location": lambda a: ("POST", CREATE, {"name": f"at {a}", "artifact_location": a}),
    "source": version,
    "source of a run": lambda a: version(a, run_id="{run_id}"),
    "source of a prompt": lambda a: version(a, tags=[{"key": "mlflow.prompt.is_prompt", "value": "true"}]),
}  # fmt: skip
KEPT_ADDRESS_FIELDS = {
    "imported experiment": lambda a: ("POST", "/api/1/experiments/import", {"experiment": {
        "experiment_id": "0", "name": f"imported {a}", "artifact_location": a, "lifecycle_stage": "active"}}),
    "imported run": lambda a: ("POST", "/api/1/runs/import", {"run": {"info": {
        "run_id": "imported", "experiment_id": "{experiment_id}", "artifact_uri": a}}}),
    "imported model": lambda a: ("POST", "/api/1/logged-models/import", {"model": {"info": {
        "model_id": "m-" + "0" * 32, "experiment_id": "{experiment_id}", "artifact_uri": a}}}),
    "link": lambda a: version("s3://b/m", run_link=a),
    "dataset": lambda a: ("POST", f"{MLFLOW}/runs/log-inputs", {"run_id": "{run_id}", "datasets": [
        {"dataset": {"name": "d", "digest": "d", "source_type": "http", "source": a}}]}),
}  # fmt: skip


# Other spellings of a path below the root, or of the root where that is listed, as MLflow's server reads them;
# mlflow-artifacts:///etc/passwd is etc/passwd below the root.
FINE = {("location in the root", "//etc/passwd")}
FINE |= {
    (field, path) for field in list(PATH_FIELDS)[:6] for path in ("./secret.txt", "a//b", "a/./b")
}
FINE |= {(field, path) for field in ("list", "list of a run") for path in (".", "./")}


@pytest.mark.parametrize("path", OUT, ids=ascii)
@pytest.mark.parametrize("field", PATH_FIELDS)
def test_a_path_leads_nowhere_else(target, make, field, path):
    reply = target.attack(make(*PATH_FIELDS[field](path)))
    assert 400 <= reply.status < 500 or (field, path) in FINE, (reply.status, reply.text)
    assert target.untouched()


@pytest.mark.parametrize("path", ODD, ids=ascii)
@pytest.mark.parametrize("field", PATH_FIELDS)
def test_an_odd_path_stays_in_the_root(target, make, field, path):
    target.attack(make(*PATH_FIELDS[field](path)))
    assert target.untouched()


RAW = [
    "../secret.txt", "..//secret.txt", "%2e%2e/secret.txt", "%2E%2E%2Fsecret.txt", "%2e%2e%5csecret.txt", "..%255csecret.txt",
    "%c0%ae%c0%ae/secret.txt", "%c0%ae%c0%ae%c0%afsecret.txt", "%uff0e%uff0e/secret.txt", "%ff%fe", "%00", "%", "%zz",
    "a/%2e%2e/%2e%2e/secret.txt", "%2fetc%2fpasswd", "%5c%5chost%5cx", "..;/secret.txt%00", "%e0%80%ae%e0%80%ae/secret.txt",
    ".%2e/secret.txt", "%2e./secret.txt", "?path=../secret.txt", "//etc/passwd",
]  # fmt: skip


@pytest.mark.parametrize("path", RAW)
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_a_path_spelled_as_no_client_would(target, make, method, path):
    target.attack(make(method, f"{FILES}/{path}", b"planted" if method == "PUT" else b""))
    assert target.untouched()


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize("field", ADDRESS_FIELDS)
def test_an_address_of_something_else_is_refused(target, make, field, address):
    reply = target.attack(make(*ADDRESS_FIELDS[field](address)))
    assert 400 <= reply.status < 500, (reply.status, reply.text)


STORED = [(field, address) for field in ADDRESS_FIELDS for address in STORED_ADDRESSES]
KEPT = [
    (field, address) for field in KEPT_ADDRESS_FIELDS for address in (*ADDRESSES, *STORED_ADDRESSES)
]


@pytest.mark.parametrize(("field", "address"), [*STORED, *KEPT])
def test_an_address_is_never_called(target, make, field, address):
    target.attack(make(*(ADDRESS_FIELDS | KEPT_ADDRESS_FIELDS)[field](address)))
    if field in ("dataset", "link"):
        return
    target.attack(make("GET", f"{MLFLOW}/artifacts/list?run_id=imported"))
    target.attack(make("GET", "/get-artifact?run_id=imported&path=x"))
    target.attack(make("POST", "/api/1/runs/register", {"experiment": f"at {address}",
                                                        "artifacts": [{"path": "x", "text": "x"}]}))  # fmt: skip


# --- every parameter of every operation -------------------------------------------------------

SQL = [
    "'; DROP TABLE runs; --", "' OR '1'='1", "x' union select * from experiments --", '" OR ""="',
    "1); ATTACH DATABASE '{outside}/sql.db' AS x; --", "%' AND 1=1 --", "\\'; --", "{{7*7}}${7*7}%s%n",
]  # fmt: skip
MARKUP = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '"><svg onload=alert(1)>',
    "javascript:alert(1)",
]
WRONG = [
    None, True, -1, 1.5, 2**63, 2**70, 10**400, "", "\x00", "\ud800", "²", "--5", "9" * 5000, "NaN", [], {}, [[]], [None], {"a": {}},
    [{"key": None, "value": None}], "../../../etc/passwd", "x" * 1_000_001, SQL[0], SQL[4], MARKUP[1],
]  # fmt: skip
if os.environ.get("SOAK"):
    WRONG += [
        0, 1e308, 2**31, -(2**63) - 1, " ", "a\x00b", "-", "1e400", "Infinity", [1], [{}], {"": ""}, [[["x"]]], {"key": "k"},
        [{"key": "k", "value": []}], "é" * 70_000, "file:///etc/passwd", "\u202e", "\r\nX-Injected: 1", *SQL, *MARKUP,
    ]  # fmt: skip
BASE = {
    "models": [{"model_id": "{model_id}", "step": 1}],
    "name": "{model}", "experiment_id": "{experiment_id}", "experiment_name": "Default", "max_results": 10,
    "run_id": "{run_id}", "key": "k", "value": "1", "timestamp": 0, "metric_key": "m", "model_id": "{model_id}",
    "status": "FAILED", "tag_key": "k", "new_name": "{model}", "alias": "a", "version": "1", "source": "s3://b/m",
    "folder": "0/x", "num_parts": 1, "upload_id": "u", "parts": [], "stage": "Staging", "path": "x", "artifact_file_path": "x", "entity": "run", "ids": [], "marks": {}, "experiment": {}, "run": {}, "model": {},
    "experiment_ids": ["{experiment_id}"], "run_ids": ["{run_id}"], "metric_keys": ["m"], "model_json": "{}",
    "journal_id": "j", "since": 0, "upto": 1, "entries": [],
    "files": {"a": "0" * 64}, "sha256": "0" * 64,
    "process": {"process_id": "p"}, "process_id": "p", "kernel_id": "k", "reason": "r",
}  # fmt: skip
NESTED = {
    "runs/log-batch": {"run_id": "{run_id}", "metrics": [{"key": "m", "value": 1, "timestamp": 0, "step": 0}],
                       "params": [{"key": "p", "value": "1"}], "tags": [{"key": "t", "value": "1"}]},
    "runs/log-inputs": {"run_id": "{run_id}", "models": [{"model_id": "{model_id}"}], "datasets": [
        {"dataset": {"name": "d", "digest": "d", "source_type": "t", "source": "s", "schema": "s", "profile": "p"},
         "tags": [{"key": "k", "value": "v"}]}]},
    "runs/outputs": {"run_id": "{run_id}", "models": [{"model_id": "{model_id}", "step": 1}]},
    "runs/register": {"params": {"p": "1"}, "metrics": {"m": 1}, "tags": {"t": "1"}, "points": [
        {"key": "m", "value": 1, "timestamp": 0, "step": 0}], "artifacts": [{"path": "x", "base64": "eA=="}]},
    "runs/lease": {"run_id": "{run_id}", "process": {"process_id": "p", "host": "h", "boot_id": "b", "pid": 1, "started": 1,
                                                     "kernel_id": "k"}},
    "experiments/import": {"experiment": {
        "experiment_id": "7", "name": "n{sent}", "artifact_location": "", "lifecycle_stage": "active", "creation_time": 1,
        "last_update_time": 1, "tags": [{"key": "k", "value": "v"}]}},
    "runs/import": {"points": [{"key": "m", "value": 1, "timestamp": 0}], "run": {
        "info": {"run_id": "r{sent}", "experiment_id": "{experiment_id}", "run_name": "n", "user_id": "u", "status": "FAILED",
                 "start_time": 1, "end_time": 1, "lifecycle_stage": "active", "artifact_uri": ""},
        "data": {"params": [{"key": "p", "value": "1"}], "tags": [{"key": "t", "value": "1"}]},
        "outputs": {"model_outputs": [{"model_id": "{model_id}", "step": 1}]}}},
    "logged-models/import": {"model": {
        "info": {"model_id": "m-" + "1" * 32, "experiment_id": "{experiment_id}", "name": "n", "model_type": "t",
                 "creation_timestamp_ms": 1, "last_updated_timestamp_ms": 1, "status": "LOGGED_MODEL_READY",
                 "source_run_id": "r", "tags": [{"key": "k", "value": "v"}]},
        "data": {"params": [{"key": "p", "value": "1"}], "metrics": [
            {"key": "m", "value": 1, "timestamp": 1, "step": 1, "run_id": "r"}]}}},
    "registered-models/import": {"model": {"name": "n{sent}", "creation_timestamp": 1, "last_updated_timestamp": 1,
                                           "description": "d", "tags": [{"key": "k", "value": "v"}]}},
    "model-versions/import": {"version": {
        "name": "{model}", "version": "1{sent}", "creation_timestamp": 1, "last_updated_timestamp": 1, "user_id": "u",
        "current_stage": "None", "description": "d", "source": "s3://b/m", "run_id": "r", "run_link": "l",
        "status": "READY", "tags": [{"key": "k", "value": "v"}], "aliases": ["a"], "model_id": "m"}},
}  # fmt: skip
OPERATIONS = {
    f"{method} {r.operation.path}": (method, r.operation)
    for r in routes()
    for method in r.operation.methods
}


def bent(value):
    """Yield copies of a JSON value, in each of which one leaf, list or object is a wrong one."""
    if isinstance(value, dict):
        for key in value:
            for other in bent(value[key]):
                yield {**value, key: other}
    elif isinstance(value, list):
        for other in bent(value[0]) if value else ():
            yield [other]
    yield from (wrong for wrong in WRONG if len(str(wrong)) < 10_000)


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_parameter_of_every_operation(target, make, name):
    method, operation = OPERATIONS[name]
    required = {
        key for key, (_, default) in operation.parameters.items() if "NODEFAULT" in repr(default)
    }
    for parameter in operation.parameters:
        for wrong in WRONG:
            values = {key: BASE[key] for key in required} | {parameter: wrong}
            target.attack(make(*spelled(method, operation, values)))
    assert target.untouched()


@pytest.mark.parametrize("name", NESTED)
def test_every_field_of_what_is_nested(target, make, name):
    prefix = "/api/1" if name.endswith(("import", "register", "lease")) else MLFLOW
    assert target.attack(make("POST", f"{prefix}/{name}", NESTED[name])).status == 200
    for body in bent(NESTED[name]):
        if isinstance(body, dict):
            target.attack(make("POST", f"{prefix}/{name}", body))
    assert target.untouched()


def spelled(method, operation, values):
    """Return the request of an operation with values that no client of ours would send."""
    path = re.sub(r":path\}", "}", operation.path)
    for name in operation.path_params:
        path = path.replace(f"{{{name}}}", as_text(values[name])[:6000] or "%20")
        if not operation.repeats:
            values.pop(name)
    if method != "GET" and not operation.body_param:
        return method, path, values
    query = "&".join(
        f"{name}={as_text(item)[:6000]}"
        for name, value in values.items()
        for item in (value[:400] if isinstance(value, list) else [value])
    )
    return method, f"{path}?{query}", b""


def as_text(value):
    return quote(str(value).encode("utf-8", "surrogatepass"), safe="{}")
