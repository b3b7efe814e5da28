"""Any value of Python in the few kinds that files of text have, and any path as text."""

import collections
import dataclasses
import datetime
import decimal
import enum
import json
import math
import os
from pathlib import Path, PurePosixPath, PureWindowsPath

import numpy as np
import pandas as pd
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from mltrack_jupyter.errors import InvalidParameter
from mltrack_jupyter.plain import file_uri_path, path_text, plain
from mltrack_jupyter.tracking.contents import dict_text, text_bytes


class Speed(str, enum.Enum):
    SLOW = "slow"


class Level(enum.IntEnum):
    HIGH = 2


class Colour(enum.Enum):
    RED = "r"


@dataclasses.dataclass
class Settings:
    rate: float = 0.5
    layers: tuple = (1, 2)


Pair = collections.namedtuple("Pair", "left right")

ALIKE = {
    "a number of numpy": (np.int64(3), 3),
    "a float of numpy": (np.float32(0.5), 0.5),
    "a flag of numpy": (np.bool_(True), True),
    "a text of numpy": (np.str_("x"), "x"),
    "an array": (np.arange(4).reshape(2, 2), [[0, 1], [2, 3]]),
    "an array without dimensions": (np.array(2.5), 2.5),
    "the widest float": (np.longdouble(0.5), 0.5),
    "a tuple": ((1, (2,)), [1, [2]]),
    "a pair by name": (Pair(1, "x"), [1, "x"]),
    "a set": ({3, 1, 2}, [1, 2, 3]),
    "a set of several kinds": (frozenset(["b", 1]), [1, "b"]),
    "a queue": (collections.deque([1]), [1]),
    "an ordered dict": (collections.OrderedDict(b=1, a=2), {"b": 1, "a": 2}),
    "counts": (collections.Counter("aab"), {"a": 2, "b": 1}),
    "defaults": (collections.defaultdict(list, a=[1]), {"a": [1]}),
    "keys": ({"a": 1}.keys(), ["a"]),
    "a range": (range(2), [0, 1]),
    "an enumeration of texts": (Speed.SLOW, "slow"),
    "an enumeration of numbers": (Level.HIGH, 2),
    "another enumeration": (Colour.RED, "Colour.RED"),
    "a decimal": (decimal.Decimal("0.10"), "0.10"),
    "a path": (PurePosixPath("data/a.csv"), "data/a.csv"),
    "a record": (Settings(), {"rate": 0.5, "layers": [1, 2]}),
    "a series": (pd.Series({"a": 1, "b": np.nan}).astype("Int64"), {"a": 1, "b": None}),
    "a series without names": (pd.Series([1.5, 2.5]), [1.5, 2.5]),
    "a series with a name twice": (pd.Series([1, 2], index=["a", "a"]), [1, 2]),
    "a frame": (pd.DataFrame({"a": [1, 2]}), {"a": [1, 2]}),
    "a frame with an index": (pd.DataFrame({"a": [1]}, index=["x"]), {"a": {"x": 1}}),
    "names twice": (pd.DataFrame([[1, 2]], columns=["a", "a"]), {"columns": ["a", "a"], "data": [[1, 2]]}),
    "an index": (pd.Index([1, 2]), [1, 2]),
    "nothing": (pd.NA, None),
    "no time": (pd.NaT, None),
    "no time of numpy": (np.datetime64("NaT"), None),
    "a time of numpy": (np.datetime64("2024-01-02T03:04:05.000000006"), "2024-01-02T03:04:05.000000006"),
    "times of numpy": (np.array(["2024-01-02"], "datetime64[D]"), ["2024-01-02"]),
    "a duration": (datetime.timedelta(hours=1), "1:00:00"),
    "a complex number": (1 + 2j, "(1+2j)"),
    "a class": (int, "<class 'int'>"),
}  # fmt: skip


@pytest.mark.parametrize(("value", "due"), ALIKE.values(), ids=ALIKE)
def test_json_and_yaml_hold_the_same(value, due):
    assert json.loads(dict_text({"value": value}, "a.json")) == {"value": due}
    assert yaml.safe_load(dict_text({"value": value}, "a.yaml")) == {"value": due}
    assert json.loads(dict_text(value, "a.json")) == due  # not in a dict


