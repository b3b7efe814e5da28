"""Wherever a path is taken, it may be text or what stands for a path; bytes and numbers are refused in words."""

import os
from pathlib import Path, PurePosixPath

import numpy as np
import pandas as pd
import pytest

from mltrack_jupyter import MltrackError
from mltrack_jupyter.errors import InvalidParameter

sklearn = pytest.importorskip("sklearn.dummy")
pytest.importorskip("matplotlib")


class Like:
    """A path of nobody's library."""

    def __init__(self, path):
        self.path = path

    def __fspath__(self):
        return self.path


def figure():
    from matplotlib.figure import Figure

    return Figure()


def model():
    return sklearn.DummyClassifier().fit([[0], [1]], [0, 1])


def run_id(m):
    return m.active_run().info.run_id


# What each is called with: the package, and a function that makes a path of a text.
CALLS = {
    "set_tracking_uri": lambda m, p: m.set_tracking_uri(p("store")),
    "set_registry_uri": lambda m, p: m.set_registry_uri(p("store")),
    "Client": lambda m, p: m.Client(p("store"), p("store")).search_experiments(),
    "create_experiment": lambda m, p: m.create_experiment("one", artifact_location=p("away/one")),
    "Client.create_experiment": lambda m, p: m.Client().create_experiment("two", p("away/two")),
    "log_artifact": lambda m, p: m.log_artifact(p("f.txt"), p("a/b")),
    "log_artifact of a folder": lambda m, p: m.log_artifact(p("d"), p("a")),
    "log_artifacts": lambda m, p: m.log_artifacts(p("d"), p("e")),
    "log_text": lambda m, p: m.log_text("x", p("t.txt")),
    "log_dict": lambda m, p: m.log_dict({"a": 1}, p("t.yaml")),
    "log_figure": lambda m, p: m.log_figure(figure(), p("f.svg")),
    "log_image": lambda m, p: m.log_image(np.zeros((2, 2)), p("i.png")),
    "log_table": lambda m, p: (m.log_table({"a": 1}, p("t.json")), m.load_table(p("t.json"))),
    "Image": lambda m, p: m.Image(p("picture.png")).save(p("copy.png")),
    "log_input": lambda m, p: m.log_input(m.data.from_pandas(pd.DataFrame({"a": [1]}), p("f.txt"))),
    "get_artifact_uri": lambda m, p: m.get_artifact_uri(p("a/b")),
    "list": lambda m, p: m.artifacts.list_artifacts(run_id=run_id(m), artifact_path=p("known")),
    "download": lambda m, p: m.artifacts.download_artifacts(
        run_id=run_id(m), artifact_path=p("known/x.txt"), dst_path=p("down"), tracking_uri=p("store")
    ),
    "download of this machine": lambda m, p: m.artifacts.download_artifacts(p("d"), dst_path=p("down")),
    "load_text": lambda m, p: m.artifacts.load_text(p("f.txt")),
    "load_dict": lambda m, p: m.artifacts.load_dict(p("s.yaml")),
    "load_image": lambda m, p: m.artifacts.load_image(p("picture.png")),
    "Client.log_artifact": lambda m, p: m.Client().log_artifact(run_id(m), p("f.txt"), p("c")),
    "Client.log_artifacts": lambda m, p: m.Client().log_artifacts(run_id(m), p("d"), p("c")),
    "Client.log_text": lambda m, p: m.Client().log_text(run_id(m), "x", p("c.txt")),
    "Client.log_dict": lambda m, p: m.Client().log_dict(run_id(m), {}, p("c.yml")),
    "Client.log_figure": lambda m, p: m.Client().log_figure(run_id(m), figure(), p("c.png")),
    "Client.log_image": lambda m, p: m.Client().log_image(run_id(m), np.zeros((2, 2)), p("c.webp")),
    "Client.log_table": lambda m, p: m.Client().log_table(run_id(m), {"a": 1}, p("c.json")),
    "Client.list_artifacts": lambda m, p: m.Client().list_artifacts(run_id(m), p("known")),
    "Client.download_artifacts": lambda m, p: m.Client().download_artifacts(run_id(m), p("known"), p("down")),
    "log_model": lambda m, p: m.log_model(model(), p("m")),
    "sklearn.log_model": lambda m, p: m.sklearn.log_model(model(), name=p("m")),
    "save_model": lambda m, p: m.sklearn.save_model(model(), p("new"), pip_requirements=p("r.txt")),
    "load_model": lambda m, p: m.load_model(p("saved"), trust=True),
    "get_model_info": lambda m, p: m.models.get_model_info(p("saved")),
    "open_model": lambda m, p: m.models.open_model(p("saved/MLmodel"), trust=True),
    "register_model": lambda m, p: m.register_model(p("saved"), "kept"),
    "Client.log_model_artifact": lambda m, p: m.Client().log_model_artifact(
        m.log_model(model(), "m").model_id, p("f.txt"), p("more")
    ),
}  # fmt: skip


