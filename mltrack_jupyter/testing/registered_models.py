"""The contract of registered models: names, tags, aliases."""

from __future__ import annotations

import pytest

from mltrack_jupyter.entities import Tag
from mltrack_jupyter.errors import AlreadyExists, InvalidParameter, NotFound
from mltrack_jupyter.services import Services
from mltrack_jupyter.testing.making import new_model, unique


class TestRegisteredModels:
    """A registered model is a unique name with versions."""

    def test_a_new_one(self, services: Services) -> None:
        name = unique("Kündigung v2 @ home")
        made = services.registered_models.create(
            name, tags=[Tag("a", "1"), Tag("a", "2")], description="predicts"
        )
        assert made == services.registered_models.get(name)
        assert (made.name, made.description, made.tags) == (name, "predicts", {"a": "2"})
        assert (made.latest_versions, made.aliases) == ([], {})
        assert made.creation_timestamp == made.last_updated_timestamp > 0

    def test_a_name_is_taken_once(self, services: Services) -> None:
        name = new_model(services)
        with pytest.raises(AlreadyExists, match="already exists"):
            services.registered_models.create(name)

    @pytest.mark.parametrize(
        "name", ["", " ", "a/b", "a:b", ".", "..", "a%2fb", "a%2Fb", "x" * 257, "a\x00b", "a\nb"]
    )
    def test_a_name_fits_into_a_model_uri(self, services: Services, name: str) -> None:
        with pytest.raises(InvalidParameter):
            services.registered_models.create(name)

    def test_what_is_not_there_is_not_found(self, services: Services) -> None:
        name = unique()
        for call in (
            lambda: services.registered_models.get(name),
            lambda: services.registered_models.update(name, "x"),
            lambda: services.registered_models.rename(name, unique()),
            lambda: services.registered_models.delete(name),
            lambda: services.registered_models.set_tag(name, "a", "b"),
            lambda: services.registered_models.delete_tag(name, "a"),
            lambda: services.registered_models.get_latest_versions(name),
            lambda: services.registered_models.get_by_alias(name, "a"),
            lambda: services.registered_models.delete_alias(name, "a"),
            lambda: services.model_versions.get(name, "1"),
            lambda: services.model_versions.create(name, "s3://bucket/model"),
        ):
            with pytest.raises(NotFound, match="not found"):
                call()

    def test_renaming_keeps_everything(self, services: Services) -> None:
        old, new = new_model(services, versions=2), unique("renamed")
        services.registered_models.set_tag(old, "team", "red")
        services.registered_models.set_alias(old, "champion", "1")
        services.model_versions.set_tag(old, "1", "checked", "yes")

        services.registered_models.rename(old, new)
        found = services.registered_models.get(new)
        assert (found.tags, found.aliases) == ({"team": "red"}, {"champion": "1"})
        assert services.registered_models.get_by_alias(new, "champion").tags == {"checked": "yes"}
        with pytest.raises(NotFound):
            services.registered_models.get(old)

    def test_it_is_not_renamed_onto_another(self, services: Services) -> None:
        one, two = new_model(services), new_model(services)
        with pytest.raises(AlreadyExists):
            services.registered_models.rename(one, two)
        assert services.registered_models.rename(one, one).name == one

    def test_describing(self, services: Services) -> None:
        name = new_model(services)
        assert services.registered_models.update(name, "good").description == "good"
        assert services.registered_models.update(name).description == ""

    def test_deleting_takes_everything_along(self, services: Services) -> None:
        name = new_model(services, versions=2)
        services.registered_models.set_alias(name, "champion", "2")
        services.registered_models.delete(name)
        with pytest.raises(NotFound):
            services.model_versions.get(name, "1")
        services.registered_models.create(name)
        assert services.registered_models.get(name).aliases == {}
        assert services.model_versions.create(name, "s3://b/m").version == "1"

    def test_tags(self, services: Services) -> None:
        name = new_model(services)
        services.registered_models.set_tag(name, "a", "1")
        services.registered_models.set_tag(name, "a", "2")
        services.registered_models.delete_tag(name, "absent")
        assert services.registered_models.get(name).tags == {"a": "2"}
        services.registered_models.delete_tag(name, "a")
        assert services.registered_models.get(name).tags == {}
        with pytest.raises(InvalidParameter, match="100000"):
            services.registered_models.set_tag(name, "a", "x" * 100_001)


