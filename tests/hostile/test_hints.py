"""What is said about a search that found nothing costs little, and shows what others wrote as text."""

import time
import warnings

import pytest

import mltrack_jupyter as mltrack
from mltrack_jupyter.tracking import hints

BLANKS = " " * 50_000
ORDERS = {
    "metrics.a": "a", "metrics.a DESC": "a", "  metrics.a   asc ": "a", "metrics.`a b` desc": "a b",
    'params."q"': "q", "parameter.x": "x", "tag.t DESC": "t", "metrics.descent": "descent", "metrics.a desc desc": "a desc",
    f"metrics.a{BLANKS}x": f"a{BLANKS}x", f"metrics.`{BLANKS}x` DESC": f"{BLANKS}x", f"metrics.a{BLANKS}DESC": "a",
    f"metrics.{'a ' * 25_000}": f"{'a ' * 25_000}".strip(), "`" * 50_000: None, "": None, " ": None, "metrics.": None,
    "DESC": None, "start_time DESC": None, "attributes.x": None,
}  # fmt: skip


def test_an_order_is_taken_apart_in_one_pass():
    begun = time.process_time()
    for order, key in ORDERS.items():
        asked = []
        hints.lacks([order], lambda _kind, key, asked=asked: asked.append(key))
        assert asked == ([] if key is None else [key])
    assert time.process_time() - begun < 5  # and not minutes


@pytest.fixture
def store(environment, tmp_path):
    mltrack.set_tracking_uri(tmp_path / ".mltrack")
    yield
    mltrack.set_tracking_uri("")


NAMES = ["acc\x1b]0;owned\x07", "acc\u202ecurate", "acc\x1b[2J", "acc\r\n* fake", "acc\u2066\u2069"]


@pytest.mark.parametrize("name", NAMES)
def test_a_name_that_is_suggested_controls_no_terminal(store, name):
    """Tags may have any name, and values any text."""
    with mltrack.start_run():
        mltrack.set_tag("team", name)
        mltrack.log_param("depth", name)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        mltrack.search_runs(filter_string="params.depth = 'accurate'", output_format="list")
        mltrack.search_runs(filter_string="tags.team = 'acc'", output_format="list")
        mltrack.search_runs(filter_string="tags.tean = 'acc'", output_format="list")
    texts = [str(item.message) for item in said]
    assert texts
    assert all(text.isprintable() for text in texts)
