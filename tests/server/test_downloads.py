"""Downloads in parts, and not at all where the caller has the file already."""

import io
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from mltrack_jupyter.server.downloads import choose
from mltrack_jupyter.services import Download
from mltrack_jupyter.testing.making import new_run, put, root_of, unique

BODY = bytes(range(256)) * 4096


@pytest.fixture(scope="module")
def path(services):
    path = f"{unique()}/large.bin"
    put(services, path, BODY)
    return f"/api/2.0/mlflow-artifacts/artifacts/{path}"


@pytest.mark.parametrize(
    ("asked", "start", "end"),
    [
        ("bytes=0-99", 0, 100),
        ("bytes=1000-", 1000, len(BODY)),
        ("bytes=-10", len(BODY) - 10, len(BODY)),
        ("bytes=0-0", 0, 1),
        ("bytes=5-99999999999", 5, len(BODY)),
        ("bytes=-99999999999", 0, len(BODY)),
        ("bytes=1-900000", 1, 900_001),
    ],
)
def test_a_range_is_answered_with_that_part(client, path, asked, start, end):
    answer = client.get(path, headers={"Range": asked})
    assert answer.status_code == 206
    assert answer.content == BODY[start:end]
    assert answer.headers["Content-Range"] == f"bytes {start}-{end - 1}/{len(BODY)}"
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert answer.headers["Content-Security-Policy"] == "sandbox; default-src 'none'"


@pytest.mark.parametrize("asked", ["bytes=99999999-", "bytes=1048576-1048580", "bytes=-0"])
def test_a_range_beyond_the_file_cannot_be_met(client, path, asked):
    answer = client.get(path, headers={"Range": asked})
    assert (answer.status_code, answer.content) == (416, b"")
    assert answer.headers["Content-Range"] == f"bytes */{len(BODY)}"


@pytest.mark.parametrize(
    "asked",
    ["", "bytes", "bytes=", "bytes=-", "bytes=9-1", "bytes=a-b", "lines=1-2", "bytes=0-1,5-6"],
)
def test_a_range_that_cannot_be_read_is_left_aside(client, path, asked):
    answer = client.get(path, headers={"Range": asked})
    assert (answer.status_code, answer.content) == (200, BODY)
    assert answer.headers["Accept-Ranges"] == "bytes"


def test_a_file_that_is_known_is_not_sent_again(client, services, path):
    first = client.get(path)
    tag, written = first.headers["ETag"], first.headers["Last-Modified"]
    for headers in (
        {"If-None-Match": tag},
        {"If-None-Match": f'"x", W/{tag}'},
        {"If-None-Match": "*"},
        {"If-Modified-Since": written},
    ):
        answer = client.get(path, headers=headers)
        assert (answer.status_code, answer.content) == (304, b""), headers
        assert answer.headers["ETag"] == tag
    for headers in (
        {"If-None-Match": '"x"', "If-Modified-Since": written},
        {"If-Modified-Since": "Thu, 01 Jan 1970 00:00:00 GMT"},
        {"If-Modified-Since": "nonsense"},
    ):
        assert client.get(path, headers=headers).status_code == 200, headers


def test_a_range_of_another_file_is_answered_with_this_one(client, path):
    first = client.get(path)
    headers = {"Range": "bytes=0-9"}
    for known in (first.headers["ETag"], first.headers["Last-Modified"]):
        assert client.get(path, headers={**headers, "If-Range": known}).status_code == 206
    assert client.get(path, headers={**headers, "If-Range": '"x"'}).status_code == 200


def test_a_file_that_was_written_again_has_another_tag(client, services):
    run = new_run(services)
    params = {"run_id": run.info.run_id, "path": "x"}
    tags = set()
    for body in (b"", b"1", b"22"):
        put(services, f"{root_of(run)}/x", body)
        answer = client.get("/get-artifact", params=params)
        assert (answer.status_code, answer.content) == (200, body)
        tags.add(answer.headers["ETag"])
    assert len(tags) == 3


def test_without_a_time_a_file_has_no_tag():
    part = choose({"If-None-Match": "*"}, Download(io.BytesIO(b"x"), "x", 1))
    assert (part.status, part.length) == (200, 1)
    assert "ETag" not in part.headers
    soon = format_datetime(datetime.now(UTC) + timedelta(days=1), usegmt=True)
    known = choose({"If-Modified-Since": soon}, Download(io.BytesIO(b"x"), "x", 1, 10**18))
    assert known.status == 304
