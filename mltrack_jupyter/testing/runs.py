"""The contract of runs: creating, logging, deleting."""

from __future__ import annotations

import json

import pytest

from mltrack_jupyter.entities import (
    AUTOLOGGED,
    Dataset,
    DatasetInput,
    Metric,
    ModelInput,
    ModelOutput,
    Param,
    RunStatus,
    Tag,
)
from mltrack_jupyter.errors import BadRequest, InvalidParameter, MltrackError, NotFound
from mltrack_jupyter.services import Services
from mltrack_jupyter.testing.making import NOW, new_experiment, new_run, unique


class TestRuns:
    """Runs are created, changed, deleted and restored."""

    def test_a_new_run_is_running_and_has_a_name(self, services: Services) -> None:
        number = new_experiment(services)
        run = services.runs.create(experiment_id=number, user_id="ada", start_time=NOW)
        assert run == services.runs.get(run.info.run_id)
        assert run.info.run_uuid == run.info.run_id
        assert (run.info.status, run.info.lifecycle_stage) == (RunStatus.RUNNING, "active")
        assert (run.info.user_id, run.info.start_time, run.info.end_time) == ("ada", NOW, None)
        assert run.info.run_name != ""
        assert run.data.tags == {"mlflow.runName": run.info.run_name}
        assert run.info.artifact_uri == (f"mlflow-artifacts:/{number}/{run.info.run_id}/artifacts")

    def test_the_name_and_its_tag_are_one(self, services: Services) -> None:
        number = new_experiment(services)
        run = services.runs.create(experiment_id=number, tags=[Tag("mlflow.runName", "first")])
        run_id = run.info.run_id
        assert run.info.run_name == "first"

        services.runs.update(run_id, run_name="second")
        assert services.runs.get(run_id).data.tags["mlflow.runName"] == "second"
        services.runs.set_tag(run_id, "mlflow.runName", "third")
        assert services.runs.get(run_id).info.run_name == "third"
        services.runs.update(run_id, run_name="")
        assert services.runs.get(run_id).info.run_name == "third"

    def test_two_different_names_are_a_contradiction(self, services: Services) -> None:
        number = new_experiment(services)
        with pytest.raises(InvalidParameter, match="differ"):
            services.runs.create(
                experiment_id=number, run_name="a", tags=[Tag("mlflow.runName", "b")]
            )
        with pytest.raises(BadRequest):
            services.runs.create(experiment_id=number, tags=[Tag("k", "1"), Tag("k", "2")])

    def test_it_needs_an_experiment(self, services: Services) -> None:
        with pytest.raises(BadRequest, match="experiment_id"):
            services.runs.create()
        with pytest.raises(NotFound):
            services.runs.create(experiment_id="987654321")

    def test_the_status_may_change_in_any_order(self, services: Services) -> None:
        run_id = new_run(services).info.run_id
        info = services.runs.update(run_id, status=RunStatus.FAILED, end_time=NOW + 5)
        assert (info.status, info.end_time) == (RunStatus.FAILED, NOW + 5)
        info = services.runs.update(run_id, status=RunStatus.RUNNING)
        assert (info.status, info.end_time) == (RunStatus.RUNNING, NOW + 5)

    def test_unknown_runs_are_not_found(self, services: Services) -> None:
        unknown = "0" * 32
        for call in (
            lambda: services.runs.get(unknown),
            lambda: services.runs.update(unknown, status=RunStatus.FINISHED),
            lambda: services.runs.delete(unknown),
            lambda: services.runs.restore(unknown),
            lambda: services.runs.log_metric(unknown, "m", 1.0, NOW),
            lambda: services.runs.log_batch(unknown, params=[Param("a", "b")]),
            lambda: services.runs.delete_tag(unknown, "t"),
            lambda: services.run_artifacts.list(unknown),
        ):
            with pytest.raises(NotFound, match="not found"):
                call()

    def test_a_deleted_run_is_read_but_not_written(self, services: Services) -> None:
        run_id = new_run(services, params={"a": "1"}).info.run_id
        services.runs.delete(run_id)
        services.runs.delete(run_id)
        assert services.runs.get(run_id).data.params == {"a": "1"}
        for write in (
            lambda: services.runs.log_metric(run_id, "m", 1.0, NOW),
            lambda: services.runs.log_param(run_id, "p", "1"),
            lambda: services.runs.log_batch(run_id, tags=[Tag("t", "1")]),
            lambda: services.runs.set_tag(run_id, "t", "1"),
            lambda: services.runs.delete_tag(run_id, "mlflow.runName"),
            lambda: services.runs.update(run_id, status=RunStatus.FINISHED),
            lambda: services.runs.log_inputs(run_id, models=[ModelInput("m-1")]),
            lambda: services.runs.log_outputs(run_id, models=[ModelOutput("m-1")]),
        ):
            with pytest.raises(InvalidParameter, match="active"):
                write()
        services.runs.restore(run_id)
        services.runs.restore(run_id)
        services.runs.log_param(run_id, "p", "1")

    def test_tags_are_set_replaced_and_removed(self, services: Services) -> None:
        run_id = new_run(services, name="tagged").info.run_id
        services.runs.set_tag(run_id, "a", "1")
        services.runs.set_tag(run_id, "a", "2")
        services.runs.set_tag(run_id, "empty")
        assert services.runs.get(run_id).data.tags == {
            "mlflow.runName": "tagged", "a": "2", "empty": "",
        }  # fmt: skip
        services.runs.delete_tag(run_id, "a")
        with pytest.raises(NotFound, match="No tag with name: a"):
            services.runs.delete_tag(run_id, "a")

    @pytest.mark.parametrize("key", ["a b", "a/b", "a:b", "a.b", "ä_1-2", "漢字", "x" * 250])
    def test_a_key_may_be(self, services: Services, key: str) -> None:
        run = new_run(services, metrics={key: 1.0}, params={key: "p"}, tags={key: "t"})
        assert run.data.metrics == {key: 1.0}
        assert run.data.params == {key: "p"}
        assert run.data.tags[key] == "t"

    @pytest.mark.parametrize(
        "key",
        [
            "",
            "x" * 251,
            "a//b",
            "./a",
            "a/",
            "/a",
            "..",
            "../a",
            ".",
            "a/../b",
            "a%b",
            "a\nb",
            "a'b",
        ],
    )
    def test_a_key_may_not_be(self, services: Services, key: str) -> None:
        run_id = new_run(services).info.run_id
        with pytest.raises(InvalidParameter):
            services.runs.log_metric(run_id, key, 1.0, NOW)
        with pytest.raises(InvalidParameter):
            services.runs.log_param(run_id, key, "1")
        with pytest.raises(InvalidParameter):
            services.runs.set_tag(run_id, key, "1")

    def test_long_values_are_kept_whole(self, services: Services) -> None:
        long = "0123456789" * 10_000
        run = new_run(services, params={"p": long}, tags={"t": long})
        assert run.data.params["p"] == long
        assert run.data.tags["t"] == long

    @pytest.mark.parametrize("value", ["x" * 1_000_001, "nul\x00"])
    def test_a_value_that_no_database_holds_is_refused(
        self, services: Services, value: str
    ) -> None:
        run_id = new_run(services).info.run_id
        with pytest.raises(InvalidParameter):
            services.runs.log_param(run_id, "p", value)
        with pytest.raises(InvalidParameter):
            services.runs.set_tag(run_id, "t", value)

    def test_half_a_surrogate_pair_is_refused_by_one_of_our_errors(
        self, services: Services
    ) -> None:
        run_id = new_run(services).info.run_id
        with pytest.raises(InvalidParameter):
            services.runs.log_param(run_id, "p", "\ud800")

    def test_unusual_text_comes_back_as_it_was(self, services: Services) -> None:
        texts = {
            "quotes": 'it\'s "so" `x`',
            "lines": "a\nb\r\n\tc",
            "markup": "<img src=x onerror=alert(1)>",
            "sql": "'; DROP TABLE runs; --",
            "emoji": "👩‍🔬 ﷽ \u202e",
            "blank": "   ",
        }
        run = new_run(services, params=texts)
        assert run.data.params == texts


