"""What an operation needs is told by its declaration, in the words of the field."""

from typing import BinaryIO

import pytest

from mltrack_jupyter.services import operation, operations_of
from mltrack_jupyter.services.dispatch import routes


class Shop:
    """Operations of each kind."""

    @operation("GET", "/shop/list")
    def look(self, run_id: str, path: str = "") -> None:
        """Look at what there is."""

    @operation("POST", "/shop/search", safe=True)
    def search(self, experiment_ids: list[str], filter: str = "") -> None:
        """Look for something, in a body."""

    @operation("POST", "/shop/set")
    def put(self, source_run_id: str, model_id: str, value: str) -> None:
        """Set something, which twice is as once."""

    @operation("POST", "/shop/buy", idempotent=False)
    def buy(self, name: str) -> None:
        """Buy something, which twice is two of it."""

    @operation("POST", "/shop/purge", files=True)
    def purge(self, run_ids: list[str]) -> None:
        """Delete files."""

    @operation("GET", "/shop/books", action="execute")
    def audit(self, model_id: str) -> None:
        """Look at what not everybody may see."""

    @operation("PUT", "/shop/file")
    def bring(self, body: BinaryIO) -> None:
        """Bring a file."""


OPERATIONS = operations_of(Shop)


@pytest.mark.parametrize(
    ("name", "safe", "action", "lane", "idempotent", "subject"),
    [
        ("look", True, "read", "reads", True, {"run_id": "run"}),
        ("search", True, "read", "reads", True, {"experiment_ids": "experiment"}),
        (
            "put",
            False,
            "write",
            "writes",
            True,
            {"source_run_id": "run", "model_id": "logged_model"},
        ),
        ("buy", False, "write", "writes", False, {}),
        ("purge", False, "write", "files", True, {"run_ids": "run"}),
        ("audit", True, "execute", "reads", True, {"model_id": "logged_model"}),
        ("bring", False, "write", "files", True, {}),
    ],
)
def test_the_words_of_a_declaration(name, safe, action, lane, idempotent, subject):
    found = OPERATIONS[name]
    assert (found.safe, found.action) == (safe, action)
    assert (found.lane, found.idempotent, found.subject) == (lane, idempotent, subject)


def test_what_is_safe_is_idempotent():
    assert [route.operation.path for route in routes() if route.operation.safe
            and not route.operation.idempotent] == []  # fmt: skip


def test_a_call_is_told_by_the_names_of_its_parameters():
    put = OPERATIONS["put"]
    told = {"source_run_id": "r", "model_id": "m", "value": "v"}
    assert put.bind(("r", "m"), {"value": "v"}) == put.bind((), told) == told
    for arguments, named in [
        (("r",), {}),
        ((), {**told, "self": None}),
        (("r", "m"), {"valve": 1}),
    ]:
        with pytest.raises(TypeError):
            put.bind(arguments, named)
