"""Views: bundles that stay small, escaped and readable without a kernel."""

import base64
import io
import json
import math
import random
import re
from html.parser import HTMLParser

import pytest
from PIL import Image

from mltrack_jupyter.entities import (
    Column,
    Metric,
    Param,
    Run,
    RunData,
    RunInfo,
    RunStatus,
    RunTable,
    Tag,
)
from mltrack_jupyter.errors import InvalidParameter
from mltrack_jupyter.tracking import fluent
from mltrack_jupyter.widgets import (
    VIEW_TYPE,
    Card,
    Comparison,
    Notice,
    RunsView,
    card,
    compare,
    runs_view,
)
from mltrack_jupyter.widgets.axes import build_axes, build_axis, choose_axes, colour_axis
from mltrack_jupyter.widgets.bundle import MAX_OUTPUT, MAX_PNG, size_of
from mltrack_jupyter.widgets.parallel import axis_labels
from mltrack_jupyter.widgets.texts import duration, fitted, short_number, width_of

EVIL = "<img src=x onerror=alert(1)>\"'&</svg><script>"


def table(count, *, text="gini", extra=0, wild=False):
    rng = random.Random(count)
    columns = [
        Column(
            kind="param",
            key=text,
            values=[rng.choice([text, "b" * 80, None]) for _ in range(count)],
        ),
        Column(
            kind="param", key="lr", values=[str(10 ** rng.uniform(-4, 0)) for _ in range(count)]
        ),
        Column(kind="param", key="same", values=["1"] * count),
        Column(
            kind="metric", key="acc", values=[rng.random() if i % 7 else None for i in range(count)]
        ),
        Column(kind="tag", key="mlflow.user", values=["u"] * count),
        *(
            Column(kind="param", key=f"p{i}", values=[str(rng.random()) for _ in range(count)])
            for i in range(extra)
        ),
    ]
    if wild:
        columns.append(
            Column(kind="metric", key="wild", values=[math.nan, math.inf, *([1.0] * (count - 2))])
        )
    return RunTable(
        run_ids=[f"{rng.getrandbits(128):032x}" for _ in range(count)],
        run_names=[text] * count,
        experiment_ids=["0"] * count,
        statuses=[rng.choice(["FINISHED", "FAILED"]) for _ in range(count)],
        start_times=[1000] * count,
        end_times=[rng.choice([None, 5000]) for _ in range(count)],
        user_ids=["u"] * count,
        columns=columns,
        total=count,
    )


def run(status="FINISHED", text="x", **tags):
    return Run(
        info=RunInfo(
            run_id="a" * 32,
            run_name=text,
            experiment_id="1",
            status=RunStatus(status),
            start_time=0,
            end_time=None if status == "RUNNING" else 1500,
        ),
        data=RunData(
            metric_list=[Metric(text, 0.91234, 0)],
            param_list=[Param(text, text), Param("depth", "3")],
            tag_list=[Tag(key, value) for key, value in tags.items()],
        ),
    )