class TestAliases:
    """An alias points at one version."""

    def test_it_moves(self, services: Services) -> None:
        name = new_model(services, versions=2)
        services.registered_models.set_alias(name, "champion", "1")
        services.registered_models.set_alias(name, "fallback", "1")
        services.registered_models.set_alias(name, "champion", "2")
        assert services.registered_models.get(name).aliases == {"champion": "2", "fallback": "1"}
        found = services.registered_models.get_by_alias(name, "champion")
        assert (found.version, found.aliases) == ("2", ["champion"])

    def test_it_can_be_removed_and_then_is_a_mistake(self, services: Services) -> None:
        name = new_model(services, versions=1)
        services.registered_models.set_alias(name, "champion", "1")
        services.registered_models.delete_alias(name, "champion")
        services.registered_models.delete_alias(name, "champion")
        with pytest.raises(InvalidParameter, match="alias champion not found"):
            services.registered_models.get_by_alias(name, "champion")

    def test_latest_is_the_newest_version(self, services: Services) -> None:
        name = new_model(services, versions=3)
        assert services.registered_models.get_by_alias(name, "latest").version == "3"

    def test_it_goes_with_its_version(self, services: Services) -> None:
        name = new_model(services, versions=2)
        services.registered_models.set_alias(name, "champion", "2")
        services.model_versions.delete(name, "2")
        assert services.registered_models.get(name).aliases == {}

    @pytest.mark.parametrize(
        "alias", ["", "a b", "latest", "LATEST", "v3", "V12", "x" * 256, "a/b"]
    )
    def test_some_names_are_reserved_or_wrong(self, services: Services, alias: str) -> None:
        name = new_model(services, versions=1)
        with pytest.raises(InvalidParameter, match="alias"):
            services.registered_models.set_alias(name, alias, "1")

    def test_it_needs_a_version(self, services: Services) -> None:
        name = new_model(services, versions=1)
        with pytest.raises(NotFound):
            services.registered_models.set_alias(name, "champion", "2")
        with pytest.raises(InvalidParameter, match="version"):
            services.registered_models.set_alias(name, "champion", "two")


class TestRegisteredModelSearch:
    """Searching registered models."""

    @pytest.fixture(scope="class")
    @classmethod
    def prefix(cls, services: Services) -> str:
        """Make the models a, b, and a prompt p, as MLflow keeps it."""
        prefix = unique("search")
        for letter in "ab":
            services.registered_models.create(f"{prefix}-{letter}", tags=[Tag("letter", letter)])
        prompt = [Tag("mlflow.prompt.is_prompt", "true")]
        services.registered_models.create(f"{prefix}-p", tags=prompt)
        return prefix

    @pytest.mark.parametrize(
        ("filter", "expected"),
        [
            ("name LIKE '{0}%'", "ab"),
            ("name ILIKE '{1}%' AND name != '{0}-a'", "b"),
            ("name IN ('{0}-a', '{0}-x')", "a"),
            ("name LIKE '{0}%' AND tags.letter = 'b'", "b"),
            ("name LIKE '{0}%' AND tag.letter != 'b'", "a"),
            ("name LIKE '{0}%' AND tags.`mlflow.prompt.is_prompt` = 'true'", "p"),
            ("name LIKE '{0}%' AND tag.`mlflow.prompt.is_prompt` != 'true'", "ab"),
        ],
    )
    def test_matches(self, services: Services, prefix: str, filter: str, expected: str) -> None:
        page = services.registered_models.search(filter.format(prefix, prefix.upper()))
        assert "".join(item.name[-1] for item in page) == expected

    def test_ordered_and_paged(self, services: Services, prefix: str) -> None:
        like = f"name LIKE '{prefix}%'"
        first = services.registered_models.search(like, 1, ["name DESC"])
        second = services.registered_models.search(like, 1, ["name DESC"], first.next_page_token)
        assert [item.name[-1] for item in (*first, *second)] == ["b", "a"]
        assert second.next_page_token == ""
        assert len(services.registered_models.search(like, order_by=["timestamp DESC"])) == 2

    @pytest.mark.parametrize(
        "filter", ["description = 'x'", "name > 'a'", "name", "tags.a IS NULL"]
    )
    def test_what_cannot_be_asked(self, services: Services, filter: str) -> None:
        with pytest.raises(InvalidParameter):
            services.registered_models.search(filter)
