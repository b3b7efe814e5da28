"""The contract of metrics: every point is kept, with every bit of its value."""

from __future__ import annotations

import itertools
import math
import struct

import pytest

from mltrack_jupyter.entities import Metric, Points
from mltrack_jupyter.errors import InvalidParameter
from mltrack_jupyter.services import Services
from mltrack_jupyter.testing.making import NOW, new_run


def bits(value: float) -> bytes:
    """Return the eight bytes of a float; NaN and -0.0 can be compared by them."""
    return struct.pack("<d", value)


class TestMetrics:
    """Points of metrics, and which of them is the latest."""

    @pytest.mark.parametrize(
        "value",
        [0.0, -0.0, 0.1, 1e-300, 5e-324, 1.7976931348623157e308, math.pi, math.inf, -math.inf],
    )
    def test_a_value_keeps_its_eight_bytes(self, services: Services, value: float) -> None:
        run = new_run(services, metrics={"m": value})
        assert bits(run.data.metrics["m"]) == bits(value)
        (point,) = services.metrics.history(run.info.run_id, "m")
        assert bits(point.value) == bits(value)

    def test_nan_is_kept(self, services: Services) -> None:
        run = new_run(services, metrics={"m": math.nan})
        assert math.isnan(run.data.metrics["m"])
        (point,) = services.metrics.history(run.info.run_id, "m")
        assert math.isnan(point.value)

    @pytest.mark.parametrize("number", [0, -1, -(2**63), 2**53 + 1, 2**63 - 1])
    def test_a_step_has_64_bits(self, services: Services, number: int) -> None:
        run_id = new_run(services).info.run_id
        time = max(number, 0)
        services.runs.log_metric(run_id, "m", 1.0, time, number)
        (point,) = services.metrics.history(run_id, "m")
        assert (point.step, point.timestamp) == (number, time)

    @pytest.mark.parametrize(
        ("timestamp", "step"), [(-1, 0), (2**63, 0), (0, 2**63), (0, -(2**63) - 1)]
    )
    def test_a_step_or_time_beyond_is_refused(
        self, services: Services, timestamp: int, step: int
    ) -> None:
        run_id = new_run(services).info.run_id
        with pytest.raises(InvalidParameter):
            services.runs.log_metric(run_id, "m", 1.0, timestamp, step)
        with pytest.raises(InvalidParameter):
            services.runs.log_batch(run_id, metrics=[Metric("m", 1.0, timestamp, step)])
        assert services.runs.get(run_id).data.metrics == {}

    @pytest.mark.parametrize(
        ("points", "latest"),
        [
            # Each point is a step, a time and a value.
            ([(0, 1, 0.1), (1, 1, 0.2)], 0.2),
            ([(5, 1, 0.5), (1, 9, 0.1)], 0.5),
            ([(1, 9, 0.9), (1, 3, 0.3)], 0.9),
            ([(1, 1, 0.7), (1, 1, 0.9), (1, 1, 0.8)], 0.9),
            ([(1, 1, -1.0), (1, 1, -2.0)], -1.0),
        ],
    )
    @pytest.mark.parametrize("together", [True, False])
    def test_the_latest_has_the_greatest_step_then_time_then_value(
        self,
        services: Services,
        points: list[tuple[int, int, float]],
        latest: float,
        together: bool,
    ) -> None:
        run_id = new_run(services).info.run_id
        made = [Metric("m", value, timestamp, step) for step, timestamp, value in points]
        for batch in [made] if together else [[point] for point in made]:
            services.runs.log_batch(run_id, metrics=batch)
        (found,) = services.runs.get(run_id).data.metric_list
        assert found.value == latest
        assert (found.step, found.timestamp, found.value) == max(points)

    def test_an_exact_repetition_is_stored_once(self, services: Services) -> None:
        run_id = new_run(services).info.run_id
        for value in (1.0, 1.0, math.nan, math.nan, 2.0):
            services.runs.log_metric(run_id, "m", value, NOW, 3)
        services.runs.log_batch(run_id, metrics=[Metric("m", 1.0, NOW, 3)] * 5)
        assert len(services.metrics.history(run_id, "m")) == 3

    def test_a_history_comes_by_time_step_and_value(self, services: Services) -> None:
        run_id = new_run(services).info.run_id
        points = [(2, 0, 1.0), (1, 5, 1.0), (1, 4, 9.0), (1, 4, -9.0), (1, 4, -1.0)]
        services.runs.log_batch(
            run_id, metrics=[Metric("m", value, time, step) for time, step, value in points]
        )
        found = services.metrics.history(run_id, "m")
        assert [(p.timestamp, p.step, p.value) for p in found] == sorted(points)

    def test_a_history_comes_as_columns(self, services: Services) -> None:
        run_id = new_run(services).info.run_id
        points = [(2, 0, math.inf), (1, 5, -1.0), (1, 4, 9.0), (1, 4, -0.0), (3, 6, 0.1)]
        services.runs.log_batch(
            run_id, metrics=[Metric("m", value, time, step) for time, step, value in points]
        )
        found = services.metrics.columns(run_id, "m")
        rows = zip(found.timestamps, found.steps, found.values, strict=True)
        assert (found.key, list(rows)) == ("m", sorted(points))
        services.runs.log_metric(run_id, "m", math.nan, 9, 9)
        assert math.isnan(services.metrics.columns(run_id, "m").values[-1])
        for run, key in ((run_id, "other"), ("0" * 32, "m")):
            assert services.metrics.columns(run, key) == Points(
                key=key, steps=[], timestamps=[], values=[]
            )

    def test_a_history_comes_in_pages(self, services: Services) -> None:
        run_id = new_run(services).info.run_id
        services.runs.log_batch(run_id, metrics=[Metric("m", 0.5, NOW, i) for i in range(7)])
        steps: list[int] = []
        token, sizes = "", []
        while True:
            page = services.metrics.history(run_id, "m", token, 3)
            steps += [point.step for point in page]
            sizes.append(len(page))
            token = page.next_page_token
            if not token:
                break
        assert (steps, sizes) == (list(range(7)), [3, 3, 1])
        assert len(services.metrics.history(run_id, "m")) == 7

    def test_what_was_never_logged_has_an_empty_history(self, services: Services) -> None:
        run_id = new_run(services, metrics={"m": 1.0}).info.run_id
        assert services.metrics.history(run_id, "other").items == []
        assert services.metrics.history("0" * 32, "m").items == []
        with pytest.raises(InvalidParameter, match="max_results"):
            services.metrics.history(run_id, "m", max_results=0)


