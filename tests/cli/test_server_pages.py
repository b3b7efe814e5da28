"""The pages of ``mltrack server``: in its own words, and none of them leads to another server."""

import re
import signal

import httpx
import pytest

pytestmark = pytest.mark.server


def test_its_pages_speak_of_itself(tmp_path, start, stop):
    process, url, token = start(tmp_path)
    known = {"Authorization": f"Bearer {token}"}
    with httpx.Client(base_url=url) as browser:
        login = browser.get("/", follow_redirects=True)
        assert (login.status_code, login.url.path) == (200, "/login")
        # Without an address of its own the form keeps the link behind # for after the login.
        assert re.findall("<form[^>]*>", login.text) == ['<form method="post">']
        wrong = browser.post(login.url, data={"_xsrf": browser.cookies["_xsrf"], "password": "no"})
        assert (wrong.status_code, "Invalid credentials" in wrong.text) == (401, True)
        data = {"_xsrf": browser.cookies["_xsrf"], "password": token}
        home = browser.post(login.url, data=data, follow_redirects=True)
        assert (home.status_code, home.url.path) == (200, "/")
        missing = browser.get("/lab")
        assert missing.status_code == 404
        left = browser.get("/logout")
    for page in (login, wrong, missing, left):
        assert "Jupyter" not in page.text
        assert "mltrack server" in page.text
        assert token not in page.text
    for path in ("/api/2.0/mlflow/runs/get?run_id=x", "/mltrack/api/1/info"):
        refused = httpx.get(url + path).json()["message"]
        assert "`mltrack server` prints its own when it starts" in refused
    assert httpx.get(f"{url}/runs/abc", headers=known).status_code == 404
    stop(process, signal.SIGINT)