class TestBatches:
    """A batch is logged whole or not at all."""

    def test_all_at_once(self, services: Services) -> None:
        run_id = new_run(services, name="batch").info.run_id
        services.runs.log_batch(
            run_id,
            metrics=[Metric(f"m{i}", float(i), NOW, i) for i in range(800)],
            params=[Param(f"p{i}", str(i)) for i in range(100)],
            tags=[Tag(f"t{i}", str(i)) for i in range(100)],
        )
        data = services.runs.get(run_id).data
        assert (len(data.metrics), len(data.params), len(data.tags)) == (800, 100, 101)

    def test_nothing_at_all_is_fine(self, services: Services) -> None:
        services.runs.log_batch(new_run(services).info.run_id)

    def test_a_param_is_written_once(self, services: Services) -> None:
        run_id = new_run(services, params={"depth": "3"}).info.run_id
        services.runs.log_param(run_id, "depth", "3")
        with pytest.raises(InvalidParameter, match="Changing param values is not allowed"):
            services.runs.log_param(run_id, "depth", "4")
        assert services.runs.get(run_id).data.params == {"depth": "3"}

    def test_one_conflict_rejects_the_whole_batch(self, services: Services) -> None:
        before = new_run(services, params={"depth": "3"})
        with pytest.raises(InvalidParameter):
            services.runs.log_batch(
                before.info.run_id,
                metrics=[Metric("m", 1.0, NOW)],
                params=[Param("new", "1"), Param("depth", "4")],
                tags=[Tag("t", "1")],
            )
        assert services.runs.get(before.info.run_id) == before

    @pytest.mark.parametrize(
        ("metrics", "params", "tags"),
        [(1001, 0, 0), (0, 101, 0), (0, 0, 101), (850, 100, 100)],
    )
    def test_a_batch_has_bounds(
        self, services: Services, metrics: int, params: int, tags: int
    ) -> None:
        run_id = new_run(services).info.run_id
        with pytest.raises(InvalidParameter, match="batch"):
            services.runs.log_batch(
                run_id,
                metrics=[Metric(f"m{i}", 0.0, NOW) for i in range(metrics)],
                params=[Param(f"p{i}", "") for i in range(params)],
                tags=[Tag(f"t{i}", "") for i in range(tags)],
            )

    def test_a_param_given_twice_is_refused_and_a_tag_given_twice_is_its_last(
        self, services: Services
    ) -> None:
        run_id = new_run(services).info.run_id
        with pytest.raises(InvalidParameter, match="Duplicate"):
            services.runs.log_batch(run_id, params=[Param("a", "1"), Param("a", "1")])
        services.runs.log_batch(run_id, tags=[Tag("a", "1"), Tag("a", "2")])
        assert services.runs.get(run_id).data.tags["a"] == "2"

    @pytest.mark.parametrize("run_id", ["", "a b", "../x", "x" * 300, "'"])
    def test_the_shape_of_the_run_id_is_checked(self, services: Services, run_id: str) -> None:
        with pytest.raises(MltrackError):
            services.runs.log_batch(run_id, tags=[Tag("a", "1")])


