"""The contract of experiments."""

from __future__ import annotations

import pytest

from mltrack_jupyter.entities import Tag, ViewType
from mltrack_jupyter.errors import AlreadyExists, BadRequest, InvalidParameter, NotFound
from mltrack_jupyter.services import Services
from mltrack_jupyter.testing.making import new_experiment, new_run, unique


class TestExperiments:
    """Experiments are named groups of runs; a name stays taken in the trash."""

    def test_the_default_experiment_has_the_id_0(self, services: Services) -> None:
        assert services.experiments.get("0").name == "Default"

    def test_a_new_experiment_is_found_by_id_and_by_name(self, services: Services) -> None:
        name = unique("churn, Kündigung 🚀")
        number = services.experiments.create(name, tags=[Tag("team", "blue")])

        found = services.experiments.get(number)
        assert found == services.experiments.get_by_name(name)
        assert (found.name, found.lifecycle_stage) == (name, "active")
        assert found.tags == {"team": "blue"}
        assert found.artifact_location == f"mlflow-artifacts:/{number}"
        assert found.creation_time == found.last_update_time > 0

    def test_what_is_not_there_is_not_found(self, services: Services) -> None:
        for number in ("987654321", "-1", "9" * 30):
            with pytest.raises(NotFound, match=number):
                services.experiments.get(number)
        with pytest.raises(NotFound, match="Could not find experiment with name"):
            services.experiments.get_by_name(unique())

    @pytest.mark.parametrize("number", ["x", "1.5", "²", " 1"])
    def test_an_id_is_a_decimal_number(self, services: Services, number: str) -> None:
        with pytest.raises(InvalidParameter, match="experiment_id"):
            services.experiments.get(number)

    def test_a_tag_has_one_value(self, services: Services) -> None:
        with pytest.raises(BadRequest, match="same key"):
            services.experiments.create(unique(), tags=[Tag("a", "1"), Tag("a", "2")])

    def test_fifty_views_of_mlflow_s_pages(self, services: Services) -> None:
        number = new_experiment(services)
        for index in range(50):
            services.experiments.set_tag(number, f"mlflow.customView.view{index}", "{}")
        services.experiments.set_tag(number, "mlflow.customView.view7", "again")
        with pytest.raises(InvalidParameter, match="at most 50"):
            services.experiments.set_tag(number, "mlflow.customView.view50", "{}")

    @pytest.mark.parametrize("name", ["", "   ", "x" * 501, "nul\x00"])
    def test_a_name_is_neither_blank_nor_endless(self, services: Services, name: str) -> None:
        with pytest.raises(InvalidParameter):
            services.experiments.create(name)

    def test_a_name_is_taken_once_also_in_the_trash(self, services: Services) -> None:
        name = unique()
        number = services.experiments.create(name)
        with pytest.raises(AlreadyExists, match="already exists"):
            services.experiments.create(name)
        services.experiments.delete(number)
        with pytest.raises(AlreadyExists, match="restore"):
            services.experiments.create(name)

    def test_names_tell_upper_from_lower_case(self, services: Services) -> None:
        name = unique("case")
        first = services.experiments.create(name)
        assert services.experiments.create(name.upper()) != first

    def test_it_can_be_renamed_but_not_onto_another(self, services: Services) -> None:
        number, other = new_experiment(services), new_experiment(services)
        name = unique("renamed")
        services.experiments.update(number, name)
        assert services.experiments.get(number).name == name

        taken = services.experiments.get(other).name
        with pytest.raises(BadRequest, match="already exists"):
            services.experiments.update(number, taken)
        assert services.experiments.get(number).name == name

    def test_deleting_takes_the_runs_along_and_restoring_brings_them_back(
        self, services: Services
    ) -> None:
        run = new_run(services)
        number = run.info.experiment_id
        services.experiments.delete(number)
        assert services.experiments.get(number).lifecycle_stage == "deleted"
        assert services.runs.get(run.info.run_id).info.lifecycle_stage == "deleted"

        services.experiments.restore(number)
        assert services.experiments.get(number).lifecycle_stage == "active"
        assert services.runs.get(run.info.run_id).info.lifecycle_stage == "active"

    def test_deleting_twice_or_restoring_what_is_active_is_an_error(
        self, services: Services
    ) -> None:
        number = new_experiment(services)
        with pytest.raises(NotFound):
            services.experiments.restore(number)
        services.experiments.delete(number)
        with pytest.raises(NotFound):
            services.experiments.delete(number)

    def test_a_deleted_one_is_not_written_to(self, services: Services) -> None:
        number = new_experiment(services)
        services.experiments.delete(number)
        for write in (
            lambda: services.runs.create(experiment_id=number),
            lambda: services.experiments.set_tag(number, "a", "b"),
            lambda: services.experiments.update(number, unique()),
            lambda: services.logged_models.create(number),
        ):
            with pytest.raises(InvalidParameter, match="active"):
                write()

    def test_tags_are_set_replaced_and_removed(self, services: Services) -> None:
        number = new_experiment(services)
        services.experiments.set_tag(number, "stage", "draft")
        services.experiments.set_tag(number, "stage", "final")
        services.experiments.set_tag(number, "empty")
        assert services.experiments.get(number).tags == {"stage": "final", "empty": ""}

        services.experiments.delete_tag(number, "stage")
        assert services.experiments.get(number).tags == {"empty": ""}
        with pytest.raises(NotFound, match="No tag"):
            services.experiments.delete_tag(number, "stage")

    def test_a_tag_value_of_20001_characters_is_refused(self, services: Services) -> None:
        number = new_experiment(services)
        services.experiments.set_tag(number, "note", "x" * 20_000)
        with pytest.raises(InvalidParameter, match="20000"):
            services.experiments.set_tag(number, "note", "x" * 20_001)

    @pytest.mark.parametrize(
        "location",
        [
            "http:///#/../../etc/",
            "mlflow-artifacts:/x/../../etc",
            "mlflow-artifacts:/x;a=/../etc",
            "mlflow-artifacts://127.0.0.1:9/x",
            "mlflow-artifacts:/",
            "mlflow-artifacts:/x?y=1",
            "dbfs:/../../etc",
            "https://example.com/x",
            "javascript:alert(1)",
            "file:///tmp/%2e%2e/etc",
            "s3://bucket/../other",
            "mlflow-artifacts:/x\ny",
        ],
    )
    def test_an_artifact_location_leads_nowhere_else(
        self, services: Services, location: str
    ) -> None:
        with pytest.raises(InvalidParameter):
            services.experiments.create(unique(), location)

    def test_an_artifact_location_is_the_root_of_its_runs(self, services: Services) -> None:
        place = f"mlflow-artifacts:/{unique('shared')}"
        number = services.experiments.create(unique(), place)
        run = new_run(services, number)
        assert run.info.artifact_uri == f"{place}/{run.info.run_id}/artifacts"


