"""Tables and images: what goes in, what is refused. The tutorials compare them with MLflow's."""

import io
import json
import warnings

import numpy as np
import pandas as pd
import PIL.Image
import pytest

import mltrack_jupyter
from mltrack_jupyter.errors import InvalidParameter, NotFound


def names(mltrack, run):
    client = mltrack.Client()

    def below(path):
        for item in client.list_artifacts(run.info.run_id, path):
            yield from below(item.path) if item.is_dir else [item.path]

    return sorted(below(""))


def test_parquet_keeps_types(mltrack):
    pytest.importorskip("pyarrow")
    frame = pd.DataFrame({"text": ["1", "2"], "when": pd.to_datetime(["2020-01-01", None])})
    with mltrack.start_run():
        mltrack.log_table(frame, "t.parquet")
        mltrack.log_table(frame, "t.parquet")
    found = mltrack.load_table("t.parquet")
    assert found["text"].tolist() == ["1", "2", "1", "2"]
    assert str(found["when"].dtype).startswith("datetime64")


def test_the_callers_frame_is_not_changed(mltrack):
    picture = mltrack.Image(np.zeros((3, 3)))
    frame = pd.DataFrame({"picture": [picture, PIL.Image.new("L", (2, 2))]})
    with mltrack.start_run() as run:
        mltrack.log_table(frame, "deep/pictures.json")
    assert frame["picture"][0] is picture
    cells = mltrack.load_table("deep/pictures.json")["picture"].tolist()
    assert {cell["filepath"] for cell in cells} < set(names(mltrack, run))
    assert cells[0]["filepath"].startswith("table_images/deep/pictures/")


def test_tables_of_several_runs_with_their_columns(mltrack):
    for depth in (1, 2):
        with mltrack.start_run():
            mltrack.log_param("depth", depth)
            mltrack.log_metric("loss", 1 / depth)
            mltrack.log_table({"run_id": ["mine"], "ä": ["ü"]}, "t.json")
    with mltrack.start_run():
        mltrack.log_text("[]", "t.json")  # a file of that name that is no table
    found = mltrack.load_table("t.json", extra_columns=["params.depth", "metrics.loss", "run_id"])
    assert sorted(found["params.depth"]) == ["1", "2"]
    assert sorted(found["metrics.loss"]) == [0.5, 1.0]
    assert found["run_id"].tolist() == ["mine", "mine"]
    assert found["run_id_"].str.len().tolist() == [32, 32]


@pytest.mark.parametrize(
    ("data", "name", "message"),
    [
        ([1, 2], "t.json", "a DataFrame or a dict"),
        ({"a": [1]}, "t.csv", "must end in"),
        ({"a": [1]}, "../t.json", "Invalid path"),
        ({"a": [1]}, "a,b.json", "holds one of"),
        ({"a": [1], "b": [1, 2]}, "t.json", "different lengths"),
        ({"a": [PIL.Image.new("L", (1, 1)), "x"]}, "t.json", "beside other things"),
    ],
)
def test_what_is_no_table(mltrack, data, name, message):
    with mltrack.start_run() as run, pytest.raises(InvalidParameter, match=message):
        mltrack.log_table(data, name)
    assert names(mltrack, run) == []


def test_a_table_that_is_not_there(mltrack):
    with pytest.raises(NotFound, match=r"'t\.json'"):
        mltrack.load_table("t.json")
    with mltrack.start_run() as run:
        mltrack.log_table({"a": 1}, "t.json")
    with pytest.raises(InvalidParameter, match="no column of search_runs"):
        mltrack.load_table("t.json", extra_columns=["colour"])
    assert mltrack.load_table("t.json", run_ids=[run.info.run_id])["a"].tolist() == [1]