class Elements(HTMLParser):
    """Every element and attribute of some HTML."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.attributes, self.text = set(), set(), []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data):
        self.text.append(data)


EVIL_VIEWS = [
    Comparison(table(5, text=EVIL)),
    Comparison(table(5, text=EVIL), color=""),
    RunsView(table(5, text=EVIL)),
    Card(run(text=EVIL), EVIL, EVIL, [EVIL]),
    Notice(EVIL),
    Card(
        run(
            "FAILED", EVIL, **{"mltrack.error": EVIL, "mltrack.model": json.dumps({"class": EVIL})}
        ),
        EVIL,
    ),
]


@pytest.mark.parametrize("view", EVIL_VIEWS)
def test_everything_is_escaped(view):
    found = Elements(view.bundle()["text/html"])
    assert found.tags <= {
        "div",
        "span",
        "strong",
        "code",
        "table",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
        "svg",
        "g",
        "path",
        "rect",
        "text",
        "title",
    }
    assert not any(name.startswith("on") for name in found.attributes)
    assert not found.attributes & {"href", "src", "xlink:href"}


@pytest.mark.parametrize("view", EVIL_VIEWS[:-2])
def test_the_view_holds_ids_and_nothing_else(view):
    content = view.bundle()[VIEW_TYPE]
    assert set(content) == {"version", "run_ids", "view"}
    assert content["version"] == 1
    assert all(re.fullmatch("[0-9a-f]{32}", run_id) for run_id in content["run_ids"])
    assert content["view"]["kind"] in ("card", "runs", "compare", "run")
    assert "http" not in json.dumps(content)


@pytest.mark.parametrize(
    ("count", "extra"), [(1, 0), (2, 0), (20, 0), (300, 0), (300, 14), (40, 14)]
)
def test_a_comparison_keeps_to_its_size(count, extra):
    bundle = Comparison(table(count, extra=extra)).bundle()
    png = base64.b64decode(bundle["image/png"])
    assert size_of(bundle) <= MAX_OUTPUT
    assert len(png) <= MAX_PNG
    image = Image.open(io.BytesIO(png))
    assert image.width >= 600
    assert len(image.convert("RGB").getcolors(100_000)) > 3
    assert bundle["text/html"].count("<svg") == 1
    assert bundle["text/plain"]


def test_other_views_keep_to_their_size():
    many = run(text="n" * 3000)
    data = RunData(param_list=[Param(f"p{i}", "v" * 2000) for i in range(500)])
    assert (
        size_of(
            Card(Run(info=many.info, data=data), "e" * 500, warnings=["w" * 9999] * 50).bundle()
        )
        < 20_000
    )
    assert size_of(RunsView(table(1000, extra=40)).bundle()) <= MAX_OUTPUT


def test_axes_are_what_varies():
    axes = build_axes(table(30))
    names = [axis.id for axis in choose_axes(axes, None)]
    assert names == ["params.gini", "params.lr", "metrics.acc"]
    assert {axis.id for axis in axes} >= {"attributes.status", "attributes.duration", "params.same"}
    assert not any("mlflow" in axis.id for axis in axes)
    same = [axis for axis in axes if axis.id not in ("params.gini", "params.lr")]
    assert [axis.id for axis in choose_axes(same, None)] == ["attributes.duration", "metrics.acc"]
    assert colour_axis(axes, choose_axes(axes, None), None).id == "metrics.acc"
    assert [axis.id for axis in choose_axes(axes, ["acc", "attributes.duration"])] == [
        "metrics.acc",
        "attributes.duration",
    ]


def test_numbers_categories_and_missing_values():
    axis = build_axis("param", "a", ["10", "9", None, "x"])
    assert axis.categories == ("9", "10", "x")
    assert axis.missing == 1
    assert axis.places[2] is None
    axis = build_axis("metric", "m", [math.nan, math.inf, 1.0, 2.0])
    assert axis.is_number
    assert axis.missing == 2
    assert axis.varies
    axis = build_axis("param", "lr", ["0.001", "0.01", "1"])
    assert axis.is_log
    assert axis.unit(axis.places[0]) == 0
    assert abs(axis.unit(0.01) - 1 / 3) < 1e-9
    assert not build_axis("param", "a", ["1", "1"]).varies
    assert not build_axis("param", "a", [None, None]).varies


def test_labels():
    assert [t for _, t in axis_labels(build_axis("param", "d", ["2", "3"]))] == ["2", "3"]
    texts = [t for _, t in axis_labels(build_axis("metric", "d", [0.0, 0.5, 1.0]))]
    assert texts == ["0", "0.2", "0.4", "0.6", "0.8", "1"]
    texts = [t for _, t in axis_labels(build_axis("param", "lr", ["0.0001", "1"]))]
    assert texts == ["1e-4", "0.001", "0.01", "0.1", "1"]
    assert len(axis_labels(build_axis("param", "c", [f"c{i}" for i in range(100)]))) <= 12
    for values in ([1e-300, 1e300], [-5.0, 5.0], [1e9, 1e9 + 1], [0.1, 0.1 + 1e-15]):
        assert len(axis_labels(build_axis("metric", "m", values))) >= 2


def test_a_missing_value_has_its_lane_and_wild_numbers_draw():
    assert "missing" in Comparison(table(20)).picture().svg()
    assert Comparison(table(9, wild=True)).bundle()["image/png"]
    assert (
        "No params"
        in Comparison(
            RunTable(
                run_ids=["a" * 32],
                run_names=["n"],
                experiment_ids=["0"],
                statuses=["RUNNING"],
                start_times=[0],
                end_times=[None],
                user_ids=["u"],
            )
        )
        .picture()
        .svg()
    )


def test_the_picture_is_the_same_in_both_forms():
    picture = Comparison(table(6)).picture()
    assert picture.svg().count("<text") == sum(
        type(item).__name__ == "Text" for item in picture.items
    )
    size = Image.open(io.BytesIO(picture.png(2))).size
    assert size == (picture.width * 2, picture.height * 2)


def test_an_unknown_axis_is_named():
    with pytest.raises(InvalidParameter, match=r"'nope'.*metrics\.acc"):
        Comparison(table(3), axes=["nope"])
    with pytest.raises(InvalidParameter, match="'nope'"):
        Comparison(table(3), color="nope")


def test_cards():
    text = repr(Card(run("RUNNING", "otter"), "iris"))
    assert text.startswith("otter: RUNNING in iris")
    tags = {
        "mltrack.inferred": json.dumps({"params": ["depth"], "metrics": []}),
        "mltrack.model": '{"class": "a.b.Tree"}',
    }
    shown = Card(run("FINISHED", "acc", **tags), "iris", "tree 3", ["look"]).bundle()
    html, plain = shown["text/html"], shown["text/plain"]
    assert html.count("inferred from the cell") == 1
    assert "Tree, registered as tree 3" in html
    assert "1.5 s" in plain
    assert "warning: look" in plain
    assert "acc=0.9123" in plain
    failed = Card(run("FAILED", "x", **{"mltrack.error": "Traceback\n  File\nValueError: no\n"}))
    assert "ValueError: no" in failed.bundle()["text/html"]
    assert "Traceback" not in repr(failed)
    assert Card(run(text="x", **{"mltrack.inferred": "[broken", "mltrack.model": "3"})).bundle()


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.91342, "0.9134"),
        (12500.0, "12.5k"),
        (3e-5, "3e-5"),
        (0.0, "0"),
        (-1.5, "-1.5"),
        (100.0, "100"),
        (1234.5, "1235"),
        (2.5e9, "2.5G"),
        (math.nan, "NaN"),
        (1e20, "1e20"),
        (0.001, "0.001"),
    ],
)
def test_short_numbers(value, text):
    assert short_number(value) == text


def test_texts():
    assert [duration(ms) for ms in (340, 12_400, 200_000, 7_500_000, 273_600_000)] == [
        "340 ms",
        "12.4 s",
        "3 min 20 s",
        "2 h 5 min",
        "3 d 4 h",
    ]
    assert width_of(fitted("a very long name", 11, 60), 11) <= 60
    assert fitted("ok", 11, 60) == "ok"


@pytest.fixture
def two_runs(tmp_path):
    fluent.set_tracking_uri(tmp_path / ".mltrack")
    ids = []
    for depth in (2, 3):
        with fluent.start_run() as started:
            fluent.log_params({"depth": depth})
            fluent.log_metric("acc", depth / 10)
        ids.append(started.info.run_id)
    yield ids
    fluent.services().close()


def test_the_public_faces(two_runs):
    assert compare(two_runs).run_ids == two_runs
    assert compare(two_runs[0]).run_ids == two_runs[:1]
    assert compare("metrics.acc > 0.25").run_ids == two_runs[1:]
    assert compare().run_ids == runs_view().run_ids == two_runs[::-1]
    assert compare(two_runs, color="metrics.acc").spec == {"color": "metrics.acc"}
    assert card(two_runs[0]).bundle()[VIEW_TYPE]["run_ids"] == two_runs[:1]
    with pytest.raises(InvalidParameter, match="no such runs"):
        compare("metrics.acc > 9")
    with pytest.raises(InvalidParameter, match="int"):
        compare([1, 2])


def test_a_frame_of_runs(two_runs):
    pandas = pytest.importorskip("pandas")
    assert compare(pandas.DataFrame({"run_id": two_runs})).run_ids == two_runs
    with pytest.raises(InvalidParameter, match="run_id"):
        compare(pandas.DataFrame({"id": two_runs}))


def test_the_live_widget(two_runs, monkeypatch, tmp_path):
    live = pytest.importorskip("mltrack_jupyter.widgets.live")
    widget = live.CompareWidget.of(table(3, wild=True), {"color": "metrics.acc"})
    assert widget.spec == {"color": "metrics.acc"}
    assert widget.selected == []
    wild = next(column for column in widget.table["columns"] if column["key"] == "wild")
    assert wild["values"] == ["NaN", "Infinity", 1.0]
    json.dumps(widget.table, allow_nan=False)
