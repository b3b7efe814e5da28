"""The public face: what it names is there, is documented, and is nothing by accident."""

import importlib
import inspect
from pathlib import Path

import pytest

import mltrack_jupyter

ROOMS = ["entities", "errors", "services", "store", "models", "registry", "tracking.fluent",
         "tracking.client", "tracking.autolog", "testing"]  # fmt: skip


def test_the_names_are_sorted():
    assert mltrack_jupyter.__all__ == sorted(mltrack_jupyter.__all__)
    assert len(set(mltrack_jupyter.__all__)) == len(mltrack_jupyter.__all__)


@pytest.mark.parametrize("name", mltrack_jupyter.__all__)
def test_each_is_there_and_documented(name):
    value = getattr(mltrack_jupyter, name)
    assert inspect.getdoc(value)
    assert name in dir(mltrack_jupyter)


@pytest.mark.parametrize("name", mltrack_jupyter.__all__)
def test_the_parameters_of_each_have_types(name):
    value = getattr(mltrack_jupyter, name)
    if inspect.isfunction(value):
        empty = inspect.Parameter.empty
        signature = inspect.signature(value)
        assert [p for p in signature.parameters.values() if p.annotation is empty] == []
        assert signature.return_annotation is not inspect.Signature.empty


def test_what_is_not_named_is_not_there():
    with pytest.raises(AttributeError, match="no attribute 'scope'"):
        _ = mltrack_jupyter.scope
    assert mltrack_jupyter.__version__[0].isdigit()


@pytest.mark.parametrize("room", ROOMS)
def test_the_rooms_export_what_they_say(room):
    module = importlib.import_module(f"mltrack_jupyter.{room}")
    assert [name for name in module.__all__ if not hasattr(module, name)] == []


def test_types_come_along():
    assert (Path(mltrack_jupyter.__file__).parent / "py.typed").exists()
