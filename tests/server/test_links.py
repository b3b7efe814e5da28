"""The links that MLflow's clients print: where they lead without JupyterLab, and that nothing in them is run."""

import base64
import hashlib
import re

import httpx
import pytest

from mltrack_jupyter.entities import Param, Tag
from mltrack_jupyter.server.links import POLICY, run_page

HOSTILE = "<img src=x onerror=alert(1)>\u202e\x1b]0;x\x07"


@pytest.fixture
def run(services):
    made = services.runs.create("0", run_name=HOSTILE)
    run_id = made.info.run_id
    services.runs.log_metric(run_id, "accuracy", 0.9, 1)
    services.runs.log_batch(run_id, params=[Param("p", HOSTILE)], tags=[Tag("t", HOSTILE)])
    return services.runs.get(run_id)


@pytest.mark.parametrize("path", ["", "/"])
def test_a_browser_gets_the_page_that_follows_the_link(server, client, path):
    page = client.get(f"{server.tracking_uri}{path}")
    assert (page.status_code, page.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    (script,) = re.findall("<script>(.*?)</script>", page.text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert page.headers["Content-Security-Policy"] == POLICY
    assert f"script-src 'sha256-{digest}';" in POLICY
    assert POLICY.startswith("default-src 'none';")
    assert server.token not in page.text
    assert "/runs/" in script


def test_whoever_is_not_known_is_asked_who_they_are(server):
    for path in ("/", "/runs/abc"):
        answer = httpx.get(f"{server.tracking_uri}{path}", headers={"User-Agent": "Mozilla/5.0"})
        assert answer.status_code == 302
        assert answer.headers["Location"].startswith("/login?next=")


def test_the_page_of_a_run_says_what_is_known_of_it(client, run):
    page = client.get(f"/runs/{run.info.run_id}")
    assert page.status_code == 200
    for text in (run.info.run_id, "accuracy", "0.9", "RUNNING"):
        assert text in page.text
    assert page.headers["X-Content-Type-Options"] == "nosniff"
    assert "script-src" not in page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]


def test_a_run_that_is_not_there(client):
    page = client.get("/runs/abc")
    assert (page.status_code, page.headers["Content-Type"]) == (404, "text/html; charset=utf-8")
    assert "Run with id=abc not found." in page.text


def test_what_somebody_wrote_is_shown_and_never_run(run):
    page = run_page(run)
    assert "&lt;img src=x" in page
    assert not re.search("<img|<script|\u202e|\x1b", page)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_the_pages_are_only_read(client, method):
    for path in ("/", "/runs/abc"):
        assert client.request(method, path).status_code == 405