def test_a_tag_that_somebody_broke_is_written_anew(mltrack):
    with mltrack.start_run(tags={"mlflow.loggedArtifacts": "no json"}) as run:
        mltrack.log_table({"a": 1}, "t.json")
    tag = mltrack.get_run(run.info.run_id).data.tags["mlflow.loggedArtifacts"]
    assert json.loads(tag) == [{"path": "t.json", "type": "table"}]


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((2, 3), bool),
        np.full((2, 3, 1), 255, np.int64),
        np.full((2, 3, 4), 0.5, np.float32),
        [[0.0, 1.0, 0.5], [1, 1, 1]],
        PIL.Image.new("CMYK", (3, 2)),
    ],
    ids=["booleans", "whole numbers", "floats", "a list", "Pillow"],
)
def test_images_in_every_form(mltrack, image):
    with mltrack.start_run() as run:
        mltrack.log_image(image, "i.tiff")
        mltrack.log_image(image, "bilder/straße.png") if not isinstance(
            image, PIL.Image.Image
        ) else None
    found = mltrack.artifacts.load_image(f"runs:/{run.info.run_id}/i.tiff")
    assert found.size == (3, 2)


@pytest.mark.parametrize(
    "mode", ["1", "P", "CMYK", "YCbCr", "LAB", "HSV", "PA", "La", "RGBa", "RGBX", "F", "I"]
)
def test_pictures_of_every_mode_are_written_in_one_that_looks_the_same(mode):
    from mltrack_jupyter.tracking.images import encoded

    picture = PIL.Image.new(mode, (3, 2))
    for name in ("a.png", "a.webp") + (() if mode in ("PA", "La", "RGBa") else ("a.jpg",)):
        found = PIL.Image.open(io.BytesIO(encoded(picture, name)))
        assert found.size == (3, 2)


def test_a_transparent_picture_is_no_jpeg(mltrack):
    with (
        mltrack.start_run() as run,
        pytest.raises(InvalidParameter, match="JPEG: cannot write mode"),
    ):
        mltrack.log_image(PIL.Image.new("RGBA", (2, 2)), "a.jpg")
    assert names(mltrack, run) == []


@pytest.mark.parametrize("layers", [(), (3,)])
def test_images_of_other_libraries(layers):
    torch = pytest.importorskip("torch")
    picture = torch.full((2, 5, *layers), 1.0, requires_grad=True)
    assert mltrack_jupyter.Image(picture).to_array().shape == (2, 5, *layers)
    assert mltrack_jupyter.Image(((0, 1), (1, 0))).size == (2, 2)


def test_floats_out_of_range_are_scaled_with_a_warning(mltrack):
    with pytest.warns(UserWarning, match="were scaled"):
        picture = mltrack.Image(np.array([[-1.0, 1.0]]))
    assert picture.to_list() == [0, 255]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        mltrack.Image(np.array([[0.0, 1.0]]))


@pytest.mark.parametrize(
    ("image", "place", "message"),
    [
        (np.array([[300]]), {"artifact_file": "i.png"}, "from 0 to 255"),
        (np.array([[np.nan]]), {"artifact_file": "i.png"}, "NaN"),
        (np.zeros(3), {"artifact_file": "i.png"}, "shape"),
        (np.zeros((2, 2, 2)), {"artifact_file": "i.png"}, "shape"),
        (np.zeros((0, 2)), {"artifact_file": "i.png"}, "shape"),
        (np.array([["a"]]), {"artifact_file": "i.png"}, "numbers"),
        ("missing.png", {"artifact_file": "i.png"}, "no readable image"),
        (3, {"artifact_file": "i.png"}, "not a int"),
        ([[1], [1, 2]], {"key": "a"}, "one length"),
        (np.zeros((2, 2)), {"artifact_file": "i.xyz"}, "no format"),
        (np.zeros((2, 2)), {"artifact_file": "../i.png"}, "Invalid path"),
        (np.zeros((2, 2)), {}, "needs artifact_file, or a key"),
        (np.zeros((2, 2)), {"key": "a%b"}, "a key of letters"),
        (np.zeros((2, 2)), {"key": "a", "step": 1.5}, "whole number"),
        (np.zeros((2, 2)), {"key": "a", "artifact_file": "i.png"}, "either artifact_file"),
    ],
)
def test_what_is_no_image(mltrack, image, place, message):
    with mltrack.start_run() as run, pytest.raises(InvalidParameter, match=message):
        mltrack.log_image(image, **place)
    assert names(mltrack, run) == []


def test_the_small_picture_is_small(mltrack):
    with mltrack.start_run() as run:
        mltrack.log_image(np.zeros((1000, 4)), key="tall")
    small = next(name for name in names(mltrack, run) if name.endswith(".webp"))
    assert mltrack.artifacts.load_image(f"runs:/{run.info.run_id}/{small}").size == (1, 256)