def test_yaml_keeps_what_it_has_kinds_for_and_json_does_not():
    moment = pd.Timestamp("2024-01-02T03:04:05").to_pydatetime()
    given = {
        "day": moment.date(),
        "moment": pd.Timestamp(moment),
        "raw": bytearray(b"\xff"),
        1: math.inf,
    }
    assert yaml.safe_load(dict_text(given, "a.yml")) == {
        "day": moment.date(), "moment": moment, "raw": b"\xff", 1: math.inf,
    }  # fmt: skip
    assert json.loads(dict_text(given, "a.json")) == {
        "day": "2024-01-02", "moment": "2024-01-02 03:04:05", "raw": "bytearray(b'\\xff')", "1": math.inf,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("key", "in_json", "in_yaml"),
    [
        (np.int64(1), "1", 1), (1.5, "1.5", 1.5), (True, "true", True), (None, "null", None),
        ((1, "a"), "(1, 'a')", "(1, 'a')"), (Speed.SLOW, "slow", "slow"), (Colour.RED, "Colour.RED", "Colour.RED"),
        (datetime.date(2024, 1, 2), "2024-01-02", datetime.date(2024, 1, 2)), (Path("a/b"), "a/b", "a/b"),
    ],
)  # fmt: skip
def test_keys_that_are_no_text(key, in_json, in_yaml):
    assert json.loads(dict_text({key: 1}, "a.json")) == {in_json: 1}
    assert yaml.safe_load(dict_text({key: 1}, "a.yaml")) == {in_yaml: 1}


def itself():
    found = []
    found.append({"again": found})
    return found


def deep():
    found = []
    for _ in range(5_000):
        found = [found]
    return found


@pytest.mark.parametrize("ending", ["json", "yaml"])
@pytest.mark.parametrize(
    ("make", "message"),
    [
        (itself, "holds itself"),
        (deep, "nested too deeply"),
        (lambda: {(1, 2): 1, "(1, 2)": 2}, "one would be lost"),
    ],
)
def test_what_no_file_can_hold(make, message, ending):
    with pytest.raises(InvalidParameter, match=message):
        dict_text(make(), f"a.{ending}")


def test_one_list_in_two_places_is_no_circle():
    part = [1]
    assert plain({"a": part, "b": [part, part]}) == {"a": [1], "b": [[1], [1]]}
    assert "&" not in dict_text({"a": part, "b": part}, "a.yaml")


def test_keys_that_are_two_in_yaml_and_one_in_json():
    assert yaml.safe_load(dict_text({1: "a", "1": "b"}, "a.yaml")) == {1: "a", "1": "b"}
    with pytest.raises(InvalidParameter, match="both '1'"):
        dict_text({1: "a", "1": "b"}, "a.json")


@pytest.mark.parametrize("text", [b"raw", None, 3, {"a": 1}, "\ud800"])
def test_what_is_no_text(text):
    with pytest.raises(InvalidParameter, match=r"'a\.txt'"):
        text_bytes(text, "a.txt")


simple = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False)
    | st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]))
)  # fmt: skip
values = st.recursive(
    simple,
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(codec="ascii")), inner),
    max_leaves=8,
)


@given(values)
def test_what_is_plain_already_comes_back(value):
    assert json.loads(dict_text(value, "a.json")) == value
    assert yaml.safe_load(dict_text(value, "a.yaml")) == value


class Like:
    def __init__(self, path):
        self.path = path

    def __fspath__(self):
        return self.path


def test_paths_as_text():
    assert [path_text(path) for path in ("a/b", Path("a/b"), Like("a/b"))] == ["a/b"] * 3
    assert path_text(PureWindowsPath("a\\b")) == "a/b"


@pytest.mark.parametrize("path", [b"a", Like(b"a"), 7, None, ["a"]])
def test_what_is_no_path(path):
    with pytest.raises(InvalidParameter, match=r"A place must be text or a pathlib\.Path, not "):
        path_text(path, "A place")


@pytest.mark.parametrize(
    ("uri", "machine", "path"),
    [
        ("file:///a/b%20c", "", "/a/b c"), ("file:/a", "", "/a"), ("file:rel", "", "rel"),
        ("file://localhost/a", "localhost", "/a"), ("file://box/a", "box", "/a"), ("file://box", "box", ""),
        ("file:///what?.txt", "", "/what?.txt"), ("file:///a%3Fb%23c", "", "/a?b#c"), ("file:///a#1", "", "/a#1"),
    ],
)  # fmt: skip
def test_the_path_of_a_file_uri(uri, machine, path):
    assert file_uri_path(uri) == (machine, path)


def test_a_path_that_the_system_gives_is_the_one_that_is_read(tmp_path):
    for name in ("a b", "50%", "x?y#z", "ü"):
        assert file_uri_path((tmp_path / name).as_uri()) == ("", os.fspath(tmp_path / name))
