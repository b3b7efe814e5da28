"""The contract of model versions: numbers, stages, sources, registering."""

from __future__ import annotations

import json
import time

import pytest

from mltrack_jupyter.entities import ModelRecord, ModelVersion, Tag
from mltrack_jupyter.errors import InvalidParameter, MltrackError, NotFound
from mltrack_jupyter.services import Services
from mltrack_jupyter.testing.making import new_experiment, new_model, new_run, unique


class TestVersions:
    """Versions are numbered from 1, and no number is used twice while the model lives."""

    def test_a_new_one(self, services: Services) -> None:
        name, run_id = new_model(services), new_run(services).info.run_id
        made = services.model_versions.create(
            name,
            f"runs:/{run_id}/model",
            run_id=run_id,
            tags=[Tag("a", "1")],
            run_link="https://example.com/run",
            description="first",
        )
        assert made == services.model_versions.get(name, "1")
        assert (made.version, made.status, made.current_stage) == ("1", "READY", "None")
        assert (made.run_id, made.description, made.tags) == (run_id, "first", {"a": "1"})
        assert services.registered_models.get(name).latest_versions == [made]

    def test_a_number_is_never_used_again(self, services: Services) -> None:
        name = new_model(services, versions=3)
        services.model_versions.delete(name, "3")
        assert services.model_versions.create(name, "s3://bucket/model").version == "4"
        with pytest.raises(NotFound):
            services.model_versions.get(name, "3")

    @pytest.mark.parametrize("version", ["", "x", "1.0", "²"])
    def test_a_version_is_a_number(self, services: Services, version: str) -> None:
        name = new_model(services, versions=1)
        with pytest.raises(InvalidParameter, match="version"):
            services.model_versions.get(name, version)
        for none in ("-1", "0", "9" * 20):
            with pytest.raises(NotFound, match="not found"):
                services.model_versions.get(name, none)

    def test_what_is_alike_is_in_the_order_of_names_the_newest_version_first(
        self, services: Services
    ) -> None:
        prefix = unique("tie")
        names = [f"{prefix}-{letter}" for letter in "ba"]
        for name in names:
            services.registered_models.create(name)
            for _ in range(2):
                services.model_versions.create(name, "s3://bucket/model")
        time.sleep(0.002)
        services.model_versions.update(names[1], "1", "changed last")
        wanted = [(name, version) for name in sorted(names) for version in ("2", "1")]
        found, token = [], ""
        for _ in wanted:
            page = services.model_versions.search(
                f"name LIKE '{prefix}%'", 1, ["name ASC"], page_token=token
            )
            found += [(item.name, item.version) for item in page.items]
            token = page.next_page_token
        assert (found, token) == (wanted, "")

    def test_stages(self, services: Services) -> None:
        name = new_model(services, versions=3)
        move = services.model_versions.transition_stage
        assert move(name, "1", "production").current_stage == "Production"
        assert move(name, "2", "STAGING").current_stage == "Staging"
        move(name, "3", "Production", archive_existing_versions=True)

        def stages() -> list[str]:
            return [services.model_versions.get(name, str(n)).current_stage for n in (1, 2, 3)]

        assert stages() == ["Archived", "Staging", "Production"]
        with pytest.raises(InvalidParameter, match="archive_existing_versions"):
            move(name, "2", "Archived", archive_existing_versions=True)
        assert stages() == ["Archived", "Staging", "Production"]
        with pytest.raises(InvalidParameter, match="stages are None, Staging"):
            move(name, "1", "Live")

    def test_latest_versions_by_stage(self, services: Services) -> None:
        name = new_model(services, versions=4)
        for version, stage in (("1", "Staging"), ("2", "Production"), ("3", "Production")):
            services.model_versions.transition_stage(name, version, stage)

        def latest(*stages: str) -> dict[str, str]:
            found = services.registered_models.get_latest_versions(name, list(stages) or None)
            return {item.current_stage: item.version for item in found}

        assert latest() == {"Staging": "1", "Production": "3", "None": "4"}
        assert latest("production", "Archived") == {"Production": "3"}
        with pytest.raises(InvalidParameter):
            latest("Live")

    def test_describing_and_tagging(self, services: Services) -> None:
        name = new_model(services, versions=1)
        assert services.model_versions.update(name, "1", "good").description == "good"
        services.model_versions.set_tag(name, "1", "a", "1")
        services.model_versions.set_tag(name, "1", "b")
        services.model_versions.delete_tag(name, "1", "a")
        services.model_versions.delete_tag(name, "1", "absent")
        assert services.model_versions.get(name, "1").tags == {"b": ""}

    def test_search(self, services: Services) -> None:
        name = new_model(services, versions=3)
        run_id = services.model_versions.get(name, "2").run_id
        services.model_versions.set_tag(name, "3", "checked", "yes")

        def found(filter: str, *order: str) -> list[str]:
            page = services.model_versions.search(
                f"name = '{name}' AND {filter}" if filter else f"name = '{name}'",
                order_by=list(order),
            )
            return [item.version for item in page]

        assert found("", "version_number") == ["1", "2", "3"]
        assert found("version_number > 1", "version_number DESC") == ["3", "2"]
        assert found("version_number = '2'") == ["2"]
        assert found(f"run_id = '{run_id}'") == ["2"]
        assert found(f"run_id IN ('{run_id}', 'x')") == ["2"]
        assert found("tags.checked = 'yes'") == ["3"]
        assert found("source_path LIKE 'runs:/%'", "version_number") == ["1", "2", "3"]
        with pytest.raises(InvalidParameter):
            found("current_stage = 'None'")

    def test_the_last_changed_comes_first_and_pages_make_the_whole(
        self, services: Services
    ) -> None:
        name = new_model(services, versions=3)
        first = services.model_versions.search(f"name = '{name}'", 2)
        second = services.model_versions.search(
            f"name = '{name}'", 2, page_token=first.next_page_token
        )
        versions = [item.version for item in (*first, *second)]
        assert sorted(versions) == ["1", "2", "3"]
        assert second.next_page_token == ""