@pytest.fixture
def place(mltrack, tmp_path):
    """The package with a run that is open, in a folder with files of each kind."""
    import PIL.Image

    for name, text in {"f.txt": "x", "d/g.txt": "y", "s.yaml": "a: 1", "r.txt": "numpy"}.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    PIL.Image.new("L", (2, 2)).save(tmp_path / "picture.png")
    mltrack.set_tracking_uri("store")
    mltrack.sklearn.save_model(model(), "saved")
    with mltrack.start_run():
        mltrack.log_text("x", "known/x.txt")
        yield mltrack


@pytest.mark.parametrize("kind", [Path, PurePosixPath, Like])
def test_a_path_may_be_an_object(place, kind):
    for what, call in CALLS.items():
        try:
            call(place, kind)
        except (MltrackError, TypeError, AttributeError) as error:
            raise AssertionError(f"{what}: {error!r}") from error
    files = {item.path for item in place.Client().list_artifacts(run_id(place))}
    assert files >= {"a", "e", "t.txt", "t.yaml", "f.svg", "i.png", "t.json", "c", "c.json", "m"}


@pytest.mark.parametrize(
    "wrong",
    [os.fsencode, lambda path: Like(os.fsencode(path)), lambda path: 7],
    ids=["bytes", "like", "int"],
)
def test_what_is_no_path_is_refused_in_words(place, wrong):
    for what, call in CALLS.items():
        try:
            call(place, wrong)
        except InvalidParameter:
            continue
        except (TypeError, AttributeError) as error:
            raise AssertionError(f"{what}: {error!r}") from error
        raise AssertionError(f"{what} took it")


def test_a_local_path_that_comes_back_is_absolute(place, tmp_path):
    found = place.artifacts.download_artifacts(
        run_id=run_id(place), artifact_path="known/x.txt", dst_path="here"
    )
    assert found == str(tmp_path / "here" / "x.txt")
    assert place.artifacts.download_artifacts("f.txt", dst_path="here") == str(
        tmp_path / "here" / "f.txt"
    )
    uri = place.get_artifact_uri("known/x.txt")
    assert Path(place.artifacts.download_artifacts(uri, dst_path="there")).is_absolute()


@pytest.mark.parametrize("path", ["known", "known/"])
def test_a_folder_is_listed_with_and_without_a_slash(place, path):
    assert [item.path for item in place.Client().list_artifacts(run_id(place), path)] == [
        "known/x.txt"
    ]
    uri = f"runs:/{run_id(place)}/{path}"
    assert [item.path for item in place.artifacts.list_artifacts(uri)] == ["known/x.txt"]


NAMES = [
    "what?.txt",
    "a?b=c",
    "50%",
    "a#b",
    "a b",
    "a%20b",
    "d?x/e#f/g%h",
    "ü&=;+@",
    "[x]",
    "100%25",
    "~x",
]


@pytest.mark.parametrize("local", [False, True])
def test_signs_of_uris_in_names(mltrack, tmp_path, local):
    location = (tmp_path / "f?l#d e").as_uri() if local else None
    experiment = mltrack.create_experiment("odd", artifact_location=location)
    with mltrack.start_run(experiment_id=experiment) as run:
        for name in NAMES:
            mltrack.log_text(name, name)
            for uri in (mltrack.get_artifact_uri(name), f"runs:/{run.info.run_id}/{name}"):
                assert mltrack.artifacts.load_text(uri) == name
        info = mltrack.sklearn.log_model(model(), name="m", registered_model_name="m")
        assert mltrack.load_model(info.model_uri) is not None
    listed = mltrack.artifacts.list_artifacts(f"runs:/{run.info.run_id}/d?x/e#f")
    assert [item.path for item in listed] == ["d?x/e#f/g%h"]


def test_signs_of_uris_in_folders_of_this_machine(place, tmp_path):
    (tmp_path / "lo?c").mkdir()
    (tmp_path / "lo?c" / "f#1").write_text("here")
    for uri in ("lo?c/f#1", (tmp_path / "lo?c/f#1").as_uri(), f"file://{tmp_path}/lo?c/f#1"):
        assert place.artifacts.load_text(uri) == "here"
        source = place.data.from_numpy(np.eye(2), source=uri).source
        assert Path(source.load()).read_text() == "here"


def test_a_path_is_a_folder_and_no_uri(place):
    with pytest.raises(MltrackError, match="no model folder"):
        place.load_model(Path("nowhere"))
