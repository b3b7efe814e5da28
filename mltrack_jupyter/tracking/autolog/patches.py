"""Replacing functions and methods of a library, and putting back exactly what was there."""

from __future__ import annotations

import copy
import functools
import sys
import threading
from collections.abc import Callable, Mapping
from typing import Any

from mltrack_jupyter.tracking.autolog.imports import modules_of

MethodHook = Callable[[Callable[..., Any], Any, tuple[Any, ...], dict[str, Any]], Any]
"""Called with the original, the instance, and the arguments."""
FunctionHook = Callable[[Callable[..., Any], tuple[Any, ...], dict[str, Any]], Any]
"""Called with the original and the arguments."""
# Of CPython's flags of types.
_IMMUTABLE = 1 << 8
_HEAP_TYPE = 1 << 9


class Patches:
    """What one integration replaced."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._methods: dict[tuple[type, str], tuple[Any, Any]] = {}
        self._functions: dict[int, tuple[Any, Any]] = {}

    def method(self, owner: type, name: str, hook: MethodHook) -> None:
        """Put a hook around a method that a class defines itself; nothing happens where it does not."""
        original = vars(owner).get(name)
        with self._lock:
            if original is None or (owner, name) in self._methods:
                return
            new = _around_method(original, hook)
            if new is None or not _is_open(owner):
                return
            self._methods[owner, name] = original, new
            setattr(owner, name, new)

    def functions(self, root: str, hooks: Mapping[Callable[..., Any], FunctionHook]) -> None:
        """Put hooks around functions, wherever a module of the package (or a notebook) names them."""
        with self._lock:
            fresh = {
                id(function): (function, _around_function(function, hook))
                for function, hook in hooks.items()
                if id(function) not in self._functions
            }
            self._functions.update(fresh)
            _replace_names(root, fresh)

    def restore(self, *roots: str) -> None:
        """Put the originals back. What somebody else has replaced since is left to them."""
        with self._lock:
            for (owner, name), (original, new) in reversed(self._methods.items()):
                if vars(owner).get(name) is new:
                    setattr(owner, name, original)
            back = {id(new): (new, original) for original, new in self._functions.values()}
            for root in roots:
                _replace_names(root, back)
            self._methods.clear()
            self._functions.clear()


def _is_open(owner: type) -> bool:
    """Tell whether a class can be changed: those that are written in C or Cython cannot."""
    return bool(owner.__flags__ & _HEAP_TYPE) and not owner.__flags__ & _IMMUTABLE


def _replace_names(root: str, values: Mapping[int, tuple[Any, Any]]) -> None:
    """Let every name that holds one of some objects hold another."""
    # Names that a script or notebook has imported already count; what other packages hold does not.
    main = sys.modules.get("__main__")
    for module in [*modules_of(root), *([main] if main is not None else [])]:
        for name, value in list(vars(module).items()):
            if id(value) in values:
                setattr(module, name, values[id(value)][1])


def _around_function(original: Callable[..., Any], hook: FunctionHook) -> Callable[..., Any]:
    @functools.wraps(original)
    def patched(*args: Any, **kwargs: Any) -> Any:
        return hook(original, args, kwargs)

    return patched


def _around_method(original: Any, hook: MethodHook) -> Any:
    if not callable(original):
        # scikit-learn's methods that are only there under a condition keep the function in ``fn``.
        inner = getattr(original, "fn", None)
        if inner is None:
            return None
        conditional = copy.copy(original)
        conditional.fn = _around_method(inner, hook)
        return conditional

    @functools.wraps(original)
    def patched(self: Any, *args: Any, **kwargs: Any) -> Any:
        return hook(original, self, args, kwargs)

    return patched
