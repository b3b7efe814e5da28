"""The contract of searches for logged models: by metric, by dataset, in any order."""

from __future__ import annotations

import math

import pytest

from mltrack_jupyter.entities import Metric, ModelDataset, ModelOrder
from mltrack_jupyter.errors import InvalidParameter
from mltrack_jupyter.services import Services
from mltrack_jupyter.testing.making import NOW, new_experiment, new_run


class TestLoggedModelSearch:
    """Five models, the last of them the newest, measured on two datasets."""

    @pytest.fixture(scope="class")
    @classmethod
    def number(cls, services: Services) -> str:
        """Make the experiment with the models."""
        number = new_experiment(services)
        run_id = new_run(services, number).info.run_id
        points: dict[str, list[tuple[float, int, str, str]]] = {
            # Each point is a value, a step, a dataset and its digest.
            "a": [(0.5, 0, "train", "d1"), (0.9, 1, "train", "d1"), (0.4, 2, "test", "d2")],
            "b": [(0.7, 0, "train", "d1"), (0.6, 1, "test", "d3")],
            "c": [(math.nan, 0, "train", "d1")],
            "d": [],
            "e": [(-0.0, 0, "", ""), (-math.inf, 1, "", "")],
        }
        for name, measured in points.items():
            model_id = services.logged_models.create(number, name).info.model_id
            batch = [
                Metric("acc", value, NOW + step, step, dataset, digest, model_id)
                for value, step, dataset, digest in measured
            ]
            services.runs.log_batch(run_id, metrics=batch)
        return number

    @staticmethod
    def names(
        services: Services,
        number: str,
        filter: str = "",
        order_by: list[ModelOrder] | None = None,
        datasets: list[ModelDataset] | None = None,
    ) -> str:
        """Return the names of the models that were found, in one word."""
        order = order_by or [ModelOrder("name")]
        page = services.logged_models.search([number], filter, order_by=order, datasets=datasets)
        return "".join(item.info.name for item in page)

    @pytest.mark.parametrize(
        ("filter", "found"),
        [
            ("metrics.acc > 0.5", "b"),
            ("metrics.acc >= 0.4", "ab"),
            ("metrics.acc < 0.5", "ae"),
            ("metrics.acc = 0.4", "a"),
            ("metrics.acc = 0", ""),
            ("metrics.acc <= 0", "e"),
            ("metrics.acc >= 0", "ab"),
            ("metrics.acc != 0.7", "abce"),
            ("metrics.`acc` >= 0.6 AND name = 'b'", "b"),
            ("metrics.none > 0", ""),
        ],
    )
    def test_the_latest_point_counts(
        self, services: Services, number: str, filter: str, found: str
    ) -> None:
        assert self.names(services, number, filter) == found

    @pytest.mark.parametrize(
        "filter", ["metrics.acc > '1'", "metrics.acc LIKE 'x'", "metric.acc > 1", "metrics.acc > x"]
    )
    def test_a_wrong_clause_is_refused(self, services: Services, number: str, filter: str) -> None:
        with pytest.raises(InvalidParameter):
            self.names(services, number, filter)

    def test_only_single_quotes_are_quotes(self, services: Services, number: str) -> None:
        assert self.names(services, number, "name = 'a'") == "a"
        assert self.names(services, number, 'name = "a"') == ""
        assert self.names(services, number, "name IN ('a', \"b\")") == "a"

    def test_datasets_restrict_what_metrics_count(self, services: Services, number: str) -> None:
        train, test = ModelDataset("train"), ModelDataset("test", "d2")
        assert self.names(services, number, datasets=[train]) == "abc"
        assert self.names(services, number, datasets=[test]) == "a"
        assert self.names(services, number, datasets=[train, test]) == "abc"
        assert self.names(services, number, datasets=[ModelDataset("none")]) == ""
        assert self.names(services, number, "metrics.acc > 0.5", datasets=[test]) == ""
        assert self.names(services, number, "metrics.acc < 0.5", datasets=[test]) == "a"
        assert self.names(services, number, "name = 'b'", datasets=[test]) == ""
        with pytest.raises(InvalidParameter, match="dataset_name"):
            self.names(services, number, datasets=[ModelDataset("")])

    @pytest.mark.parametrize(
        ("order", "found"),
        [
            (ModelOrder("name", ascending=False), "edcba"),
            (ModelOrder("attributes.name"), "abcde"),
            (ModelOrder("creation_timestamp_ms"), "abcde"),
            (ModelOrder("creation_time"), "abcde"),
            # The latest point counts; NaN comes behind the numbers, what is missing behind it.
            (ModelOrder("metrics.acc"), "eabcd"),
            (ModelOrder("metrics.acc", ascending=False), "baecd"),
            (ModelOrder("metrics.acc", dataset_name="train"), "bacde"),
            (ModelOrder("metrics.acc", dataset_name="train", ascending=False), "abcde"),
            (ModelOrder("metrics.acc", dataset_digest="d3"), "bacde"),
        ],
    )
    def test_order(self, services: Services, number: str, order: ModelOrder, found: str) -> None:
        by_name = ModelOrder("name")
        assert self.names(services, number, order_by=[order, by_name]) == found
        assert self.names(services, number, order_by=[order, order, by_name]) == found

    def test_the_newest_come_first_by_default(self, services: Services, number: str) -> None:
        page = services.logged_models.search([number])
        keys = [(-item.info.creation_timestamp_ms, item.info.model_id) for item in page]
        assert (len(keys), keys) == (5, sorted(keys))

    @pytest.mark.parametrize("name", ["", "none", "params.a", "metrics.", "tags.a", "name DESC"])
    def test_a_wrong_order_is_refused(self, services: Services, number: str, name: str) -> None:
        with pytest.raises(InvalidParameter, match="order by"):
            self.names(services, number, order_by=[ModelOrder(name)])
