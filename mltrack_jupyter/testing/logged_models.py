"""The contract of logged models: MLflow 3's models with an id of their own."""

from __future__ import annotations

import pytest

from mltrack_jupyter.entities import LoggedModelStatus, Metric, ModelOrder, ModelOutput, Param, Tag
from mltrack_jupyter.errors import BadRequest, InvalidParameter, NotFound
from mltrack_jupyter.services import Services
from mltrack_jupyter.testing.making import NOW, new_experiment, new_run, put, unique

READY = LoggedModelStatus.READY


def _models_of_one_step(services: Services) -> tuple[str, list[str]]:
    """Return a run and its three models at one step: of the last point the first one has no part."""
    run = new_run(services)
    run_id, ids = run.info.run_id, []
    for count in range(1, 4):
        ids.append(services.logged_models.create(run.info.experiment_id).info.model_id)
        services.runs.log_outputs(run_id, [ModelOutput(ids[-1], 0)])
        points = [Metric("acc", count / 4, NOW + count, 0, model_id=each) for each in ids]
        services.runs.log_batch(run_id, points)
        services.runs.log_batch(run_id, points)
    some = [Metric("acc", 0.125, NOW + 9, 0, model_id=each) for each in ids[1:]]
    services.runs.log_batch(run_id, some)
    return run_id, ids