class TestIntervals:
    """A metric of several runs by step, with a bound on the points of each."""

    @pytest.fixture(scope="class")
    @classmethod
    def run_id(cls, services: Services) -> str:
        """Make a run with twenty points."""
        run_id = new_run(services).info.run_id
        points = [Metric("m", step / 2, NOW - step, step) for step in range(20)]
        services.runs.log_batch(run_id, metrics=points)
        return run_id

    @pytest.mark.parametrize("most", [2, 3, 7, 19])
    def test_points_are_evenly_spread_with_the_first_and_the_last(
        self, services: Services, run_id: str, most: int
    ) -> None:
        found = services.metrics.history_bulk_interval([run_id], "m", max_results=most)
        steps = [point.step for point in found]
        assert (len(steps), steps[0], steps[-1]) == (most, 0, 19)
        gaps = [after - before for before, after in itertools.pairwise(steps[:-1])]
        assert max(gaps, default=0) - min(gaps, default=0) <= 1

    def test_of_one_point_it_is_the_last(self, services: Services, run_id: str) -> None:
        (point,) = services.metrics.history_bulk_interval([run_id], "m", max_results=1)
        assert (point.step, point.value, point.run_id) == (19, 9.5, run_id)

    def test_between_two_steps(self, services: Services, run_id: str) -> None:
        found = services.metrics.history_bulk_interval([run_id], "m", 5, 7)
        assert [point.step for point in found] == [5, 6, 7]

    def test_several_runs_come_one_after_the_other(self, services: Services, run_id: str) -> None:
        other = new_run(services, metrics={"m": math.nan}).info.run_id
        found = services.metrics.history_bulk_interval([other, "0" * 32, run_id], "m")
        assert [point.run_id for point in found] == [other] + [run_id] * 20
        assert math.isnan(found[0].value)
        assert services.metrics.history_bulk_interval([run_id], "other") == []

    @pytest.mark.parametrize(
        ("runs", "start", "end", "most"),
        [(0, None, None, 9), (101, None, None, 9), (1, 1, None, 9), (1, None, 1, 9), (1, 2, 1, 9),
         (1, None, None, 0), (1, None, None, 2501)],
    )  # fmt: skip
    def test_it_has_bounds(
        self, services: Services, runs: int, start: int | None, end: int | None, most: int
    ) -> None:
        with pytest.raises(InvalidParameter):
            services.metrics.history_bulk_interval(["x"] * runs, "m", start, end, most)


class TestBulkHistories:
    """A metric of several runs with every point of it, up to a number of points."""

    def test_runs_come_by_their_ids_each_with_its_history(self, services: Services) -> None:
        one, other = (new_run(services).info.run_id for _ in range(2))
        for number, run_id in enumerate((one, other)):
            points = [Metric("m", step + number, NOW - step, step) for step in range(3)]
            services.runs.log_batch(run_id, metrics=points)
        found = services.metrics.history_bulk([one, "0" * 32, other, one], "m")
        assert [point.run_id for point in found] == sorted([one, other] * 3)
        for run_id in (one, other):
            mine = [(point.step, point.value) for point in found if point.run_id == run_id]
            alone = services.metrics.history(run_id, "m").items
            assert mine == [(point.step, point.value) for point in alone]
        assert services.metrics.history_bulk([one, other], "m", 4) == found[:4]
        assert services.metrics.history_bulk([one], "other") == []

    @pytest.mark.parametrize(
        ("runs", "key", "most"), [(0, "m", 9), (101, "m", 9), (1, "", 9), (1, "m", 0), (1, "m", -1)]
    )
    def test_it_has_bounds(self, services: Services, runs: int, key: str, most: int) -> None:
        with pytest.raises(InvalidParameter):
            services.metrics.history_bulk(["x"] * runs, key, most)
