"""The wire without a server: every operation's request and answer survive the way there and back."""

import math
from typing import BinaryIO

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mltrack_jupyter.entities import Metric, Page, Param, Run, RunInfo, RunStatus, Tag, ViewType
from mltrack_jupyter.errors import (
    BadRequest,
    EndpointNotFound,
    ForeignAnswer,
    InternalError,
    InvalidParameter,
    MltrackError,
    NotFound,
    RequestTooLarge,
    TooManyRequests,
    Unavailable,
    from_code,
)
from mltrack_jupyter.services import operation, operations_of
from mltrack_jupyter.services.codec import (
    decode_answer,
    decode_request,
    encode_answer,
    encode_request,
)
from mltrack_jupyter.services.dispatch import find, routes
from mltrack_jupyter.services.error_codec import decode_error, encode_error


class Shop:
    """A service of its own, to show that two places are all that an operation needs."""

    @operation("POST", "/shop/buy/{item}", answer="receipt", aliases={"count": "number"})
    def buy(
        self,
        item: str,
        number: int = 1,
        price: float = 0.0,
        gift: bool = False,
        view: ViewType | None = None,
        tags: list[Tag] | None = None,
    ) -> Param:
        """Buy something."""

    @operation("GET", "/shop/list", answer="items")
    def list(self, names: list[str] | None = None, size: int = 10) -> Page[Param]:
        """List what there is."""

    @operation("PUT", "/shop/{path:path}")
    def put(self, path: str, body: BinaryIO) -> None:
        """Put something in."""


BUY, LIST, PUT = operations_of(Shop).values()


def read(declared, body, **path):
    return decode_request(declared, path, {}, msgspec.json.encode(body))


def test_a_request_there_and_back():
    given = {"item": "a b/ü", "number": 3, "price": math.inf, "gift": True, "tags": [Tag("k", "v")]}
    request = encode_request(BUY, given)
    assert (request.method, request.path) == ("POST", "/shop/buy/a%20b%2F%C3%BC")
    found = decode_request(BUY, {"item": "a b/ü"}, {}, request.body)
    assert found == {**given, "view": None}


