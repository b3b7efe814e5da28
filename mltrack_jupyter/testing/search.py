"""The contract of searching runs: MLflow's filter language, orders and pages."""

from __future__ import annotations

import math
from collections.abc import Iterator

import pytest

from mltrack_jupyter.entities import Dataset, DatasetInput, RunStatus, Tag, ViewType
from mltrack_jupyter.errors import InvalidParameter
from mltrack_jupyter.services import Services
from mltrack_jupyter.testing.making import NOW, new_experiment, new_run


def names(services: Services, experiment: str, filter: str = "", *order: str) -> list[str]:
    """Return the names of the runs that match, in order."""
    page = services.runs.search([experiment], filter, order_by=list(order))
    return [run.info.run_name for run in page]


class _Fruits:
    """Four runs to search."""

    @pytest.fixture(scope="class")
    @classmethod
    def fruits(cls, services: Services) -> str:
        """Make an experiment with four runs, the newest first: apple, banana, cherry, date."""
        number = new_experiment(services)
        rows = [
            ("apple", {"acc": 0.9, "loss": 0.1}, {"depth": "3", "kind": "Tree"}, {"team": "red"}),
            ("banana", {"acc": 0.5, "a b": 1.0}, {"depth": "10"}, {"team": "blue", "x.y/z": "1"}),
            ("cherry", {"acc": math.nan}, {"kind": "tree_forest"}, {}),
            ("date", {"loss": math.inf}, {"depth": "3"}, {"team": "RED"}),
        ]
        for index, (name, metrics, params, tags) in enumerate(rows):
            new_run(
                services,
                number,
                name=name,
                start=NOW - index,
                metrics=metrics,
                params=params,
                tags=tags,
            )
        apple = services.runs.search([number], "run_name = 'apple'")[0].info.run_id
        data = DatasetInput(
            dataset=Dataset(name="iris", digest="d1"), tags=[Tag("mlflow.data.context", "train")]
        )
        services.runs.log_inputs(apple, datasets=[data])
        services.runs.update(apple, status=RunStatus.FINISHED, end_time=NOW + 10)
        return number


class TestFilters(_Fruits):
    """What a filter matches."""

    @pytest.mark.parametrize(
        ("filter", "expected"),
        [
            ("", "apple banana cherry date"),
            ("metrics.acc > 0.5", "apple"),
            ("metrics.acc >= 0.5", "apple banana"),
            ("metric.acc < .9", "banana"),
            ("metrics.acc = 5e-1", "banana"),
            ("metrics.loss > 1e300", "date"),
            ("metrics.`a b` = 1", "banana"),
            ('metrics."a b" = 1', "banana"),
            # A missing value matches nothing, not even !=, and NaN matches only that.
            ("metrics.acc != 0.5", "apple cherry"),
            ("params.depth != '3'", "banana"),
            ("tags.team != 'red'", "banana date"),
            ("params.depth = '3'", "apple date"),
            ('parameters.depth = "3"', "apple date"),
            ("params.kind LIKE 'tree%'", "cherry"),
            ("params.kind ILIKE 'TREE%'", "apple cherry"),
            ("params.kind = 'it''s'", ""),
            ("run_id IN ('nobody',)", ""),
            ("param.kind like 'T_ee'", "apple"),
            ("params.kind IS NULL", "banana date"),
            ("params.kind is not null", "apple cherry"),
            ("tag.team IS NULL", "cherry"),
            ("tags.`x.y/z` = '1'", "banana"),
            ("run_name = 'apple'", "apple"),
            ("attributes.run_name LIKE '%an%'", "banana"),
            ("attr.`run name` = 'date'", "date"),
            ("Run name = 'date'", "date"),
            ("status = 'FINISHED'", "apple"),
            ("run.status != 'FINISHED'", "banana cherry date"),
            ("status = 'finished'", ""),
            (f"start_time < {NOW - 1}", "cherry date"),
            (f"attributes.created >= {NOW}", "apple"),
            ("end_time > 0", "apple"),
            ("end_time != 0", "apple"),
            ("dataset.name = 'iris'", "apple"),
            ("datasets.digest IN ('d1', 'd2') AND dataset.context = 'train'", "apple"),
            ("dataset.name = 'other'", ""),
            ("metrics.acc > 0 AND params.depth = '10'", "banana"),
            ("metrics.acc > 0 and and metrics.acc < 0.6 AND", "banana"),
            ("metrics.acc > 0 AND metrics.acc > 0.8", "apple"),
        ],
    )
    def test_matches(self, services: Services, fruits: str, filter: str, expected: str) -> None:
        assert names(services, fruits, filter) == expected.split()

    def test_run_ids_in_a_list(self, services: Services, fruits: str) -> None:
        ids = {run.info.run_name: run.info.run_id for run in services.runs.search([fruits])}
        some = f"('{ids['apple']}', \"{ids['date']}\", 'none')"
        assert names(services, fruits, f"run_id IN {some}") == ["apple", "date"]
        assert names(services, fruits, f"attributes.run_id not in {some}") == ["banana", "cherry"]

    def test_a_literal_is_never_sql(self, services: Services, fruits: str) -> None:
        for text in ("x' OR '1'='1", "'; DROP TABLE runs; --", "%' OR 1=1 --", "`"):
            assert names(services, fruits, f'run_name = "{text}"') == []
        assert len(names(services, fruits)) == 4

    def test_experiments_and_views(self, services: Services) -> None:
        number = new_experiment(services)
        kept, gone = new_run(services, number), new_run(services, number)
        services.runs.delete(gone.info.run_id)

        def ids(view: ViewType) -> set[str]:
            return {run.info.run_id for run in services.runs.search([number], "", view)}

        assert ids(ViewType.ACTIVE_ONLY) == {kept.info.run_id}
        assert ids(ViewType.DELETED_ONLY) == {gone.info.run_id}
        assert ids(ViewType.ALL) == {kept.info.run_id, gone.info.run_id}
        assert len(services.runs.search([])) == 0
        assert len(services.runs.search()) == 0
        assert len(services.runs.search(["987654321"])) == 0
        with pytest.raises(InvalidParameter, match="experiment_id"):
            services.runs.search(["zero"])


