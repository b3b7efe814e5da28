"""The contract of what a model is made of: files of its own, for ever, and found by a path of its run."""

from __future__ import annotations

import json

import pytest

from mltrack_jupyter.entities import (
    LoggedModel,
    LoggedModelStatus,
    MadeModel,
    ModelRecord,
    NewRun,
    Run,
    RunEntry,
    Tag,
)
from mltrack_jupyter.errors import InvalidParameter, NotFound
from mltrack_jupyter.services import Services
from mltrack_jupyter.testing.making import (
    NOW,
    below_root,
    content_of,
    new_run,
    put,
    root_of,
    unique,
)

READY = LoggedModelStatus.READY
_TAG = "mltrack.model"


def place_of(model: LoggedModel) -> str:
    """Return the path of a model's files below the artifact root."""
    return below_root(model.info.artifact_uri)


def ready_model(
    services: Services, run: Run, content: bytes = b"1", path: str = "model"
) -> LoggedModel:
    """Log a model of one file at a path of a run."""
    info = run.info
    made = services.logged_models.create(
        info.experiment_id, name="model", source_run_id=info.run_id, artifact_path=path
    )
    put(services, f"{place_of(made)}/model.pkl", content)
    put(services, f"{place_of(made)}/MLmodel", content)
    return services.logged_models.finalize(made.info.model_id, READY)


class TestModelPlaces:
    """Each model has a place of its own; at a path of its run the newest is found."""

    def test_two_at_one_path(self, services: Services) -> None:
        run = new_run(services)
        first, second = ready_model(services, run, b"1"), ready_model(services, run, b"2")
        assert place_of(first) != place_of(second)
        assert {first.info.artifact_path, second.info.artifact_path} == {"model"}
        assert content_of(services, f"{place_of(first)}/model.pkl") == b"1"
        assert content_of(services, f"{place_of(second)}/model.pkl") == b"2"
        assert content_of(services, f"{root_of(run)}/model/model.pkl") == b"2"
        assert services.logged_models.get(first.model_id).info.artifact_path == "model"

    def test_it_is_listed_and_read_among_the_artifacts_of_its_run(self, services: Services) -> None:
        run = new_run(services)
        ready_model(services, run, path="models/best")
        put(services, f"{root_of(run)}/models/notes.txt", b"n")
        run_id = run.info.run_id
        listed = services.run_artifacts.list

        def names(path: str) -> list[str]:
            proxied = services.artifact_files.list(f"{root_of(run)}/{path}".rstrip("/")).files
            found = [item.path for item in listed(run_id, path).files]
            assert [item.path for item in proxied] == [name.rpartition("/")[2] for name in found]
            return found

        assert names("") == ["models"]
        assert names("models") == ["models/best", "models/notes.txt"]
        assert names("models/best") == ["models/best/MLmodel", "models/best/model.pkl"]
        with services.run_artifacts.read(run_id, "models/best/model.pkl").file as file:
            assert file.read() == b"1"
        for folder in ("models", "models/best"):
            with pytest.raises(InvalidParameter, match="directory"):
                services.run_artifacts.read(run_id, folder)
        with pytest.raises(NotFound):
            services.run_artifacts.read(run_id, "models/best/nothing")

    def test_one_that_is_not_ready_is_not_found_there(self, services: Services) -> None:
        run = new_run(services)
        ready_model(services, run, b"1")
        info = run.info
        for status in (None, LoggedModelStatus.FAILED):
            made = services.logged_models.create(
                info.experiment_id, source_run_id=info.run_id, artifact_path="model"
            )
            put(services, f"{place_of(made)}/model.pkl", b"half")
            if status:
                services.logged_models.finalize(made.model_id, status)
        assert content_of(services, f"{root_of(run)}/model/model.pkl") == b"1"

    def test_a_path_is_one_of_a_run_that_there_is(self, services: Services) -> None:
        info = new_run(services).info
        create = services.logged_models.create
        with pytest.raises(InvalidParameter, match="path"):
            create(info.experiment_id, source_run_id=info.run_id, artifact_path="../x")
        with pytest.raises(NotFound):
            create(info.experiment_id, source_run_id="0" * 32, artifact_path="model")

    def test_its_files_are_read_by_its_id(self, services: Services) -> None:
        made = ready_model(services, new_run(services))
        read = services.logged_models.read_artifact
        with read(made.model_id, "model.pkl").file as file:
            assert file.read() == b"1"
        with pytest.raises(NotFound):
            read(made.model_id, "nothing")
        with pytest.raises(InvalidParameter):
            read(made.model_id, "../model.pkl")


