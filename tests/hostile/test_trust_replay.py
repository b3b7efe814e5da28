"""What proves that a pickle is the reader's own: neither what he signed elsewhere, nor whose database it is."""

import io
import os
import shutil

import pytest
from trust_scene import (
    everything_said_in_the_database_too,
    forget_digests,
)

from mltrack_jupyter.errors import MltrackError, PermissionDenied
from mltrack_jupyter.models import audit
from mltrack_jupyter.privacy.key import key_place
from mltrack_jupyter.registry import load_model, log_model
from mltrack_jupyter.store import open_store

pytest.importorskip("sklearn")
AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files to somebody else")


class TestReplay:
    """Even what the victim did sign is proof only at its own place."""

    def copy(self, scene, into):
        for name in ("model.pkl", "MLmodel"):
            shutil.copyfile(scene.on_disk() / name, into / name)
        forget_digests(scene)
        scene.sql("DELETE FROM tags")

    def test_a_signed_model_in_the_place_of_another(self, scene):
        self.copy(scene, scene.on_disk(scene.other))
        (refused,) = scene.load(scene.other.model_uri).values()
        assert "not signed by your key as this model" in str(refused)

    def test_an_older_one_of_the_same_run_and_path(self, scene):
        newer = log_model(scene.victim, scene.run_id, scene.tree)
        self.copy(scene, scene.on_disk(newer))
        for refused in scene.load(newer.model_uri, f"runs:/{scene.run_id}/model").values():
            assert "not signed by your key as this model" in str(refused)

    def test_a_signed_model_in_a_run_of_the_attackers(self, scene):
        scene.sql(
            "UPDATE logged_models SET source_run_id = 'evil' WHERE model_id = ?",
            scene.info.model_id,
        )
        (refused,) = scene.load(scene.info.model_uri).values()
        assert "not signed by your key as this model" in str(refused)

    def test_a_store_that_was_moved_is_the_same_store(self, scene, tmp_path):
        scene.victim.close()
        moved = tmp_path / "elsewhere" / ".mltrack"
        moved.parent.mkdir()
        scene.store.rename(moved)
        scene.monkeypatch.setattr(audit, "_written", set())
        services = open_store(moved)
        assert load_model(services, "models:/iris/1").max_depth == 3
        services.close()


class TestWhoseDatabase:
    """A database vouches for nothing, whoever it belongs to: what proves is the key alone."""

    @pytest.mark.parametrize("mode", [0o666, 0o660])
    def test_one_that_others_may_write(self, scene, mode):
        (scene.store / "mltrack.db").chmod(mode)
        scene.store.chmod(0o777)
        assert not isinstance(scene.load()["models:/iris/1"], MltrackError)
        everything_said_in_the_database_too(scene)
        assert isinstance(scene.load()["models:/iris/1"], PermissionDenied)

    @AS_ROOT
    def test_one_of_another_user(self, scene):
        everything_said_in_the_database_too(scene)
        for place in (scene.store, *scene.store.rglob("*")):
            os.chown(place, 12345, 12345)
        assert isinstance(scene.load()["models:/iris/1"], PermissionDenied)

    def test_a_model_of_another_machine(self, scene):
        scene.monkeypatch.setenv("MLTRACK_STATE_DIR", str(scene.folder / "another machine"))
        assert isinstance(scene.load()["models:/iris/1"], PermissionDenied)
        assert not (scene.folder / "another machine").exists()  # to look makes no key

    @pytest.mark.parametrize(
        "spoil",
        [
            lambda place: place.chmod(0o644),
            lambda place: place.chmod(0o620),
            lambda place: place.parent.chmod(0o777),
            lambda place: place.unlink(),
        ],
        ids=["readable", "writable", "folder", "gone"],
    )
    def test_a_key_that_others_may_know_or_change(self, scene, spoil):
        spoil(key_place())
        assert isinstance(scene.load()["models:/iris/1"], PermissionDenied)

    @AS_ROOT
    @pytest.mark.parametrize("of", ["file", "folder"])
    def test_a_key_of_another_user(self, scene, of):
        place = key_place()
        os.chown(place if of == "file" else place.parent, 12345, 12345)
        assert isinstance(scene.load()["models:/iris/1"], PermissionDenied)


class TestListed:
    """A source that the reader trusts is a place: a version elsewhere does not become it by saying so."""

    def evil_version(self, scene, run_id="", model_id="", source=""):
        evil = scene.wire.runs.create("0").info
        root = evil.artifact_uri.partition(":/")[2]
        scene.put(f"{root}/x/model.pkl")
        scene.put(f"{root}/x/MLmodel", scene.forged())
        scene.wire.model_versions.create(
            "iris",
            source or f"{evil.artifact_uri}/x",
            run_id=run_id or evil.run_id,
            model_id=model_id,
        )
        scene.wire.registered_models.set_alias("iris", "champion", "2")

    def test_a_version_of_a_model_in_another_place(self, scene):
        scene.monkeypatch.setenv(audit.TRUST_VARIABLE, scene.info.model_uri)
        self.evil_version(scene, model_id=scene.info.model_id)
        found = scene.load("models:/iris/2", "models:/iris@champion", scene.info.model_uri)
        assert [isinstance(item, PermissionDenied) for item in found.values()] == [
            True,
            True,
            False,
        ]

    def test_a_version_of_a_run_in_an_object_store(self, scene):
        from mltrack_jupyter.store.artifacts import repository_at

        scene.monkeypatch.setenv(audit.TRUST_VARIABLE, f"runs:/{scene.run_id}")
        files = repository_at("memory://evil/x")
        files.write("model.pkl", io.BytesIO(scene.evil))
        files.write("MLmodel", io.BytesIO(scene.forged()))
        self.evil_version(scene, run_id=scene.run_id, source="memory://evil/x")
        (refused,) = scene.load("models:/iris/2").values()
        assert isinstance(refused, PermissionDenied)

    def test_the_model_itself_by_its_version(self, scene):
        forget_digests(scene)
        scene.monkeypatch.setenv("MLTRACK_STATE_DIR", str(scene.folder / "another machine"))
        scene.monkeypatch.setenv(
            audit.TRUST_VARIABLE, f"{scene.info.model_uri},runs:/{scene.run_id}"
        )
        for loaded in scene.load("models:/iris/1", f"runs:/{scene.run_id}/model").values():
            assert loaded.max_depth == 3