class TestWrongFilters:
    """What cannot be read is answered with the place and with what would be right."""

    @pytest.mark.parametrize(
        ("filter", "message"),
        [
            ("metrics.acc > ", "character 15: expected a value"),
            ("   ", "expected a comparison"),
            ("params.in = 'x'", "params.`in`"),
            ("params.1 = 'x'", "params.`1`"),
            ("metrics.acc 0.5", "character 13: expected a comparison"),
            ("metrics.acc > 'x'", "metrics.acc is a number; write it without quotes"),
            ("params.depth = 3", "params.depth is text; write the value in 'quotes'"),
            ("params.depth > '3'", "> cannot be used with params.depth"),
            ("metrics.acc LIKE '1%'", "LIKE cannot be used with metrics.acc"),
            ("metrics.acc IS NULL", "IS NULL cannot be used with metrics.acc"),
            ("metric.acc == 0.5", "not =="),
            ("metrics.acc <> 0.5", "not == or <>"),
            ("metrics.acc > 1 OR metrics.acc < 0", "there is no OR"),
            ("NOT metrics.acc > 1", "expected"),
            ("(metrics.acc > 1)", "expected a name"),
            ("metrics.acc > 1; DROP TABLE runs", "one statement only"),
            ("params.depth = 'open", "the quote ' is not closed"),
            ("params.`depth = '1'", "the quote ` is not closed"),
            ("metrcs.acc > 1", "did you mean 'metrics'?"),
            ("run_nam = 'x'", "did you mean 'run_name'?"),
            ("lifecycle_stage = 'active'", "there is no attribute"),
            ("experiment_id = '0'", "there is no attribute"),
            ("run_id IN ()", "expected a 'quoted text'"),
            ("run_id IN ('a'", "expected ','"),
            ("run_id IN (1)", "expected a 'quoted text'"),
            ("run_id NOT 'a'", "expected IN after NOT"),
            ("params.a IS 'x'", "expected NULL"),
            ("status IN ('FINISHED')", "IN cannot be used with status"),
            ("start_time = 'now'", "number"),
            ("dataset.size = '1'", "expected context, digest, name"),
            ("'a' = 'a'", "expected a name"),
            ("params.depth = '1' params.depth = '2'", "expected AND"),
            ("params.ü€ = '1'", "backticks"),
            ("x" * 20_001, "20000 characters"),
            (" AND ".join(["metrics.a > 0"] * 61), "60 comparisons"),
            ("params.a = '\ud800'", "nicode"),
        ],
    )
    def test_the_message_helps(self, services: Services, filter: str, message: str) -> None:
        with pytest.raises(InvalidParameter) as caught:
            services.runs.search(["0"], filter)
        assert message in str(caught.value) or "not valid JSON" in str(caught.value)

    def test_the_place_is_shown_below_the_filter(self, services: Services) -> None:
        with pytest.raises(InvalidParameter) as caught:
            services.runs.search(["0"], "metrics.acc > 0.5 AND parms.x = '1'")
        *_, excerpt, pointer = str(caught.value).splitlines()
        assert excerpt[pointer.index("^") :].startswith("parms.x")

    @pytest.mark.parametrize(
        "order",
        ["", " ", "metrics.acc UP", "metrics.acc ASC DESC", "dataset.name", "nothing", "a, b",
         "`run name`", "metrics.acc = 1", "DESC metrics.acc"],
    )  # fmt: skip
    def test_a_wrong_order_is_refused(self, services: Services, order: str) -> None:
        with pytest.raises(InvalidParameter):
            services.runs.search(["0"], order_by=[order])

    @pytest.mark.parametrize(
        "order", [["metrics.a", "metrics.a DESC"], [" run_name"], ["run_name "]]
    )
    def test_twice_or_with_blanks_is_refused(self, services: Services, order: list[str]) -> None:
        with pytest.raises(InvalidParameter, match="order"):
            services.runs.search(["0"], order_by=order)

    def test_an_endless_order_is_refused(self, services: Services) -> None:
        with pytest.raises(InvalidParameter, match="at most"):
            services.runs.search(["0"], order_by=[f"metrics.m{i}" for i in range(70)])


