"""The contract of run tables: runs as columns, for the screens."""

from __future__ import annotations

import math

import pytest

from mltrack_jupyter.errors import InvalidParameter
from mltrack_jupyter.services import Services
from mltrack_jupyter.testing.making import NOW, new_experiment, new_run


class TestTable:
    """Runs as parallel arrays."""

    @pytest.fixture(scope="class")
    @classmethod
    def number(cls, services: Services) -> str:
        """Make an experiment with two runs, ``b`` the newer."""
        number = new_experiment(services)
        new_run(
            services, number, name="a", start=NOW, params={"depth": "3"},
            metrics={"acc": math.nan}, tags={"team": "red", "mlflow.source.git.commit": "abc"},
        )  # fmt: skip
        new_run(services, number, name="b", start=NOW + 1, metrics={"acc": 0.5, "loss": math.inf})
        return number

    def test_one_array_a_column(self, services: Services, number: str) -> None:
        table = services.runs.table([number])
        assert table.run_names == ["b", "a"]
        assert table.statuses == ["RUNNING", "RUNNING"]
        assert table.start_times == [NOW + 1, NOW]
        assert table.end_times == [None, None]
        assert table.experiment_ids == [number, number]
        assert (table.total, table.next_page_token) == (2, "")
        columns = {(item.kind, item.key): item.values for item in table.columns}
        assert columns["param", "depth"] == [None, "3"]
        assert columns["metric", "loss"] == [math.inf, None]
        assert columns["metric", "acc"][0] == 0.5
        assert isinstance(columns["metric", "acc"][1], float)
        assert math.isnan(columns["metric", "acc"][1])
        # System tags are left out unless they are asked for.
        assert list(columns) == [
            ("param", "depth"), ("metric", "acc"), ("metric", "loss"), ("tag", "team"),
        ]  # fmt: skip

    def test_only_the_columns_that_are_asked_for(self, services: Services, number: str) -> None:
        wanted = ["metrics.acc", "tags.mlflow.source.git.commit", "params.none"]
        table = services.runs.table([number], columns=wanted)
        assert [item.key for item in table.columns] == ["acc", "mlflow.source.git.commit"]
        assert services.runs.table([number], columns=[]).columns == []

    def test_filtered_ordered_and_paged(self, services: Services, number: str) -> None:
        table = services.runs.table([number], order_by=["start_time"], max_results=1)
        assert (table.run_names, table.total) == (["a"], 2)
        rest = services.runs.table(
            [number], order_by=["start_time"], max_results=1, page_token=table.next_page_token
        )
        assert (rest.run_names, rest.next_page_token) == (["b"], "")
        assert services.runs.table([number], filter="metrics.acc > 0").total == 1

    def test_runs_by_id_come_in_the_order_asked_for(self, services: Services, number: str) -> None:
        b, a = services.runs.table([number]).run_ids
        for ids in ([a, b], [b, a]):
            assert services.runs.table(run_ids=ids).run_ids == ids
        assert services.runs.table(run_ids=["none", a]).run_ids == [a]
        assert services.runs.table(run_ids=[]).run_ids == []

    def test_deleted_runs_are_left_out(self, services: Services) -> None:
        number = new_experiment(services)
        run_id = new_run(services, number).info.run_id
        services.runs.delete(run_id)
        assert services.runs.table([number]).total == 0
        assert services.runs.table(run_ids=[run_id]).run_ids == []

    def test_it_has_bounds(self, services: Services) -> None:
        with pytest.raises(InvalidParameter, match="run_ids"):
            services.runs.table(run_ids=["x"] * 50_001)
        with pytest.raises(InvalidParameter, match="max_results"):
            services.runs.table(max_results=0)
