"""The contract of the change feed: who changed what, in order."""

from __future__ import annotations

import time

import pytest

from mltrack_jupyter.entities import Change, RunStatus
from mltrack_jupyter.errors import InvalidParameter
from mltrack_jupyter.services import Services
from mltrack_jupyter.testing.making import NOW, new_experiment, new_model, new_run

SEEN_S = 2.0
"""For how long changes that newer ones say again are kept, in seconds."""


class TestChangeFeed:
    """Every write appends a change; the number of a change is never used again."""

    def since(self, services: Services, cursor: int, *ids: str) -> list[Change]:
        """Return the changes of some entities after a cursor."""
        found = services.workspace.changes(cursor, 10_000).changes
        return [change for change in found if change.entity_id in ids]

    def test_without_a_cursor_it_tells_only_where_it_ends(self, services: Services) -> None:
        new_experiment(services)
        end = services.workspace.changes()
        assert end.changes == []
        assert end.last > 0
        assert services.workspace.changes(end.last).changes == []

    def test_the_life_of_a_run(self, services: Services) -> None:
        number = new_experiment(services)
        cursor = services.workspace.changes().last
        run_id = new_run(services, number, metrics={"m": 1.0}).info.run_id
        services.runs.update(run_id, status=RunStatus.FINISHED)
        services.runs.delete(run_id)
        found = self.since(services, cursor, run_id)
        assert [change.action for change in found] == ["create", "log", "update", "delete"]
        assert {(change.entity, change.parent_id) for change in found} == {("run", number)}
        assert [change.seq for change in found] == sorted(change.seq for change in found)

    def test_many_points_are_soon_one_change(self, services: Services) -> None:
        run_id = new_run(services).info.run_id
        cursor = services.workspace.changes().last
        for step in range(20):
            services.runs.log_metric(run_id, "m", 1.0, NOW, step)
        # Whoever follows meanwhile finds no number missing, and takes nothing for lost.
        found = services.workspace.changes(cursor, 10_000)
        assert [change.seq for change in found.changes] == list(range(cursor + 1, found.last + 1))
        time.sleep(SEEN_S + 0.2)
        services.runs.log_metric(run_id, "m", 1.0, NOW, 20)
        assert len(self.since(services, cursor, run_id)) == 1

    def test_what_failed_is_no_change(self, services: Services) -> None:
        run_id = new_run(services, params={"a": "1"}).info.run_id
        cursor = services.workspace.changes().last
        with pytest.raises(InvalidParameter):
            services.runs.log_param(run_id, "a", "2")
        assert services.workspace.changes().last == cursor

    def test_the_registry_is_in_it(self, services: Services) -> None:
        cursor = services.workspace.changes().last
        name = new_model(services, versions=1)
        services.model_versions.transition_stage(name, "1", "Production")
        found = self.since(services, cursor, f"{name}/1")
        assert [(change.action, change.detail) for change in found] == [
            ("create", "None"),
            ("transition-stage", "Production"),
        ]
        assert {change.parent_id for change in found} == {name}

    def test_it_comes_in_parts(self, services: Services) -> None:
        cursor = services.workspace.changes().last
        made = [new_experiment(services) for _ in range(5)]
        seen: list[str] = []
        while True:
            part = services.workspace.changes(cursor, 2)
            if not part.changes:
                break
            seen += [change.entity_id for change in part.changes]
            cursor = part.last
        assert [item for item in seen if item in made] == made

    def test_the_store_says_who_it_is(self, services: Services) -> None:
        info = services.workspace.info()
        assert info.version
        assert info.schema_version
        assert services.workspace.server_info()["artifact_serving_enabled"] is True