class TestOrder(_Fruits):
    """In which order runs come."""

    @pytest.mark.parametrize(
        ("order", "expected"),
        [
            ([], "apple banana cherry date"),
            (["start_time ASC"], "date cherry banana apple"),
            (["attributes.run_name desc"], "date cherry banana apple"),
            # NaN and missing come last, in this order, whatever the direction.
            (["metrics.acc"], "banana apple cherry date"),
            (["metrics.acc DESC"], "apple banana cherry date"),
            (["metrics.loss DESC"], "date apple banana cherry"),
            (["params.depth", "start_time"], "banana date apple cherry"),
            (["tags.team", "run_name"], "date banana apple cherry"),
            (["params.depth DESC", "metrics.acc DESC"], "apple date banana cherry"),
            (["end_time DESC", "run_name DESC"], "apple date cherry banana"),
            (["metrics.`a b`"], "banana apple cherry date"),
        ],
    )
    def test_comes_as(
        self, services: Services, fruits: str, order: list[str], expected: str
    ) -> None:
        assert names(services, fruits, "", *order) == expected.split()


class TestPages:
    """Long answers come in pages that neither repeat nor leave out a run."""

    @pytest.fixture(scope="class")
    @classmethod
    def many(cls, services: Services) -> str:
        """Make an experiment with 23 runs that started in the same millisecond."""
        number = new_experiment(services)
        for index in range(23):
            new_run(services, number, name=f"r{index:02}", metrics={"m": float(index % 4)})
        return number

    def pages(self, services: Services, number: str, size: int, order: list[str]) -> Iterator[str]:
        """Yield the names page by page."""
        token = ""
        while True:
            page = services.runs.search(
                [number], max_results=size, order_by=order, page_token=token
            )
            assert len(page) <= size
            yield from (run.info.run_name for run in page)
            token = page.next_page_token
            if not token:
                return

    @pytest.mark.parametrize("size", [1, 5, 22, 23, 24])
    @pytest.mark.parametrize("order", [[], ["metrics.m DESC"]])
    def test_pages_make_the_whole(
        self, services: Services, many: str, size: int, order: list[str]
    ) -> None:
        whole = names(services, many, "", *order)
        assert len(whole) == 23
        assert list(self.pages(services, many, size, order)) == whole

    def test_there_is_a_token_only_if_there_is_more(self, services: Services, many: str) -> None:
        assert services.runs.search([many], max_results=23).next_page_token == ""
        assert services.runs.search([many], max_results=22).next_page_token != ""

    @pytest.mark.parametrize("token", ["garbage", "e30=", "bnVsbA==", "ä", "W1tb" * 5000, "%%%"])
    def test_a_token_that_is_none_is_refused(self, services: Services, token: str) -> None:
        with pytest.raises(InvalidParameter, match="page_token"):
            services.runs.search(["0"], page_token=token)

    @pytest.mark.parametrize("size", [0, -1, 50_001])
    def test_the_size_of_a_page_has_bounds(self, services: Services, size: int) -> None:
        with pytest.raises(InvalidParameter, match="max_results"):
            services.runs.search(["0"], max_results=size)