class TestExperimentSearch:
    """Searching experiments."""

    @pytest.fixture
    def prefix(self, services: Services) -> str:
        """Make three experiments: a and b, and c in the trash."""
        prefix = unique("search")
        for letter in "abc":
            services.experiments.create(f"{prefix}-{letter}", tags=[Tag("letter", letter)])
        services.experiments.delete(services.experiments.get_by_name(f"{prefix}-c").experiment_id)
        return prefix

    def names(
        self, services: Services, filter: str, view: ViewType = ViewType.ACTIVE_ONLY
    ) -> list[str]:
        """Return the last letters of the names that match, by name."""
        page = services.experiments.search(100, filter=filter, order_by=["name"], view_type=view)
        return [item.name[-1] for item in page]

    def test_by_name_and_view(self, services: Services, prefix: str) -> None:
        like = f"name LIKE '{prefix}%'"
        assert self.names(services, like) == ["a", "b"]
        assert self.names(services, like, ViewType.DELETED_ONLY) == ["c"]
        assert self.names(services, like, ViewType.ALL) == ["a", "b", "c"]
        assert self.names(services, f"name = '{prefix}-b'") == ["b"]
        assert self.names(services, f"{like} AND name != '{prefix}-b'") == ["a"]
        assert self.names(services, f"name ILIKE '{prefix.upper()}%'") == ["a", "b"]
        assert self.names(services, f"name LIKE '{prefix.upper()}%'") == []

    def test_by_tag_and_id(self, services: Services, prefix: str) -> None:
        like = f"name LIKE '{prefix}%'"
        number = services.experiments.get_by_name(f"{prefix}-a").experiment_id
        assert self.names(services, f"{like} AND tags.letter = 'a'") == ["a"]
        assert self.names(services, f"{like} AND tag.letter IS NULL") == []
        assert self.names(services, f"experiment_id = '{number}'") == ["a"]
        assert self.names(services, f"{like} AND experiment_id NOT IN ('{number}')") == ["b"]
        assert self.names(services, f"{like} AND attribute.creation_time > 0") == ["a", "b"]
        for odd in ("²", "abc", ""):
            with pytest.raises(InvalidParameter, match="experiment_id"):
                self.names(services, f"experiment_id = '{odd}'")
        assert self.names(services, f"experiment_id = '{'9' * 40}'") == []

    def test_pages(self, services: Services, prefix: str) -> None:
        like = f"name LIKE '{prefix}%'"
        first = services.experiments.search(1, filter=like, order_by=["name DESC"])
        assert [item.name[-1] for item in first] == ["b"]
        second = services.experiments.search(
            1, first.next_page_token, filter=like, order_by=["name DESC"]
        )
        assert [item.name[-1] for item in second] == ["a"]
        assert second.next_page_token == ""

    @pytest.mark.parametrize(
        ("filter", "order"),
        [
            ("creation_time > 1.5", "name"),
            ("   ", "name"),
            ("name = 'a'", "tags.letter"),
            ("name = 'a'", "name "),
            ("name = 'a'", "experiment_id FOO"),
        ],
    )
    def test_what_cannot_be_asked(self, services: Services, filter: str, order: str) -> None:
        with pytest.raises(InvalidParameter, match="Invalid filter or order"):
            services.experiments.search(10, filter=filter, order_by=[order])

    @pytest.mark.parametrize("size", [0, -1, 50_001])
    def test_the_size_of_a_page_has_bounds(self, services: Services, size: int) -> None:
        with pytest.raises(InvalidParameter, match="max_results"):
            services.experiments.search(size)
