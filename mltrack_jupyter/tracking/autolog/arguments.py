"""The arguments of a call by their names."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Mapping
from typing import Any


def named(
    function: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the arguments of a call, defaults among them; what ``**kwargs`` takes stands by itself.

    Raises ``TypeError`` for a call that the function would refuse.
    """
    signature = inspect.signature(function)
    bound = signature.bind(*args, **kwargs)
    bound.apply_defaults()
    found = dict(bound.arguments)
    for parameter in signature.parameters.values():
        if parameter.kind is inspect.Parameter.VAR_KEYWORD:
            found |= found.pop(parameter.name, {})
    return found


def without(values: Mapping[str, Any], names: Collection[str]) -> dict[str, Any]:
    """Return a mapping without some names."""
    return {key: value for key, value in values.items() if key not in names}
