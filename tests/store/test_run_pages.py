"""Searches of many runs begin with an index; what they find and in which order stays the same."""

import itertools
import math
import random

import pytest

from mltrack_jupyter.entities import Metric, Param, Tag, ViewType
from mltrack_jupyter.store import open_store
from mltrack_jupyter.store.sql import run_pages
from mltrack_jupyter.store.sql.search import compiler

FILTERS = [
    "",
    "params.depth = '3'",
    "params.depth = 'none has this'",
    "metrics.acc > 0.5",
    "metrics.acc = 0",
    "params.depth = '3' and metrics.acc <= 0.5 and tags.team LIKE 'a%'",
    "tags.team = 'b'",
    "params.depth != '3'",
    "params.depth IS NULL",
    "attributes.run_name = 'run-7'",
]
ORDERS = [
    [],
    ["metrics.acc DESC"],
    ["metrics.acc ASC", "params.depth DESC"],
    ["params.depth"],
    ["tags.team DESC", "metrics.acc"],
    ["metrics.nobody_logged"],
    ["start_time ASC"],
    ["end_time DESC"],
    ["attributes.run_id"],
]


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """40 runs with ties, NaN, infinities and missing values, in two experiments."""
    services = open_store(tmp_path_factory.mktemp("pages"))
    experiments = [services.experiments.create(name) for name in ("one", "other")]
    chance = random.Random(7)
    values = [0.0, -0.0, 0.25, 0.75, 1.0, math.nan, math.inf, -math.inf]
    for number in range(40):
        run_id = services.runs.create(
            experiments[number % 2], run_name=f"run-{number % 9}", start_time=number // 3
        ).info.run_id
        metrics = [Metric("acc", chance.choice(values), 1)] if number % 5 else []
        params = [Param("depth", str(chance.randrange(12)))] if number % 7 else []
        tags = [Tag("team", chance.choice(["a", "ab", "b", "x" * 300]))] if number % 4 else []
        services.runs.log_batch(run_id, metrics, params, tags)
    yield services, experiments
    services.close()


def pages(services, experiments, text, order):
    """Return the ids of every page of 7, one after the other."""
    found, token = [], ""
    while True:
        page = services.runs.search(experiments, text, ViewType.ACTIVE_ONLY, 7, order, token)
        found.append([run.info.run_id for run in page])
        token = page.next_page_token
        if not token:
            return found


@pytest.mark.parametrize("order", ORDERS, ids=str)
def test_pages_by_an_index_are_those_of_a_sort(store, order, monkeypatch):
    services, experiments = store
    for text, scope in zip(FILTERS, itertools.cycle(([experiments[0]], experiments))):
        monkeypatch.setattr(run_pages, "FEW", 10_000)
        sorted_all = pages(services, scope, text, order)
        for few in (0, 8):
            monkeypatch.setattr(run_pages, "FEW", few)
            assert pages(services, scope, text, order) == sorted_all, (text, few)


def test_the_total_of_a_table_is_the_same(store, monkeypatch):
    services, experiments = store
    for text in FILTERS:
        totals = set()
        for few in (0, 5, 10_000):
            monkeypatch.setattr(run_pages, "FEW", few)
            totals.add(services.runs.table(experiments, filter=text, max_results=1).total)
        assert len(totals) == 1, text


def plan(services, statement):
    with services.runs._database.read() as connection:
        rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}").all()
    return " ".join(row[3] for row in rows)


def asked(services, call, monkeypatch):
    """Return the SQL of the pages that a call reads, with its values in it."""
    found = []
    read = run_pages.RunPages._slice

    def spy(self, query, offset, limit):
        bind = self._connection.engine
        page = query.offset(offset).limit(limit)
        found.append(str(page.compile(bind, compile_kwargs={"literal_binds": True})))
        return read(self, query, offset, limit)

    monkeypatch.setattr(run_pages.RunPages, "_slice", spy)
    call()
    return found


@pytest.mark.parametrize(
    ("text", "order", "index"),
    [
        ("", ["metrics.acc DESC"], "ix_latest_metrics_key_value"),
        ("metrics.acc > 0.1", ["params.depth"], "ix_params_key_value"),
        ("tags.team = 'nobody'", [], "ix_tags_key_value"),
        ("", [], "ix_runs_newest_first"),
        ("", ["start_time ASC"], "ix_runs_newest_first"),
    ],
)
def test_a_page_is_read_along_an_index(store, text, order, index, monkeypatch):
    services, experiments = store
    monkeypatch.setattr(run_pages, "FEW", 0)
    statements = asked(
        services,
        lambda: services.runs.search(experiments[:1], text, ViewType.ACTIVE_ONLY, 5, order),
        monkeypatch,
    )
    assert index in plan(services, statements[0])


@pytest.mark.parametrize("few", [0, 10_000])
def test_a_filter_and_an_order_are_read_once_for_all_queries_of_a_search(store, few, monkeypatch):
    services, experiments = store
    monkeypatch.setattr(run_pages, "FEW", few)
    read = []
    for name in ("parse_filter", "parse_order"):
        parse = getattr(compiler, name)
        monkeypatch.setattr(
            compiler,
            name,
            lambda found, parse=parse, **how: (read.append(found), parse(found, **how))[1],
        )
    order = ["metrics.acc", "params.depth"]
    services.runs.search(experiments, "params.depth != '3'", max_results=40, order_by=order)
    assert sorted(read, key=str) == [order, "params.depth != '3'"]
