"""The files of a model that is ready, and of a version, whichever way somebody with a token tries to change them."""

import hashlib
import io

import pytest

from mltrack_jupyter.entities import RunEntry
from mltrack_jupyter.errors import InvalidParameter
from mltrack_jupyter.testing.making import put

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