class TestSources:
    """A version points into the artifacts of its own run or model, or to an object store."""

    def create(
        self, services: Services, source: str, run_id: str = "", model_id: str = ""
    ) -> ModelVersion:
        """Make a version of a new model."""
        return services.model_versions.create(
            new_model(services), source, run_id=run_id, model_id=model_id
        )

    def download_uri(self, services: Services, made: ModelVersion) -> str:
        """Return where the files of a version are."""
        return services.model_versions.get_download_uri(made.name, made.version)

    def test_the_model_of_a_run(self, services: Services) -> None:
        run = new_run(services)
        root = run.info.artifact_uri
        source = f"runs:/{run.info.run_id}/a/model"
        made = self.create(services, source, run_id=run.info.run_id)
        assert self.download_uri(services, made) == source
        with pytest.raises(InvalidParameter, match="own run_id"):
            self.create(services, source)
        made = self.create(services, f"{root}/model", run_id=run.info.run_id)
        assert self.download_uri(services, made) == f"{root}/model"

    def test_a_logged_model_which_then_knows_its_versions(self, services: Services) -> None:
        number = new_experiment(services)
        model = services.logged_models.create(number, source_run_id="r1").info
        made = self.create(services, f"models:/{model.model_id}", model_id=model.model_id)
        assert self.download_uri(services, made) == model.artifact_uri
        assert made.run_id == "r1"
        tags = services.logged_models.get(model.model_id).info.tags
        (entry,) = json.loads(tags["mlflow.modelVersions"])
        assert entry == {"name": made.name, "version": 1}
        with pytest.raises(InvalidParameter, match="model_id"):
            self.create(services, f"models:/{model.model_id}")

    def test_another_version(self, services: Services) -> None:
        original = new_model(services, versions=1)
        made = self.create(services, f"models:/{original}/1")
        assert made.run_id == services.model_versions.get(original, "1").run_id != ""
        assert self.download_uri(services, made) == services.model_versions.get_download_uri(
            original, "1"
        )
        latest = self.create(services, f"models:/{original}/latest")
        assert latest.source == f"models:/{original}/1"

    def test_a_prompt_has_no_files(self, services: Services) -> None:
        name = new_model(services)
        prompt = [Tag("mlflow.prompt.is_prompt", "true")]
        assert services.model_versions.create(name, "dummy-source", tags=prompt).version == "1"
        with pytest.raises(InvalidParameter, match="Invalid model version source"):
            services.model_versions.create(name, "dummy-source")

    def test_an_object_store(self, services: Services) -> None:
        made = self.create(services, "s3://bucket/path/model")
        assert self.download_uri(services, made) == "s3://bucket/path/model"

    @pytest.mark.parametrize(
        "source",
        [
            "", " ", "http://127.0.0.1:9/model", "https://example.com/m", "javascript:alert(1)",
            "runs:/{run}/../../etc", "runs:/{run}", "runs:/other/model", "runs:/{run}/a//b",
            "mlflow-artifacts:/0/other/artifacts/model", "mlflow-artifacts://host/0/x",
            "mlflow-artifacts:/", "s3://bucket/../x", "s3://bucket/%2e%2e/x",
            "s3://bucket/%252e%252e/x", "s3://bucket\\..\\x", "dbfs:/../../etc", "s3://b/\nx",
            "models:/none/1", "models:/m-" + "0" * 32, "models:/", "runs:/{run}/a?x=/../b",
        ],
    )  # fmt: skip
    def test_nothing_else(self, services: Services, source: str) -> None:
        run_id = new_run(services).info.run_id
        with pytest.raises(MltrackError) as caught:
            self.create(services, source.format(run=run_id), run_id=run_id)
        assert caught.value.status in (400, 404)


