"""Figures: the formats of a name's ending, and the settings that reach the library."""

import io
import json
import sys

import pytest

from mltrack_jupyter.errors import InvalidParameter
from mltrack_jupyter.tracking.figures import figure_bytes


@pytest.fixture
def drawing():
    figure = pytest.importorskip("matplotlib.figure").Figure(figsize=(2, 1))
    figure.add_subplot().plot([1, 3, 2])
    return figure


@pytest.fixture
def plotted():
    go = pytest.importorskip("plotly.graph_objects")
    return go.Figure(go.Scatter(y=[1, 2]))


@pytest.mark.parametrize(
    ("name", "options", "begin"),
    [
        ("a.png", {}, b"\x89PNG"),
        ("a", {}, b"\x89PNG"),
        ("a.svg", {"bbox_inches": "tight"}, b"<?xml"),
        ("a.dat", {"format": "png"}, b"\x89PNG"),
        ("a.png", {"format": "pdf"}, b"%PDF"),
        ("A.PNG", {"dpi": 30, "transparent": True}, b"\x89PNG"),
    ],
)
def test_a_drawing_of_matplotlib(drawing, name, options, begin):
    assert figure_bytes(drawing, name, options).startswith(begin)


def test_settings_reach_matplotlib(drawing):
    from PIL import Image

    sizes = [
        Image.open(io.BytesIO(figure_bytes(drawing, "a.png", {"dpi": dpi}))).size
        for dpi in (50, 100)
    ]
    assert sizes == [(100, 50), (200, 100)]


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("a.dat", None, "'dat' is not supported"),
        ("a.png", {"colour": 1}, "colour"),
        ("a.png", {"dpi": "many"}, "with save_kwargs="),
        ("a.png", {"bbox_inches": 5}, "with save_kwargs="),
        ("a.png", {"fname": "b.png"}, "fname"),
        ("a.png", ["dpi"], "must be a dict"),
    ],
)
def test_settings_that_matplotlib_does_not_take(mltrack, drawing, name, options, message):
    with mltrack.start_run() as run, pytest.raises(InvalidParameter, match=message):
        mltrack.log_figure(drawing, name, save_kwargs=options)
    assert mltrack.Client().list_artifacts(run.info.run_id) == []


def test_settings_reach_plotly(mltrack, plotted):
    options = {"include_plotlyjs": False, "div_id": "mine"}
    with mltrack.start_run() as run:
        mltrack.log_figure(plotted, "a.html", save_kwargs=options)
        mltrack.Client().log_figure(run.info.run_id, plotted, "b.html")
        mltrack.log_figure(plotted, "c.json", save_kwargs={"pretty": True})
    told = [mltrack.artifacts.load_text(f"runs:/{run.info.run_id}/{name}.html") for name in "ab"]
    assert ("mine" in told[0], "cdn.plot.ly" in told[0]) == (True, False)
    assert "cdn.plot.ly" in told[1]
    assert mltrack.artifacts.load_dict(f"runs:/{run.info.run_id}/c.json")["data"][0]["y"]
    assert options == {"include_plotlyjs": False, "div_id": "mine"}


def test_plotly_inside_of_the_file(plotted):
    assert len(figure_bytes(plotted, "a.html", {"include_plotlyjs": True})) > 1_000_000


def test_pictures_of_plotly_need_a_package(plotted, monkeypatch):
    monkeypatch.setitem(sys.modules, "kaleido", None)
    with pytest.raises(InvalidParameter, match=r"'a\.png' cannot be drawn"):
        figure_bytes(plotted, "a.png", None)


class Plot:
    """What a figure of plotly offers, without plotly."""

    def write_html(self, file, **options):
        file.write(json.dumps(options))

    def to_image(self, **options):
        return json.dumps(options).encode()

    to_json = to_image


@pytest.mark.parametrize(
    ("name", "options", "due"),
    [
        ("a.html", {}, {"include_plotlyjs": "cdn", "auto_open": False}),
        ("a.html", {"auto_open": True}, {"include_plotlyjs": "cdn", "auto_open": True}),
        ("a.webp", {"scale": 2}, {"format": "webp", "scale": 2}),
        ("a.png", {"format": "svg"}, {"format": "svg"}),
    ],
)
def test_what_plotly_is_told(name, options, due):
    assert json.loads(figure_bytes(Plot(), name, options)) == due


@pytest.mark.parametrize("name", ["a", "a.txt"])
def test_what_is_no_figure(name):
    with pytest.raises(InvalidParameter, match="log_figure takes"):
        figure_bytes(Plot(), name, None)
    with pytest.raises(InvalidParameter, match="not a list"):
        figure_bytes([1], "a.png", None)