def test_a_query_there_and_back():
    request = encode_request(LIST, {"names": ["a", "b c"], "size": 5})
    assert request.query == [("names", "a"), ("names", "b c"), ("size", "5")]
    found = decode_request(LIST, {}, {"names": ["a", "b c"], "size": ["5"]}, b"")
    assert found == {"names": ["a", "b c"], "size": 5}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, {"number": 1}),
        ({"number": "7"}, {"number": 7}),
        ({"count": 7}, {"number": 7}),
        ({"number": None, "unknown": []}, {"number": 1}),
        ({"gift": "TRUE"}, {"gift": True}),
        ({"price": "NaN"}, {"price": math.nan}),
        ({"price": "-Infinity"}, {"price": -math.inf}),
        ({"view": 2}, {"view": ViewType.DELETED_ONLY}),
        ({"view": "ALL"}, {"view": ViewType.ALL}),
        ({"view": "SOME"}, {"view": None}),
        ({"view": 9}, {"view": None}),
        ({"tags": [{"key": "k", "value": None}]}, {"tags": [Tag("k")]}),
    ],
)
def test_requests_are_read_leniently(body, expected):
    found = read(BUY, body, item="x")
    for name, value in expected.items():
        assert repr(found[name]) == repr(value)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"number": "x"}, "'number'"), ({"number": 1.5}, "'number'"), ({"number": 2**63}, "64 bits"),
        ({"number": str(-(2**63) - 1)}, "64 bits"), ({"gift": "perhaps"}, "'gift'"),
        ({"tags": "x"}, "'tags'"), ({"tags": [{"key": 1}]}, "tags[0].key"),
        ({"tags": [{}]}, "tags[0].key"), ({"price": "dear"}, "'price'"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(body, message):
    with pytest.raises(InvalidParameter) as caught:
        read(BUY, body, item="x")
    assert message in str(caught.value)


def test_dots_are_sent_as_they_are_meant():
    # An HTTP client would resolve them, and ask for something else.
    for path, sent in (("../x", "%2E%2E/x"), ("a/./b", "a/%2E/b"), ("a..b/.c", "a..b/.c")):
        assert encode_request(PUT, {"path": path}).path == f"/shop/{sent}"


def test_answers_are_written_as_mlflow_writes_them():
    info = RunInfo(run_id="r", experiment_id="0", status=RunStatus.RUNNING, start_time=5)
    declared = find("GET", "/api/2.0/mlflow/runs/get")[0].operation
    wire = msgspec.json.decode(encode_answer(declared, Run(info=info)))
    assert wire == {
        "run": {
            "info": {
                "run_id": "r", "run_uuid": "r", "experiment_id": "0", "user_id": "",
                "status": "RUNNING", "start_time": 5,
            },
            "data": {}, "inputs": {}, "outputs": {},
        }
    }  # fmt: skip
    assert decode_answer(declared, encode_answer(declared, Run(info=info))) == Run(info=info)


def test_pages_there_and_back():
    assert encode_answer(LIST, Page([], "")) == b"{}"
    page = Page([Param("a", "1"), Param("b")], "next")
    assert decode_answer(LIST, encode_answer(LIST, page)) == page
    assert decode_answer(LIST, b"{}") == Page()


@given(st.floats())
def test_every_float_survives_the_wire(value):
    declared = find("GET", "/api/2.0/mlflow/metrics/get-history")[0].operation
    body = encode_answer(declared, Page([Metric("m", value, 0)]))
    assert repr(decode_answer(declared, body)[0].value) == repr(value)


@pytest.mark.parametrize("body", [b"<html>", b"", b"\xff", b"[1]", b'{"receipt": 3}', b"{}"])
def test_a_strange_answer_is_no_ones_value(body):
    with pytest.raises((ForeignAnswer, InternalError), match="answer"):
        decode_answer(BUY, body)


def test_errors_there_and_back():
    def leaves(kind):
        return [kind, *(leaf for child in kind.__subclasses__() for leaf in leaves(child))]

    for kind in leaves(MltrackError)[1:]:
        found = decode_error(kind.status, encode_error(kind("the reason")))
        assert (found.error_code, found.message, found.status) == (
            kind.error_code, "the reason", kind.status,
        )  # fmt: skip


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (404, b"<html>", EndpointNotFound),
        (404, b'{"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "x"}', NotFound),
        (500, b"[]", InternalError),
        (400, b"<html>", ForeignAnswer),
        (400, b'{"message": "Bad Request"}', ForeignAnswer),
        (400, b'{"error_code": "BAD_REQUEST"}', BadRequest),
        (413, b"", RequestTooLarge),
        (429, b"", TooManyRequests),
        (530, b"<html>", Unavailable),
        (501, b"<html>", ForeignAnswer),
        (418, b'{"error_code": "os.system"}', InternalError),
        (500, b'{"error_code": ["a"]}', InternalError),
    ],
)
def test_a_server_chooses_among_our_errors_only(status, body, kind):
    assert type(decode_error(status, body)) is kind


def test_a_wrong_address_is_not_taken_for_absence():
    assert not issubclass(EndpointNotFound, NotFound)
    assert isinstance(from_code("INVALID_PARAMETER_VALUE", "x"), ValueError)
    assert isinstance(from_code("RESOURCE_DOES_NOT_EXIST", "x"), LookupError)


def test_every_route_is_found_by_its_own_path():
    for route in routes():
        path = route.operation.path.replace(":path}", "}").replace("{", "").replace("}", "")
        for method in route.operation.methods:
            assert find(method, path)[0].operation.name in (route.operation.name, "search")


def test_every_operation_says_what_it_does():
    assert [route for route in routes() if not route.operation.doc.endswith(".")] == []


@pytest.mark.parametrize("place", [0, 255 * 1024, 256 * 1024 - 5, 256 * 1024, 3 * 256 * 1024 - 8])
def test_what_needs_leniency_is_found_wherever_it_is_in_a_long_body(place):
    """Long bodies are searched in pieces; what lies across two of them is found as well."""
    declared = find("POST", "/api/2.0/mlflow/runs/search")[0].operation
    filler = "x" * place
    both = f'{{"filter": "{filler}", "max_results": 7, "maxResults": 7}}{" " * 300_000}'.encode()
    with pytest.raises(InvalidParameter, match="provide only"):
        decode_request(declared, {}, {}, both)
    long_integer = f'{{"filter": "{filler}", "max_results": 99999999999999999999}}'.encode()
    with pytest.raises(InvalidParameter, match="64 bits"):
        decode_request(declared, {}, {}, long_integer)