class TestCorrectedParams:
    """What autologging wrote may be replaced, by what the tag of the run says."""

    def test_a_value_is_replaced_and_kept(self, services: Services) -> None:
        run_id = new_run(services).info.run_id
        values = [Param("C", "1"), Param("tol", "0"), Param("mine", "1")]
        services.runs.log_batch(run_id, params=values, tags=[Tag(AUTOLOGGED, '["C", "tol"]')])
        for _ in range(2):
            services.runs.correct_params(run_id, [Param("C", "2")])
        data = services.runs.get(run_id).data
        assert data.params == {"C": "2", "autolog.C": "1", "tol": "0", "mine": "1"}
        assert data.tags[AUTOLOGGED] == '["autolog.C", "tol"]'

    @pytest.mark.parametrize("key", ["mine", "new", "C"])
    def test_a_users_param_is_not(self, services: Services, key: str) -> None:
        run_id = new_run(services).info.run_id
        values = [Param("tol", "0"), Param("mine", "1"), Param("C", "1")]
        tag = Tag(AUTOLOGGED, "nonsense" if key == "C" else '["tol", "new"]')
        services.runs.log_batch(run_id, params=values, tags=[tag])
        with pytest.raises(InvalidParameter, match="not written by autologging"):
            services.runs.correct_params(run_id, [Param("tol", "9"), Param(key, "2")])
        assert services.runs.get(run_id).data.params["tol"] == "0"


