"""Objects whose own code raises, lies or goes round in circles: they cost neither the model nor the run."""

import warnings
from unittest import mock

import pytest
import yaml

import mltrack_jupyter as mltrack
from mltrack_jupyter.errors import InvalidParameter

pytest.importorskip("sklearn")


def claims(kind):
    return type("Claims", (), {"__class__": property(lambda self: kind)})()


def raises(name, error=None):
    def fail(*_given):
        raise error or RuntimeError("mine")

    made = property(fail) if name == "__class__" else fail
    return type("Raises", (), {name: made, "__len__": lambda self: 3})()


class UnspeakableError(Exception):
    def __str__(self):
        raise RuntimeError("no text")


class Itself:
    ndim = 0

    def __len__(self):
        return 3

    def item(self):
        return self

    tolist = toarray = item

    def model_dump(self):
        return {"self": self}


def ring():
    found = []
    found.append(found)
    return found


def deep():
    found = []
    for _ in range(5000):
        found = [found]
    return found


ODD = {
    **{f"claims {kind.__name__}": claims(kind) for kind in (str, int, float, bool, dict, list, tuple)},
    **{
        f"raises in {name}": raises(name)
        for name in ("__class__", "tolist", "toarray", "item", "__iter__", "__repr__", "__getattr__", "__fspath__",
                     "model_dump", "__eq__", "__hash__", "__array__", "iloc", "columns", "keys", "items")
    },
    "an error without a text": raises("tolist", UnspeakableError()),
    "no memory": raises("tolist", MemoryError()),
    "itself": Itself(), "a ring": ring(), "deep": deep(), "a mock": mock.Mock(), "a magic mock": mock.MagicMock(),
    "a mock of text": mock.Mock(spec=str), "a mock of a number": mock.Mock(spec=float), "a huge number": 10**5000,
    "half a character": "\ud800", "a generator": (number for number in ()), "a type": int, "an error": ValueError("x"),
    "a pair that raises": (raises("tolist"), {"a": raises("__class__")}),
}  # fmt: skip


def test_an_input_example_never_costs_the_model(environment, tmp_path):
    from sklearn.linear_model import LinearRegression

    model = LinearRegression().fit([[0.0], [1.0]], [0.0, 1.0])
    lost = {}
    for what, example in ODD.items():
        place = tmp_path / what
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                mltrack.sklearn.save_model(model, place, input_example=example)
            except Exception as error:
                lost[what] = error
                continue
        about = yaml.safe_load((place / "MLmodel").read_text())
        assert about["flavors"]["sklearn"]
    assert lost == {}


TAGS = [
    "!!python/object/apply:os.system [true]", "!!python/name:os.system", "!<tag:yaml.org,2002:python/none>", "&a *a",
    "<<: {a: 1}", "--- !x", "%TAG ! tag:evil,2000:", "? a\n: b", "\u2028- x", "null", "yes", "1e999", "0o17", "2024-01-01", "=", "",
]  # fmt: skip


@pytest.mark.parametrize("loader", [yaml.SafeLoader, yaml.UnsafeLoader])
def test_text_in_a_yaml_file_stays_text(environment, tmp_path, loader):
    """Whoever reads the file, in whatever careless way, runs nothing and reads what was written."""
    mltrack.set_tracking_uri(tmp_path / ".mltrack")
    content = {text: [text, {text: text}] for text in TAGS}
    try:
        with mltrack.start_run():
            mltrack.log_dict(content, "d.yaml")
            uri = mltrack.get_artifact_uri("d.yaml")
            with pytest.raises(InvalidParameter, match="YAML"):
                mltrack.log_dict({"a": 10**5000}, "n.yaml")
    finally:
        mltrack.set_tracking_uri("")
    with open(uri, encoding="utf-8") as file:
        assert yaml.load(file, loader) == content
