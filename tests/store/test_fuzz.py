"""Whatever text comes: our own error with the status 400, or none."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from mltrack_jupyter.errors import InvalidParameter, MltrackError
from mltrack_jupyter.services.codec import decode_request
from mltrack_jupyter.services.dispatch import routes
from mltrack_jupyter.store import open_store, rules
from mltrack_jupyter.store.artifacts import check_path, resolve
from mltrack_jupyter.store.sql.paging import decode_token, encode_token
from mltrack_jupyter.store.sql.search.grammar import parse_filter, parse_order

many = settings(
    max_examples=20_000 if os.environ.get("SOAK") else 500,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
WORDS = st.sampled_from(
    ["name", "metrics.", "params.a", "tags.`a b`", "status", "=", "!=", "<=", ">", "LIKE", "ILIKE", "IN", "NOT", "IS", "NULL", "AND", "OR",
     "'x'", '"x"', "'", "`", "(", ")", ",", ";", "1", "-1e400", "nan", "%", "\\", "\x00", "\ud800", "DESC", "ASC", "run", "dataset.name",
     "experiment_id", "²", "--", "/*", ".", "0x1", "start_time"]
)  # fmt: skip
FILTERS = st.one_of(
    st.text(max_size=60),
    st.lists(WORDS, max_size=12).map(" ".join),
    st.lists(WORDS, max_size=6).map("".join),
)
PATHS = st.one_of(
    st.text(max_size=60),
    st.lists(st.sampled_from(["..", ".", "/", "a", "%2e", "\\", "\x00", "é", "~", "C:", "file:", "\ud800", "x" * 256, "out"]), max_size=8).map("".join),
)  # fmt: skip


@pytest.fixture(scope="module")
def memory():
    services = open_store("sqlite:///:memory:")
    yield services
    services.close()


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    folder = tmp_path_factory.mktemp("fuzz")
    (folder / "root").mkdir()
    (folder / "root-beside").mkdir()
    (folder / "root" / "out").symlink_to(folder)
    return folder / "root"


def refused(call, *arguments):
    """Call; return whether it was refused as a caller's mistake."""
    status = 0
    try:
        call(*arguments)
    except MltrackError as error:
        status = error.status
    assert status in (0, 400)
    return status == 400


@many
@given(FILTERS)
def test_filters_and_orders_are_read_or_refused(text):
    refused(parse_filter, text)
    refused(parse_order, [text])


@many
@given(
    FILTERS,
    st.sampled_from(
        ["experiments", "runs", "logged_models", "registered_models", "model_versions"]
    ),
)
@example("metrics.a = -1e400", "runs")
@example("experiment_id = '²'", "experiments")
@example("name LIKE '\\'", "experiments")
def test_searches_answer_or_refuse(memory, text, service):
    found = getattr(memory, service)
    scope = {"experiment_ids": ["0"]} if service in ("runs", "logged_models") else {}
    refused(lambda: found.search(filter=text, max_results=2, **scope))
    if service != "logged_models":
        refused(lambda: found.search(order_by=[text], max_results=2, **scope))


@many
@given(st.one_of(st.text(), st.binary().map(lambda raw: raw.decode("latin-1"))))
def test_page_tokens(text):
    if not refused(decode_token, text):
        assert decode_token(encode_token(decode_token(text))) == decode_token(text)


@many
@given(st.one_of(st.text(), PATHS))
def test_keys_and_names(text):
    checks = [rules.check_experiment_name, rules.parse_experiment_id, rules.check_run_id, rules.check_model_name, rules.parse_version,
              rules.parse_stage, rules.check_alias]  # fmt: skip
    for check in checks:
        refused(check, text)
    for kind in ("tag", "param", "metric"):
        refused(rules.check_key, text, kind)
    refused(rules.check_text, text, "tag")


@many
@given(PATHS)
def test_a_path_stays_below_its_root_or_is_refused(root, text):
    refused(check_path, text)
    try:
        place = resolve(root, text)
    except InvalidParameter:
        return
    assert place == root.resolve() or root.resolve() in place.parents
    assert ".." not in Path(text).parts


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5), st.sampled_from(["²", "--5", "NaN", "9" * 5000, 2**70])),
    lambda children: st.one_of(st.lists(children, max_size=3), st.dictionaries(st.text(max_size=5), children, max_size=3)),
    max_leaves=6,
)  # fmt: skip


@many
@given(st.data(), st.sampled_from([route.operation for route in routes()]))
def test_requests_are_read_or_refused(data, operation):
    import msgspec

    values = {name: data.draw(JSON) for name in operation.parameters}
    body = msgspec.json.encode(values)
    refused(decode_request, operation, {}, {}, body)
