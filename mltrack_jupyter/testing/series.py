"""The contract of what the screens draw: metrics as lines, and statistics of columns."""

from __future__ import annotations

import math

import pytest

from mltrack_jupyter.entities import ColumnStats, Metric
from mltrack_jupyter.errors import InvalidParameter
from mltrack_jupyter.services import Services
from mltrack_jupyter.testing.making import NOW, new_experiment, new_run


def log(services: Services, run_id: str, key: str, values: list[float]) -> None:
    """Log one point a step."""
    points = [Metric(key, value, NOW + step, step) for step, value in enumerate(values)]
    services.runs.log_batch(run_id, metrics=points)


class TestSeries:
    """Metrics as lines, thinned where there are more points than can be drawn."""

    def test_a_short_line_is_whole(self, services: Services) -> None:
        run_id = new_run(services).info.run_id
        log(services, run_id, "loss", [3.0, 2.0, 1.5])
        (line,) = services.metrics.series([run_id], ["loss", "none"])
        assert (line.run_id, line.key, line.total, line.odd_total) == (run_id, "loss", 3, 0)
        assert (line.steps, line.values) == ([0, 1, 2], [3.0, 2.0, 1.5])
        assert line.timestamps == [NOW, NOW + 1, NOW + 2]

    @pytest.mark.parametrize("most", [2, 3, 10, 99])
    def test_a_long_line_keeps_its_ends_and_its_peak(self, services: Services, most: int) -> None:
        run_id = new_run(services).info.run_id
        values = [math.sin(step / 100) for step in range(1000)]
        values[400] = 1e300
        log(services, run_id, "m", values)
        (line,) = services.metrics.series([run_id], ["m"], most)
        assert (len(line.steps), len(line.values), line.total) == (most, most, 1000)
        assert (line.steps[0], line.steps[-1]) == (0, 999)
        assert line.steps == sorted(set(line.steps))
        assert [values[step] for step in line.steps] == line.values
        assert most < 3 or 400 in line.steps

    def test_what_is_no_number_is_told_beside_the_line(self, services: Services) -> None:
        run_id = new_run(services).info.run_id
        log(services, run_id, "m", [math.nan, 1.0, math.inf, 2.0, -math.inf])
        (line,) = services.metrics.series([run_id], ["m"], 2)
        assert (line.steps, line.values) == ([1, 3], [1.0, 2.0])
        assert (line.total, line.odd_total, line.odd_steps) == (5, 3, [0, 2])
        assert math.isnan(line.odd_values[0])
        assert line.odd_values[1] == math.inf

        log(services, run_id, "only", [math.nan])
        (line,) = services.metrics.series([run_id], ["only"])
        assert (line.steps, line.values, line.odd_total) == ([], [], 1)

    def test_without_steps_a_line_runs_over_time(self, services: Services) -> None:
        run_id = new_run(services).info.run_id
        points = [Metric("m", float(index == 7), NOW + index) for index in range(20)]
        services.runs.log_batch(run_id, metrics=points)
        (line,) = services.metrics.series([run_id], ["m"], 5)
        assert (line.timestamps[0], line.timestamps[-1]) == (NOW, NOW + 19)
        assert 1.0 in line.values

    def test_lines_come_in_the_order_of_runs_and_keys(self, services: Services) -> None:
        a, b = (new_run(services, metrics={"x": 1.0, "y": 2.0}).info.run_id for _ in range(2))
        for runs in ([a, b], [b, a]):
            for keys in (["x", "y"], ["y", "x"]):
                found = services.metrics.series([*runs, "0" * 32], keys)
                expected = [(run, key) for run in runs for key in keys]
                assert [(line.run_id, line.key) for line in found] == expected
        assert services.metrics.series([], ["x"]) == []

    @pytest.mark.parametrize(
        ("runs", "keys", "most"),
        [(1001, 1, 10), (1, 101, 10), (1, 1, 1), (1, 1, 10_001), (1000, 3, 1000)],
    )
    def test_it_has_bounds(self, services: Services, runs: int, keys: int, most: int) -> None:
        with pytest.raises(InvalidParameter):
            services.metrics.series(["x"] * runs, ["m"] * keys, most)


class TestColumns:
    """Statistics of the columns that a table of runs would have."""

    @pytest.fixture(scope="class")
    @classmethod
    def number(cls, services: Services) -> str:
        """Make an experiment with three runs, and a deleted one."""
        number = new_experiment(services)
        values = [("3", "a", 0.5, 1.0), ("12", "b", math.nan, 1.0), ("nan", "a", -math.inf, 1.0)]
        for depth, kind, acc, same in values:
            new_run(
                services, number, params={"depth": depth, "kind": kind},
                metrics={"acc": acc, "same": same}, tags={"mlflow.source.name": "x", "mlflow.u": "y"},
            )  # fmt: skip
        new_run(services, number, metrics={"gone": 1.0})
        deleted = services.runs.search([number], "metrics.gone > 0").items[0].info.run_id
        services.runs.delete(deleted)
        return number

    def test_each_column_is_described(self, services: Services, number: str) -> None:
        found = services.runs.columns([number])
        assert found.total == 3
        assert found.columns == [
            ColumnStats(kind="param", key="depth", count=3, distinct=3, varying=True, min=3.0,
                        max=12.0, categories=["12", "3", "nan"]),
            ColumnStats(kind="param", key="kind", count=3, distinct=2, varying=True,
                        categories=["a", "b"]),
            ColumnStats(kind="metric", key="acc", count=3, distinct=3, varying=True, min=0.5, max=0.5),
            ColumnStats(kind="metric", key="same", count=3, distinct=1, varying=False, min=1.0,
                        max=1.0),
            ColumnStats(kind="tag", key="mlflow.source.name", count=3, distinct=1, varying=False,
                        categories=["x"]),
        ]  # fmt: skip

    def test_of_the_runs_that_match(self, services: Services, number: str) -> None:
        found = services.runs.columns([number], "params.kind = 'a'", max_categories=1)
        assert found.total == 2
        depth, kind = (item for item in found.columns if item.kind == "param")
        assert (depth.distinct, depth.categories, depth.max) == (2, [], 3.0)
        assert (kind.varying, kind.categories) == (False, ["a"])

    def test_a_column_that_some_lack_varies(self, services: Services) -> None:
        number = new_experiment(services)
        new_run(services, number, metrics={"m": 1.0})
        new_run(services, number)
        (column,) = services.runs.columns([number]).columns
        assert (column.count, column.distinct, column.varying) == (1, 1, True)

    def test_it_has_bounds(self, services: Services) -> None:
        assert services.runs.columns([]).columns == []
        for most in (-1, 1001):
            with pytest.raises(InvalidParameter, match="max_categories"):
                services.runs.columns(max_categories=most)
