"""Every route with every right: what Jupyter's authorizer refuses is refused, whatever the route."""

import re

import httpx
import pytest

from mltrack_jupyter.services.dispatch import AJAX, routes

RIGHTS = {"nothing": (), "read": ("read",), "write": ("write",)}
AUTHORIZERS = """
from jupyter_server.auth import Authorizer

class Only(Authorizer):
    actions = ()
    def is_authorized(self, handler, user, action, resource):
        return resource != "mltrack" or action in self.actions
"""


def matrix():
    """Return every method and path there is, MLflow's second spelling too, with the right it needs."""
    for route in routes():
        path = re.sub(r"\{[^}]*\}", "x", route.operation.path)
        for method in route.operation.methods:
            yield method, path, route.operation.action
            if path.startswith("/api/2"):
                yield method, AJAX + path.removeprefix("/api/"), route.operation.action


@pytest.mark.parametrize("rights", RIGHTS)
def test_every_route_asks_for_its_right(rights, start_server, tmp_path):
    lines = AUTHORIZERS.replace("actions = ()", f"actions = {RIGHTS[rights]!r}")
    (tmp_path / "only.py").write_text(lines)
    server = start_server(
        "--ServerApp.authorizer_class=only.Only", env={"PYTHONPATH": str(tmp_path)}
    )
    headers = {"Authorization": f"Bearer {server.token}"}
    cases = list(matrix())
    assert {action for *_, action in cases} == {"read", "write"}
    with httpx.Client(base_url=server.tracking_uri, headers=headers, timeout=60) as client:
        for method, path, action in cases:
            answer = client.request(method, path, content=b"" if method == "GET" else b"{}")
            refused = answer.status_code == 403
            assert refused == (action not in RIGHTS[rights]), (method, path, answer.text)
            if refused:
                assert answer.json()["error_code"] == "PERMISSION_DENIED"
        store = client.post("/api/2.0/mlflow/experiments/search", json={"max_results": 10})
        if store.status_code == 200:
            names = [item["name"] for item in store.json()["experiments"]]
            assert names == ["Default"]


def test_what_writes_is_no_reading():
    """An operation that reads by POST says so; its name must not be that of one that writes."""
    for route in routes():
        name = route.operation.name
        if re.match(
            r"(create|log|set|delete|update|restore|register|import|purge|upload|rename|transition)",
            name,
        ):
            assert route.operation.action == "write", name
