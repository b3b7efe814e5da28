"""The files of a model that is ready, and of a version, whichever way somebody with a token tries to change them."""

import hashlib
import io
import json

import pytest

from mltrack_jupyter.entities import InlineFile, NewRun, Run, RunEntry, RunInfo, RunStatus
from mltrack_jupyter.errors import InvalidParameter
from mltrack_jupyter.store import open_store
from mltrack_jupyter.testing.making import put, root_of

pytest.importorskip("sklearn")


def seen(scene, path="model"):
    """Return what the run shows at a path, by name."""
    files = scene.wire.run_artifacts
    names = [item.path for item in files.list(scene.run_id, path).files if not item.is_dir]
    return {name: files.read(scene.run_id, name).file.read() for name in names}


class TestSharedFiles:
    """A file that is given to a run by its digest comes among no model's."""

    PATHS = [
        "model/model.pkl",
        "model/MLmodel",
        "model/new.py",
        "model/a/b",
        "other",
        "other/MLmodel",
    ]

    def bring(self, scene):
        digest = hashlib.sha256(scene.evil).hexdigest()
        scene.wire.run_artifacts.put_shared(digest, io.BytesIO(scene.evil))
        return digest

    @pytest.mark.parametrize("path", PATHS)
    def test_by_the_operation(self, scene, path):
        before = seen(scene)
        with pytest.raises(InvalidParameter, match="the files of a model"):
            scene.wire.run_artifacts.share(scene.run_id, {path: self.bring(scene)})
        assert seen(scene) == before

    @pytest.mark.parametrize("path", PATHS)
    def test_by_a_journal(self, scene, path):
        before = seen(scene)
        entry = RunEntry(
            run_id=scene.run_id, shared={path: self.bring(scene), "fine": self.bring(scene)}
        )
        answer = scene.wire.journals.append("j", 0, 1, [entry])
        assert seen(scene) == before
        assert "the files of a model" in str(answer)

    def test_of_a_version_that_is_in_the_runs_own_folder(self, scene):
        run_id = scene.wire.runs.create("0").info.run_id
        root = scene.wire.runs.get(run_id).info.artifact_uri
        put(scene.wire, f"{root.removeprefix('mlflow-artifacts:/')}/old/MLmodel", b"flavors: {}")
        scene.wire.model_versions.create("iris", f"{root}/old", run_id=run_id)
        with pytest.raises(InvalidParameter, match="the files of a model"):
            scene.wire.run_artifacts.share(run_id, {"old/new.py": self.bring(scene)})
        scene.wire.run_artifacts.share(run_id, {"older/new.py": self.bring(scene)})


def register(scene, experiment, run_id, content=b"evil"):
    files = [InlineFile(path="model.pkl", text=content.decode()), InlineFile(path="new", text="x")]
    return scene.wire.transfer.register_run(experiment, run_id=run_id, artifacts=files)


