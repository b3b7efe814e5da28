"""The contract of points that are alike: each that was logged is kept, and keeps its time."""

from __future__ import annotations

import math

import pytest

from mltrack_jupyter.entities import Metric, Points, RunEntry
from mltrack_jupyter.errors import InvalidParameter
from mltrack_jupyter.services import Services
from mltrack_jupyter.testing.journals import new_id
from mltrack_jupyter.testing.making import NOW, new_run


class TestAlike:
    """Points that are alike in key, step and time: each is one, and keeps its time."""

    def log(
        self, services: Services, run_id: str, journal: str, since: int, *points: float
    ) -> None:
        """Hand over points of one step and time."""
        count = len(points)
        found = Points(key="m", steps=[3] * count, timestamps=[NOW] * count, values=list(points))
        entry = RunEntry(run_id=run_id, points=[found])
        services.journals.append(journal, since, since + count, [entry])

    def told(self, services: Services, run_id: str) -> list[tuple[int, float]]:
        """Return the ordinals and values of the points, which all have the same time."""
        found = services.metrics.history(run_id, "m").items
        assert {(point.step, point.timestamp) for point in found} <= {(3, NOW)}
        return [(point.ordinal, point.value) for point in found]

    def test_each_is_kept_in_the_order_in_which_it_was_logged(self, services: Services) -> None:
        run_id, journal = new_run(services).info.run_id, new_id()
        self.log(services, run_id, journal, 0, 0.5, 0.5, 0.25)
        self.log(services, run_id, journal, 3, 0.5, 1.0, 0.0)
        expected = [(0, 0.5), (1, 0.5), (2, 0.25), (3, 0.5), (4, 1.0), (5, 0.0)]
        assert self.told(services, run_id) == expected
        (latest,) = services.runs.get(run_id).data.metric_list
        assert latest == Metric("m", 0.0, NOW, 3, ordinal=5)

    def test_every_answer_has_all_of_them(self, services: Services) -> None:
        run_id = new_run(services).info.run_id
        self.log(services, run_id, new_id(), 0, 0.5, 0.5, 0.25)
        columns = services.metrics.columns(run_id, "m")
        assert columns == Points(
            key="m",
            steps=[3] * 3,
            timestamps=[NOW] * 3,
            values=[0.5, 0.5, 0.25],
            ordinals=[0, 1, 2],
        )
        page = services.metrics.history(run_id, "m", max_results=2)
        rest = services.metrics.history(run_id, "m", page.next_page_token)
        assert [point.ordinal for point in (*page, *rest)] == [0, 1, 2]
        interval = services.metrics.history_bulk_interval([run_id], "m")
        assert [(point.ordinal, point.value) for point in interval] == [
            (0, 0.5),
            (1, 0.5),
            (2, 0.25),
        ]
        (line,) = services.metrics.series([run_id], ["m"])
        assert (line.total, line.timestamps, line.values) == (3, [NOW] * 3, [0.5, 0.5, 0.25])

    def test_a_batch_that_comes_again_changes_nothing(self, services: Services) -> None:
        run_id, journal = new_run(services).info.run_id, new_id()
        for _ in range(3):
            self.log(services, run_id, journal, 0, 0.5, 0.5)
        assert self.told(services, run_id) == [(0, 0.5), (1, 0.5)]

    def test_several_journals_of_one_metric(self, services: Services) -> None:
        run_id, journals = new_run(services).info.run_id, [new_id() for _ in range(3)]
        for since in (0, 2):
            for journal in journals:
                self.log(services, run_id, journal, since, 1.0, 1.0)
        assert self.told(services, run_id) == [(ordinal, 1.0) for ordinal in range(12)]

    def test_not_a_number(self, services: Services) -> None:
        run_id = new_run(services).info.run_id
        self.log(services, run_id, new_id(), 0, *[math.nan] * 4)
        assert [ordinal for ordinal, _ in self.told(services, run_id)] == [0, 1, 2, 3]
        assert math.isnan(services.runs.get(run_id).data.metrics["m"])

    @pytest.mark.parametrize("together", [True, False])
    def test_out_of_order(self, services: Services, together: bool) -> None:
        run_id, journal = new_run(services).info.run_id, new_id()
        steps = [3, 1, 3, 2, 1, 3, 2, 5, 1]
        for place in range(0, len(steps), len(steps) if together else 2):
            part = steps if together else steps[place : place + 2]
            found = Points(
                key="m", steps=part, timestamps=[NOW] * len(part), values=[place + 0.5] * len(part)
            )
            entry = RunEntry(run_id=run_id, points=[found])
            services.journals.append(journal, place, place + len(part), [entry])
        assert [(p.step, p.ordinal) for p in services.metrics.history(run_id, "m")] == [
            (1, 0), (1, 1), (1, 2), (2, 0), (2, 1), (3, 0), (3, 1), (3, 2), (5, 0),
        ]  # fmt: skip
        assert services.runs.get(run_id).data.metric_list[0].step == 5

    def test_beside_points_of_the_wire(self, services: Services) -> None:
        run_id = new_run(services).info.run_id
        for _ in range(2):  # a client sends again what was not answered
            services.runs.log_batch(run_id, [Metric("m", 0.5, NOW, 3), Metric("m", 2.0, NOW, 3)])
            services.runs.log_metric(run_id, "m", 0.5, NOW, 3, ordinal=7)
        self.log(services, run_id, new_id(), 0, 0.5)
        assert self.told(services, run_id) == [(0, 0.5), (0, 2.0), (7, 0.5), (8, 0.5)]

    @pytest.mark.parametrize("ordinal", [-1, 2**31])
    def test_an_ordinal_is_a_small_number(self, services: Services, ordinal: int) -> None:
        run_id = new_run(services).info.run_id
        with pytest.raises(InvalidParameter, match="ordinal"):
            services.runs.log_batch(run_id, [Metric("m", 1.0, NOW, ordinal=ordinal)])
        assert services.runs.get(run_id).data.metrics == {}