class TestFilesThatStay:
    """What a model that is ready, or a version, is made of is neither replaced nor deleted."""

    @pytest.mark.parametrize("file", ["MLmodel", "model.pkl"])
    def test_those_of_a_ready_model(self, services: Services, file: str) -> None:
        run = new_run(services)
        made = ready_model(services, run)
        for path in (f"{root_of(run)}/model", place_of(made)):
            with pytest.raises(InvalidParameter, match="stays as it is"):
                put(services, f"{path}/{file}", b"other")
            for gone in (f"{path}/{file}", path):
                with pytest.raises(InvalidParameter):
                    services.artifact_files.delete(gone)
        put(services, f"{place_of(made)}/{file}", b"1")  # the same again, as after a lost answer
        assert content_of(services, f"{place_of(made)}/{file}") == b"1"

    def test_one_that_is_ready_stays_ready(self, services: Services) -> None:
        made = ready_model(services, new_run(services))
        for status in (LoggedModelStatus.PENDING, LoggedModelStatus.FAILED):
            with pytest.raises(InvalidParameter, match="stays so"):
                services.logged_models.finalize(made.model_id, status)
        assert services.logged_models.finalize(made.model_id, READY).info.status == READY

    def test_one_in_the_trash_too(self, services: Services) -> None:
        made = ready_model(services, new_run(services))
        services.logged_models.delete(made.model_id)
        with pytest.raises(InvalidParameter, match="stays as it is"):
            put(services, f"{place_of(made)}/model.pkl", b"other")

    def test_further_files_are_taken_until_it_is_a_version(self, services: Services) -> None:
        run = new_run(services)
        made = ready_model(services, run)
        put(services, f"{place_of(made)}/report.txt", b"r")
        services.registered_models.register(unique("registered"), run.info.run_id, "model")
        with pytest.raises(InvalidParameter, match="version of a registered model"):
            put(services, f"{place_of(made)}/more.txt", b"m")

    def test_others_of_the_run_come_and_go(self, services: Services) -> None:
        run = new_run(services)
        ready_model(services, run)
        for path in ("model/extra.txt", "plots/a.png", "model.txt"):
            put(services, f"{root_of(run)}/{path}", b"1")
            put(services, f"{root_of(run)}/{path}", b"2")
            services.artifact_files.delete(f"{root_of(run)}/{path}")

    def test_those_of_a_version_that_is_made_of_a_folder_of_a_run(self, services: Services) -> None:
        run = new_run(services)
        put(services, f"{root_of(run)}/net/net.h5", b"1")
        services.registered_models.register(unique("registered"), run.info.run_id, "net")
        for path in ("net/net.h5", "net/more.txt"):
            with pytest.raises(InvalidParameter, match="version of a registered model"):
                put(services, f"{root_of(run)}/{path}", b"2")
        for path in ("net/net.h5", "net"):
            with pytest.raises(InvalidParameter, match="version of a registered model"):
                services.artifact_files.delete(f"{root_of(run)}/{path}")
        put(services, f"{root_of(run)}/network", b"2")
        services.artifact_files.delete(f"{root_of(run)}/network")

    @pytest.mark.parametrize(
        "source",
        ["runs:/{run_id}/model", "{root}/model", "models:/{model_id}"],
        ids=["by run", "by place", "by id"],
    )
    def test_a_version_is_made_of_what_its_source_means_then(
        self, services: Services, source: str
    ) -> None:
        run = new_run(services)
        first = ready_model(services, run, b"1")
        name = unique("registered")
        services.registered_models.create(name)
        given = source.format(
            run_id=run.info.run_id, root=run.info.artifact_uri, model_id=first.model_id
        )
        model_id = first.model_id if given.startswith("models:") else ""
        made = services.model_versions.create(
            name, given, run_id=run.info.run_id, model_id=model_id
        )
        ready_model(services, run, b"2")
        assert made.model_id == first.model_id
        assert services.model_versions.get_download_uri(name, "1") == first.info.artifact_uri

    def test_registering_names_the_newest_or_one_by_its_id(self, services: Services) -> None:
        run, name = new_run(services), unique("registered")
        first, second = ready_model(services, run, b"1"), ready_model(services, run, b"2")
        register = services.registered_models.register
        assert register(name, run.info.run_id).model_id == second.model_id
        assert register(name, run.info.run_id, "model").model_id == second.model_id
        assert register(name, run.info.run_id, model_id=first.model_id).model_id == first.model_id
        with pytest.raises(InvalidParameter, match="not one of the run"):
            register(name, new_run(services).info.run_id, model_id=first.model_id)

    def test_one_whose_upload_failed_becomes_no_version(self, services: Services) -> None:
        run, name = new_run(services), unique("registered")
        made = services.logged_models.create(
            run.info.experiment_id, source_run_id=run.info.run_id, artifact_path="model"
        )
        services.logged_models.finalize(made.model_id, LoggedModelStatus.FAILED)
        with pytest.raises(InvalidParameter, match="its upload failed"):
            services.registered_models.register(name, run.info.run_id, model_id=made.model_id)
        with pytest.raises(NotFound):
            services.registered_models.get(name)