class TestLoggedModels:
    """A logged model is pending until its files are there."""

    def test_from_pending_to_ready(self, services: Services) -> None:
        number = new_experiment(services)
        made = services.logged_models.create(
            number,
            name="tree",
            model_type="classifier",
            source_run_id="r1",
            params=[Param("depth", "3")],
            tags=[Tag("a", "1")],
        )
        assert made.info.model_id.startswith("m-")
        assert made.info.status == LoggedModelStatus.PENDING
        assert (made.info.name, made.info.source_run_id) == ("tree", "r1")
        assert (made.data.params, made.info.tags) == ({"depth": "3"}, {"a": "1"})
        assert made.info.artifact_uri == (
            f"mlflow-artifacts:/{number}/models/{made.info.model_id}/artifacts"
        )
        ready = services.logged_models.finalize(made.info.model_id, READY)
        assert ready.info.status == READY
        assert services.logged_models.get(made.info.model_id) == ready

    def test_a_name_is_invented_where_none_is_given(self, services: Services) -> None:
        assert services.logged_models.create(new_experiment(services)).info.name != ""

    @pytest.mark.parametrize("name", ["a/b", "a:b", "a.b", "a%b", 'a"b', "a'b"])
    def test_a_name_is_free_of_signs(self, services: Services, name: str) -> None:
        with pytest.raises(InvalidParameter, match="model name"):
            services.logged_models.create("0", name=name)

    def test_tags_and_params(self, services: Services) -> None:
        model_id = services.logged_models.create(new_experiment(services)).info.model_id
        services.logged_models.set_tags(model_id, [Tag("a", "1"), Tag("b", "2")])
        services.logged_models.set_tags(model_id, [Tag("a", "3")])
        services.logged_models.log_params(model_id, [Param("p", "1")])
        with pytest.raises(BadRequest, match="once"):
            services.logged_models.log_params(model_id, [Param("q", "1"), Param("p", "1")])
        found = services.logged_models.get(model_id)
        assert (found.info.tags, found.data.params) == ({"a": "3", "b": "2"}, {"p": "1"})

        services.logged_models.delete_tag(model_id, "a")
        assert services.logged_models.get(model_id).info.tags == {"b": "2"}
        with pytest.raises(NotFound, match="No tag with key 'a'"):
            services.logged_models.delete_tag(model_id, "a")

    def test_a_point_that_names_a_model_is_noted_on_it_too(self, services: Services) -> None:
        run = new_run(services)
        model_id = services.logged_models.create(run.info.experiment_id).info.model_id
        services.runs.log_metric(run.info.run_id, "acc", 0.5, NOW, 1, model_id, "iris", "d1")
        services.runs.log_batch(
            run.info.run_id, metrics=[Metric("acc", 0.75, NOW, 2, model_id=model_id)]
        )
        points = services.logged_models.get(model_id).data.metrics
        assert [(p.value, p.step, p.dataset_name, p.run_id) for p in points] == [
            (0.5, 1, "iris", run.info.run_id),
            (0.75, 2, "", run.info.run_id),
        ]
        assert services.runs.get(run.info.run_id).data.metrics == {"acc": 0.75}

    def test_a_point_of_an_unknown_model_is_refused_altogether(self, services: Services) -> None:
        run_id = new_run(services).info.run_id
        with pytest.raises(BadRequest, match="not found"):
            services.runs.log_metric(run_id, "acc", 0.5, NOW, model_id="m-" + "0" * 32)
        assert services.runs.get(run_id).data.metrics == {}

    def test_points_of_all_models_of_a_step(self, services: Services) -> None:
        run_id, ids = _models_of_one_step(services)
        of_each = [services.logged_models.get(each).data.metrics for each in ids]
        assert [[point.value for point in points] for points in of_each] == [
            [0.25, 0.5, 0.75],
            [0.5, 0.75, 0.125],
            [0.75, 0.125],
        ]
        assert {(p.run_id, p.model_id) for p in of_each[2]} == {(run_id, ids[2])}

    def test_the_last_point_of_a_model_is_searched_for(self, services: Services) -> None:
        run_id, ids = _models_of_one_step(services)
        number = services.runs.get(run_id).info.experiment_id

        def found(filter: str = "", ascending: bool = True) -> list[str]:
            order = [ModelOrder(field_name="metrics.acc", ascending=ascending)]
            page = services.logged_models.search([number], filter, order_by=order)
            return [item.info.model_id for item in page]

        assert found("metrics.acc > 0.5") == ids[:1]
        assert set(found("metrics.acc = 0.125")) == set(ids[1:])
        assert found("metrics.acc != 0.125 AND metrics.acc <= 0.75") == ids[:1]
        assert found("metrics.other != 1") == []
        assert found(ascending=False)[0] == found()[2] == ids[0]

    def test_search(self, services: Services) -> None:
        number = new_experiment(services)
        ids = {}
        for name in ("tree", "forest"):
            made = services.logged_models.create(
                number, name=name, params=[Param("kind", name)], tags=[Tag("t", name[0])]
            )
            ids[made.info.model_id] = name
        services.logged_models.finalize(next(iter(ids)), READY)

        def names(filter: str) -> set[str]:
            page = services.logged_models.search([number], filter)
            return {item.info.name for item in page}

        assert names("") == {"tree", "forest"}
        assert names("name = 'tree'") == {"tree"}
        assert names("attributes.name IN ('forest', 'x')") == {"forest"}
        assert names("params.kind LIKE 'f%'") == {"forest"}
        assert names("tags.t = 't'") == {"tree"}
        assert names("status = 'READY'") == {"tree"}
        assert names("status != 'READY'") == {"forest"}
        assert names(f"model_id = '{list(ids)[1]}'") == {"forest"}
        assert names("creation_timestamp > 0") == {"tree", "forest"}
        with pytest.raises(InvalidParameter):
            names("nothing = 'x'")

    def test_search_comes_in_pages(self, services: Services) -> None:
        number = new_experiment(services)
        made = {services.logged_models.create(number).info.model_id for _ in range(5)}
        found: list[str] = []
        token = ""
        while True:
            page = services.logged_models.search([number], max_results=2, page_token=token)
            found += [item.info.model_id for item in page]
            token = page.next_page_token
            if not token:
                break
        assert (len(found), set(found)) == (5, made)

    def test_its_files_are_listed(self, services: Services) -> None:
        made = services.logged_models.create(new_experiment(services)).info
        assert services.logged_models.list_artifacts(made.model_id).files == []
        root = made.artifact_uri.removeprefix("mlflow-artifacts:/")
        put(services, f"{root}/MLmodel", b"x")
        put(services, f"{root}/data/model.pkl", b"xy")
        found = services.logged_models.list_artifacts(made.model_id)
        assert found.root_uri == made.artifact_uri
        assert [(item.path, item.is_dir) for item in found.files] == [
            ("MLmodel", False),
            ("data", True),
        ]
        (inner,) = services.logged_models.list_artifacts(made.model_id, "data").files
        assert (inner.path, inner.file_size) == ("data/model.pkl", 2)
        with pytest.raises(InvalidParameter, match="path"):
            services.logged_models.list_artifacts(made.model_id, "../..")
        with pytest.raises(NotFound):
            services.logged_models.list_artifacts("m-" + "0" * 32)

    def test_a_deleted_one_is_hidden(self, services: Services) -> None:
        number = new_experiment(services)
        model_id = services.logged_models.create(number).info.model_id
        services.logged_models.delete(model_id)
        services.logged_models.delete(model_id)
        assert len(services.logged_models.search([number])) == 0
        with pytest.raises(NotFound):
            services.logged_models.get(model_id)
        with pytest.raises(NotFound):
            services.logged_models.get(unique("m"))
