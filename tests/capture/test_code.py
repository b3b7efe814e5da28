"""What a cell's source says about its names."""

import ast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mltrack_jupyter.capture.code import (
    NotLiteralError,
    literal_value,
    read_code,
    will_compile,
)


def literals(source):
    return {name: values[-1] for name, values in read_code(source).literals().items()}


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("a = 3", {"a": 3}),
        ("a = -1e-3; b = +2", {"a": -1e-3, "b": 2}),
        ("a = b = 'x'", {"a": "x", "b": "x"}),
        ("a, b = 1, 'y'", {"a": 1, "b": "y"}),
        ("(a, [b, c]) = 1, (2, 3)", {"a": 1, "b": 2, "c": 3}),
        ("a: int = 3", {"a": 3}),
        ("a: int", {}),
        ("a = None; b = True", {"a": None, "b": True}),
        (
            "a = [1, -2]; b = (1, 'x'); c = {'k': [1]}",
            {"a": [1, -2], "b": (1, "x"), "c": {"k": [1]}},
        ),
        ("a = 28 * 28; b = 10 ** -3; c = 1 / 4", {"a": 784, "b": 0.001, "c": 0.25}),
        ("a = 9 ** 9 ** 9; b = 1 / 0; c = 'x' * 9", {}),
        ("a = []; b = {}; c = {1: 2}; d = {**e}", {}),
        ("a = f(); b = a; c = f'{a}'; d = b'x'; e = 1j; f = ...", {}),
        ("_a = 1; __b = 2", {}),
        ("a = 0\nfor i in x:\n    a += i", {}),
        ("a = 0\nfor a in x: pass", {}),
        ("a = 1\nimport a", {}),
        ("a = 1\ndel a", {}),
        ("if x:\n    a = 1", {}),
        ("a = 1\nif x:\n    a = 2", {"a": 2}),
        ("def f():\n    a = 1\nclass C:\n    b = 2", {}),
        ("a = 1\nb = (a := 2)", {}),
        ("*a, b = 1, 2", {}),
        ("x[0] = 1; y.z = 2", {}),
        ("a = = 1", {}),
        ("a = [" + "1, " * 51 + "]", {}),
    ],
)
def test_literals(source, expected):
    assert literals(source) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("a = f(); b: float = g(); c, d = h()", ["a", "b", "c", "d"]),
        ("a = 0\na += 1", ["a"]),
        ("for i in x:\n    loss = f(i)", ["loss"]),
        ("with f() as g:\n    a = g()", ["a"]),
        ("try:\n    a = f()\nexcept E as e:\n    b = f()", ["a", "b"]),
        ("import m\ndef f(): pass\n[z := 1]", []),
        ("match x:\n    case [a, *b]:\n        c = f()", ["c"]),
        ("a, *rest = f()", ["a", "rest"]),
        ("_a = f()", []),
    ],
)
def test_computed(source, expected):
    assert read_code(source).computed() == expected


def test_what_was_certainly_reached():
    code = read_code("a = f()\nif x:\n    b = f()\nfor i in y:\n    c = f()\nd = f()")
    assert code.surely_bound("a", None)
    assert code.surely_bound("a", 6)
    assert code.surely_bound("d", None)
    assert not code.surely_bound("d", 6)
    assert not code.surely_bound("b", None)
    assert code.only_conditional("b")
    assert not code.only_conditional("c")


def test_fit_calls():
    code = read_code("m = Model().fit(X, y)\nn.partial_fit(Z)\nfor i in a:\n    k.fit(X[:i])")
    assert code.fitted == ["n", "k"]
    assert code.inputs == {"m": "X", "n": "Z"}


def test_errors_that_come_after_parsing():
    assert will_compile("await f()\nx = 1", 0)
    assert will_compile("from __future__ import annotations", 0)
    assert not will_compile("x = 1\nreturn x", 0)
    assert not will_compile("x = = 1", 0)


def test_no_warnings_of_its_own(recwarn):
    read_code("a = '\\d'\nb = 1 is 1")
    will_compile("a = '\\d'\nb = 1 is 1", 0)
    assert list(recwarn) == []


plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: (
        st.lists(inner, min_size=1, max_size=4)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text(), inner, min_size=1, max_size=3)
    ),
    max_leaves=8,
)


@given(plain)
def test_every_literal_is_read_as_python_reads_it(value):
    source = repr(value)
    try:
        node = ast.parse(source, mode="eval").body
    except ValueError:
        return
    found = literal_value(node)
    assert found == ast.literal_eval(source)
    assert type(found) is type(value)


@given(st.text(max_size=60))
@settings(max_examples=300)
def test_any_text_can_be_read(source):
    code = read_code(source)
    assert set(code.literals()) | set(code.computed()) <= set(code.bindings)


@given(
    st.recursive(
        st.sampled_from(["1", "x", "'s'", "f()", "1.5", "-2"]),
        lambda i: st.builds("({} {} {})".format, i, st.sampled_from("+-*/%"), i),
        max_leaves=6,
    )
)
def test_arithmetic_is_right_or_not_literal(source):
    try:
        found = literal_value(ast.parse(source, mode="eval").body)
    except NotLiteralError:
        return
    assert found == eval(source)