class TestReservedTags:
    """What a run says of its models is said when a model is logged, and in no other way."""

    def test_a_note_sets_them(self, services: Services) -> None:
        run_id = new_run(services).info.run_id
        record = ModelRecord(artifact_path="m", class_name="a.B", entry='{"artifact_path": "m"}')
        services.logged_models.note(run_id, record)
        services.logged_models.note(run_id, record)
        tags = services.runs.get(run_id).data.tags
        assert tags[_TAG] == record.to_tag()
        assert tags["mlflow.log-model.history"].count("artifact_path") == 2

    @pytest.mark.parametrize(
        "wrong",
        [
            ModelRecord(artifact_path="../x"),
            ModelRecord(artifact_path=""),
            ModelRecord(artifact_path="m", model_id="x"),
            ModelRecord(artifact_path="m", entry="["),
            ModelRecord(artifact_path="m", entry="[]"),
        ],
    )
    def test_a_note_describes_a_model(self, services: Services, wrong: ModelRecord) -> None:
        run_id = new_run(services).info.run_id
        with pytest.raises(InvalidParameter):
            services.logged_models.note(run_id, wrong)
        assert _TAG not in services.runs.get(run_id).data.tags

    def test_what_a_run_of_elsewhere_says_is_kept_as_foreign(self, services: Services) -> None:
        for told, kept in (
            ('{"artifact_path": "m"}', "m"),
            ('["m"]', None),
            ('{"a":' * 5000, None),
        ):
            run = services.transfer.register_run(tags={_TAG: told})
            found = services.runs.get(run.info.run_id).data.tags[_TAG]
            if kept is None:
                assert found == told
            else:
                assert json.loads(found) == {"artifact_path": kept, "foreign": True}

    def test_nobody_else_sets_or_removes_them(self, services: Services) -> None:
        run = new_run(services)
        run_id = run.info.run_id
        services.logged_models.note(run_id, ModelRecord(artifact_path="m"))
        before = services.runs.get(run_id).data.tags
        tag = Tag(_TAG, "{}")
        for attempt in (
            lambda: services.runs.set_tag(run_id, _TAG, "{}"),
            lambda: services.runs.log_batch(run_id, tags=[Tag("a", "b"), tag]),
            lambda: services.runs.delete_tag(run_id, _TAG),
            lambda: services.runs.create(run.info.experiment_id, tags=[tag]),
        ):
            with pytest.raises(InvalidParameter, match="reserved"):
                attempt()
        assert services.runs.get(run_id).data.tags == before

    def test_a_journal_cannot_either_and_loses_nothing_else(self, services: Services) -> None:
        run_id = unique("run")
        new = NewRun(experiment_id="0", start_time=NOW)
        tags = [Tag(_TAG, "{}"), Tag("mine", "1")]
        answer = services.journals.append(
            unique("j"), 0, 1, [RunEntry(run_id=run_id, new=new, tags=tags)]
        )
        assert [(item.run_id, "reserved" in item.reason) for item in answer.refused] == [
            (run_id, True)
        ]
        found = services.runs.get(run_id).data.tags
        assert found["mine"] == "1"
        assert _TAG not in found

    def test_an_import_brings_one_that_says_it_was_made_elsewhere(self, services: Services) -> None:
        run = new_run(services)
        data = {"artifact_path": "m", "sha256": {"model.pkl": "ab"}}
        text = ModelRecord(artifact_path="m", digests=data["sha256"]).to_tag()  # type: ignore[arg-type]
        arrived = Run(info=run.info, data=type(run.data)(tag_list=[Tag(_TAG, text)]))
        services.transfer.import_run(arrived, [])
        assert '"foreign": true' in services.runs.get(run.info.run_id).data.tags[_TAG]


class TestModelsMadeWhileAway:
    """A model that a journal brings is a logged model, under the id that its process chose."""

    def test_it_is_found_by_its_id_and_by_its_path(self, services: Services) -> None:
        run = new_run(services)
        made = MadeModel(
            record=ModelRecord(artifact_path="model", model_id=f"m-{unique()[-12:]:0>32}"),
            tags=[Tag("a", "b")],
        )
        put(services, f"{root_of(run)}/{made.place}/model.pkl", b"1")
        entry = RunEntry(run_id=run.info.run_id, made=[made])
        journal = unique("j")
        assert services.journals.append(journal, 0, 1, [entry]).refused == []
        services.journals.append(unique("j"), 0, 1, [entry])  # told twice
        found = services.logged_models.get(made.record.model_id).info
        assert (found.status, found.artifact_path, found.tags) == (READY, "model", {"a": "b"})
        assert content_of(services, f"{root_of(run)}/model/model.pkl") == b"1"
        assert services.runs.get(run.info.run_id).outputs.model_outputs[0].model_id == (
            made.record.model_id
        )
        with pytest.raises(InvalidParameter, match="stays as it is"):
            put(services, f"{root_of(run)}/{made.place}/model.pkl", b"2")

    def test_it_has_an_id_and_a_path(self, services: Services) -> None:
        run_id = new_run(services).info.run_id
        for record in (
            ModelRecord(artifact_path="model"),
            ModelRecord(artifact_path="../model", model_id="m-" + "0" * 32),
            ModelRecord(artifact_path="model", model_id="../x"),
        ):
            entry = RunEntry(run_id=run_id, made=[MadeModel(record=record)])
            with pytest.raises(InvalidParameter):
                services.journals.append(unique("j"), 0, 1, [entry])
