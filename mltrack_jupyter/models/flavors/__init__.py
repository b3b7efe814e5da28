"""Flavors: how models of each library are saved and loaded.

A flavor is found by the name of a module, and the module is not imported for it. Ours are in a table;
others come from the entry point group ``mltrack.flavors``.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any

from mltrack_jupyter.errors import InvalidParameter
from mltrack_jupyter.models.flavors.base import Flavor, Saved

__all__ = ["GROUP", "Flavor", "Saved", "find_flavor", "flavor_names", "flavor_of"]

GROUP = "mltrack.flavors"
"""The entry point group; an entry is named after the top-level module of the models it takes."""

_OURS = {"sklearn": "mltrack_jupyter.models.flavors.sklearn:SklearnFlavor"}


@lru_cache(maxsize=64)
def find_flavor(name: str) -> Flavor | None:
    """Return the flavor of that name, or the one for models of that top-level module."""
    if name in _OURS:
        module, _, kind = _OURS[name].partition(":")
        found: Flavor = getattr(import_module(module), kind)()
        return found
    # The names of plugins are known without importing them; only the one that is asked for is.
    for entry in entry_points(group=GROUP, name=name):
        try:
            plugin: Flavor = entry.load()()
        except (ImportError, AttributeError) as error:
            raise InvalidParameter(
                f"The flavor '{name}' ({entry.value}) is broken: {error}"
            ) from error
        return plugin
    return None


def flavor_names() -> list[str]:
    """Return every name under which a flavor can be found."""
    return sorted({*_OURS, *entry_points(group=GROUP).names})


def flavor_of(model: Any) -> Flavor:
    """Return the flavor for a model, by the classes it is made of. Raises ``InvalidParameter``.

    The nearest class decides: an estimator of a notebook that derives from scikit-learn's is one of its.
    """
    modules = list(dict.fromkeys(base.__module__.partition(".")[0] for base in type(model).__mro__))
    found = _first(modules)
    if found is None:
        kind = type(model)
        if kind.__module__ == "builtins":
            raise InvalidParameter(
                f"A value of the type {kind.__qualname__} is no model; right would be a fitted one of {', '.join(flavor_names())}, or "
                "its file, logged as an artifact."
            )
        raise InvalidParameter(
            f"There is no flavor for models of the type {kind.__module__}.{kind.__qualname__}; there are "
            f"flavors for {', '.join(flavor_names())}. Install a package with an entry point "
            f"'{modules[0]}' in the group '{GROUP}', or log the model's file as an artifact."
        )
    return found


def _first(modules: Iterable[str]) -> Flavor | None:
    skipped = ("builtins", "abc", "__main__", "typing")
    return next(
        (found for name in modules if name not in skipped and (found := find_flavor(name))), None
    )