class TestFoldersInFolders:
    """Nothing is in the folder of something else: what is in it would be written and purged with it."""

    def files(self, scene):
        return {
            str(path): path.read_bytes()
            for path in scene.store.joinpath("artifacts").rglob("*")
            if path.is_file()
        }

    def make(self, scene, place, run_id, way):
        number = scene.wire.experiments.create(way, place)
        if way == "registered":
            register(scene, way, run_id)
        elif way == "imported":
            info = RunInfo(
                run_id=run_id,
                run_name="x",
                experiment_id=number,
                status=RunStatus.FINISHED,
                start_time=1,
            )
            scene.wire.transfer.import_run(Run(info=info), [])
        else:
            new = NewRun(experiment_id=number, start_time=1)
            scene.wire.journals.append("j", 0, 1, [RunEntry(run_id=run_id, new=new)])

    @pytest.mark.parametrize(
        ("location", "run_id"),
        [
            ("0/models", "{model}"),
            ("0/Models", "{MODEL}"),
            ("0/models/{model}/artifacts", "inner"),
            ("0/models/{model}/artifacts/deeper", "inner"),
            ("0/models/{model}", "artifacts"),
            ("0/{run}/artifacts", "old"),
            ("0/{RUN}/Artifacts", "old"),
            ("0/{run}", "artifacts"),
            ("0", "models"),
            (".purged", "x"),
            (".shared/x", "x"),
            (".Purged", "x"),
        ],
    )
    def test_a_run_in_the_folder_of_another(self, scene, location, run_id):
        put(scene.wire, f"{scene.run_root}/old/artifacts/model.pkl", b"a run's own")
        ids = {"model": scene.info.model_id, "run": scene.run_id}
        ids |= {name.upper(): value.upper() for name, value in ids.items()}
        run_id = run_id.format(**ids)
        before = self.files(scene)
        place = f"mlflow-artifacts:/{location.format(**ids)}"
        for way in ("registered", "imported", "by a journal"):
            with pytest.raises(InvalidParameter):
                self.make(scene, place, run_id, way)
        assert self.files(scene) == before

    @pytest.mark.parametrize("where", ["models/{model}/artifacts", "{run}/artifacts/old/artifacts"])
    def test_a_row_that_is_there_already(self, scene, where):
        put(scene.wire, f"{scene.run_root}/old/artifacts/model.pkl", b"a run's own")
        run_id = scene.wire.runs.create("0").info.run_id
        before = self.files(scene)
        ids = {"model": scene.info.model_id, "run": scene.run_id}
        name = where.format(**ids).split("/")[-2]
        scene.sql(
            "UPDATE runs SET run_id = ?, artifact_uri = ? WHERE run_id = ?",
            name, f"mlflow-artifacts:/0/{where.format(**ids)}", run_id,
        )  # fmt: skip
        scene.sql("UPDATE runs SET lifecycle_stage = 'deleted' WHERE run_id = ?", name)
        try:
            scene.victim.workspace.purge(run_ids=[name])
        except InvalidParameter:
            assert name.startswith("m-")
        assert self.files(scene) == before

    def test_a_place_in_the_stores_own_object_store(self, tmp_path):
        """An address of the object store itself is the same place as its ``mlflow-artifacts:``."""
        services = open_store(tmp_path / "s.db", artifact_root="memory://bucket/root")
        run = services.runs.create("0")
        root = services.kept(run.info.artifact_uri).removeprefix("mlflow-artifacts:/")
        assert run.info.artifact_uri == f"memory://bucket/root/{root}"
        put(services, f"{root}/a")
        services.registered_models.create("m")
        source = f"{run.info.artifact_uri}/x"
        put(services, f"{root}/x/MLmodel")
        services.model_versions.create("m", source, run_id=run.info.run_id)
        for name, path in (("all", "0"), ("run", root), ("inner", f"{root}/x")):
            info = RunInfo(
                run_id=name,
                experiment_id="0",
                artifact_uri=f"memory://bucket/root/{path}",
                status=RunStatus.FINISHED,
                start_time=1,
            )
            services.transfer.import_run(Run(info=info), [])
            services.runs.delete(name)
            services.workspace.purge(run_ids=[name])
        names = [item.path for item in services.run_artifacts.list(run.info.run_id).files]
        assert names == ["a", "x"]
        with pytest.raises(InvalidParameter, match="in the folder of a run"):
            services.experiments.create("evil", f"memory://bucket/root/{root}/x")
        services.close()

    def test_a_default_root_within_the_root(self, tmp_path):
        top = tmp_path / "artifacts"
        services = open_store(
            tmp_path / "s.db",
            artifact_root=str(top),
            default_artifact_root=str(top / "sub"),
        )
        run = services.runs.create(services.experiments.create("e"))
        path = root_of(run)
        assert path.startswith("sub/")
        put(services, f"{path}/a")
        for folder in (path.rpartition("/")[0], path.split("/")[0]):
            with pytest.raises(InvalidParameter, match="holds the folder"):
                services.artifact_files.delete(folder)
        put(
            services,
            "sub/.purged/x/of.json",
            json.dumps({"entity": "run", "id": "x", "root": "sub/y"}).encode(),
        )
        put(services, "sub/.purged/x/files/a")
        services.workspace.purge(run_ids=[])
        assert not (top / "sub" / "y").exists()
        assert (top / "sub" / ".purged" / "x" / "files" / "a").exists()
        services.close()


class TestCopies:
    """A version that was copied from another one is what that was, whatever becomes of it."""

    def copied(self, scene):
        scene.wire.registered_models.create("copy")
        return scene.wire.model_versions.create("copy", "models:/iris/1")

    def test_it_is_of_the_same_model(self, scene):
        assert self.copied(scene).model_id == scene.info.model_id

    def test_another_version_takes_the_name_and_number_of_the_first(self, scene):
        self.copied(scene)
        place = scene.wire.model_versions.get_download_uri("copy", "1")
        evil = scene.wire.runs.create("0").info
        scene.wire.registered_models.delete("iris")
        scene.wire.registered_models.create("iris")
        scene.wire.model_versions.create("iris", f"{evil.artifact_uri}/x", run_id=evil.run_id)
        assert scene.wire.model_versions.get_download_uri("copy", "1") == place

    @pytest.mark.parametrize("noted", [True, False])
    def test_its_files_stay_when_the_run_is_purged(self, scene, noted):
        self.copied(scene)
        if not noted:  # as older rows are
            scene.sql("UPDATE model_versions SET model_id = '' WHERE source LIKE 'models:%'")
        scene.wire.model_versions.delete("iris", "1")
        scene.wire.runs.delete(scene.run_id)
        (item,) = scene.victim.workspace.purge(run_ids=[scene.run_id]).items
        assert "'copy' is made of it" in item.kept_because
        assert (scene.on_disk() / "model.pkl").exists()