class TestRegister:
    """Registering a run's model is one step that happens whole or not at all."""

    def test_the_first_and_the_next(self, services: Services) -> None:
        name = unique("registered")
        run = new_run(services)
        services.logged_models.note(run.info.run_id, ModelRecord(artifact_path="tree"))
        first = services.registered_models.register(name, run.info.run_id)
        assert (first.version, first.current_stage, first.aliases) == ("1", "None", [])
        assert first.source == f"runs:/{run.info.run_id}/tree"
        second = services.registered_models.register(
            name, run.info.run_id, "other/model", "champion", "staging", "better"
        )
        assert (second.version, second.current_stage) == ("2", "Staging")
        assert (second.aliases, second.description) == (["champion"], "better")
        assert services.model_versions.get_download_uri(name, "2") == (
            f"runs:/{run.info.run_id}/other/model"
        )

    def test_a_run_logged_by_mlflow_has_its_model_in_a_history(self, services: Services) -> None:
        history = json.dumps([{"artifact_path": "old"}, {"artifact_path": "new"}])
        run = new_run(services, tags={"mlflow.log-model.history": history})
        made = services.registered_models.register(unique(), run.info.run_id)
        assert made.source.endswith("/new")

    @pytest.mark.parametrize(
        "wrong",
        [
            {"run_id": "0" * 32},
            {"alias": "latest"},
            {"alias": "a b"},
            {"stage": "Live"},
            {"artifact_path": "../x"},
            {"artifact_path": ""},
        ],
    )
    def test_an_error_leaves_nothing_behind(
        self, services: Services, wrong: dict[str, str]
    ) -> None:
        name, run_id = unique("registered"), new_run(services).info.run_id
        given = {"run_id": run_id, "artifact_path": "model", **wrong}
        with pytest.raises(MltrackError):
            services.registered_models.register(name, **given)
        with pytest.raises(NotFound):
            services.registered_models.get(name)

    def test_a_deleted_run_is_not_registered(self, services: Services) -> None:
        run_id = new_run(services).info.run_id
        services.runs.delete(run_id)
        with pytest.raises(InvalidParameter, match="active"):
            services.registered_models.register(unique(), run_id, "model")