class TestInputsAndOutputs:
    """Datasets that a run read, models that it read and made."""

    def test_a_dataset_is_noted_once_with_its_first_context(self, services: Services) -> None:
        run_id = new_run(services).info.run_id
        iris = Dataset(name="iris", digest="abc", source_type="local", source="{}", schema="{}")
        for context in ("train", "test"):
            tags = [Tag("mlflow.data.context", context)]
            services.runs.log_inputs(run_id, datasets=[DatasetInput(dataset=iris, tags=tags)])
        (found,) = services.runs.get(run_id).inputs.dataset_inputs
        assert found.dataset == iris
        assert found.tags == [Tag("mlflow.data.context", "train")]

    def test_two_runs_share_a_dataset(self, services: Services) -> None:
        number, data = new_experiment(services), Dataset(name=unique("data"), digest="1")
        for _ in range(2):
            run = new_run(services, number)
            services.runs.log_inputs(run.info.run_id, datasets=[DatasetInput(dataset=data)])
        page = services.runs.search([number], f"dataset.name = '{data.name}'")
        assert len(page) == 2

    def test_the_datasets_of_experiments_are_summarised(self, services: Services) -> None:
        number = new_experiment(services)
        iris, wine = Dataset(name="iris", digest="1"), Dataset(name="wine", digest="2")
        for context, data in (("train", iris), ("test", iris), ("train", iris), ("", wine)):
            tags = [Tag("mlflow.data.context", context)] if context else []
            run_id = new_run(services, number).info.run_id
            services.runs.log_inputs(run_id, datasets=[DatasetInput(dataset=data, tags=tags)])
        found = services.experiments.search_datasets([number, "999999"])
        assert [(item.experiment_id, item.name, item.digest, item.context) for item in found] == [
            (number, "iris", "1", "test"),
            (number, "iris", "1", "train"),
            (number, "wine", "2", ""),
        ]
        for ids in ([], ["0"] * 21, ["x"]):
            with pytest.raises(InvalidParameter):
                services.experiments.search_datasets(ids)

    def test_old_clients_note_models_in_a_tag(self, services: Services) -> None:
        run_id = new_run(services).info.run_id
        model = {"artifact_path": "m", "flavors": {}, "utc_time_created": "", "run_id": run_id}
        for path in ("first", "second"):
            services.runs.log_model(run_id, json.dumps({**model, "artifact_path": path}))
        history = json.loads(services.runs.get(run_id).data.tags["mlflow.log-model.history"])
        assert [item["artifact_path"] for item in history] == ["first", "second"]
        for wrong in ("", "{", "[]", "3", "{}", "[" * 100_000):
            with pytest.raises(InvalidParameter, match="odel"):
                services.runs.log_model(run_id, wrong)
        with pytest.raises(NotFound):
            services.runs.log_model("0" * 32, json.dumps(model))

    def test_models_in_and_out(self, services: Services) -> None:
        run_id = new_run(services).info.run_id
        services.runs.log_inputs(run_id, models=[ModelInput("m-in")])
        services.runs.log_outputs(run_id, models=[ModelOutput("m-out", 7)])
        found = services.runs.get(run_id)
        assert found.inputs.model_inputs == [ModelInput("m-in")]
        assert found.outputs.model_outputs == [ModelOutput("m-out", 7)]
        with pytest.raises(BadRequest):
            services.runs.log_outputs(run_id, models=[ModelOutput("m-out", 7)])

    @pytest.mark.parametrize(
        "dataset",
        [
            Dataset(name="", digest="1"),
            Dataset(name="a", digest=""),
            Dataset(name="a" * 501, digest="1"),
            Dataset(name="a", digest="1" * 37),
        ],
    )
    def test_a_dataset_has_a_name_and_a_digest_of_sensible_length(
        self, services: Services, dataset: Dataset
    ) -> None:
        run_id = new_run(services).info.run_id
        with pytest.raises(InvalidParameter):
            services.runs.log_inputs(run_id, datasets=[DatasetInput(dataset=dataset)])
