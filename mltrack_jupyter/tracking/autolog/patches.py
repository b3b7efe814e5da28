"""Replacing functions and methods of a library, and putting back exactly what was there.

wrapt does neither here. Its wrapper of a function is another object: a name that was imported before would
not call the hook, and neither the wrapper, nor what holds one (a scorer), nor a wrapped method of an
instance can be pickled, as worker processes need it.
"""

from __future__ import annotations

import copy
import functools
import threading
import types
from collections.abc import Callable, Mapping
from typing import Any

MethodHook = Callable[[Callable[..., Any], Any, tuple[Any, ...], dict[str, Any]], Any]
"""Called with the original, the instance, and the arguments."""
FunctionHook = Callable[[Callable[..., Any], tuple[Any, ...], dict[str, Any]], Any]
"""Called with the original and the arguments."""
HOOKED = "hooked_by_mltrack"
"""Name of the function, and of the file, in tracebacks and frames of a function with a hook in it."""
# Of CPython's flags of types.
_IMMUTABLE = 1 << 8
_HEAP_TYPE = 1 << 9


class Patches:
    """What one integration replaced."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._methods: dict[tuple[type, str], tuple[Any, Any]] = {}
        self._functions: dict[types.FunctionType, _Body] = {}

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

    def functions(self, hooks: Mapping[Callable[..., Any], FunctionHook]) -> None:
        """Put hooks into functions, so that every name and object that holds one calls its hook.

        The functions stay the objects that they are: whatever refers to one can be pickled as before.
        """
        with self._lock:
            for function, hook in hooks.items():
                if isinstance(function, types.FunctionType) and function not in self._functions:
                    self._functions[function] = _Body(function, hook)

    def restore(self) -> None:
        """Put the originals back. What somebody else has replaced since is left to them."""
        with self._lock:
            for (owner, name), (original, new) in reversed(self._methods.items()):
                if vars(owner).get(name) is new:
                    setattr(owner, name, original)
            for body in self._functions.values():
                body.restore()
            self._methods.clear()
            self._functions.clear()


def _is_open(owner: type) -> bool:
    """Tell whether a class can be changed: those that are written in C or Cython cannot."""
    return bool(owner.__flags__ & _HEAP_TYPE) and not owner.__flags__ & _IMMUTABLE


class _Body:
    """The body of a function, in whose place another calls a hook for as long as it stands there."""

    def __init__(self, function: types.FunctionType, hook: FunctionHook) -> None:
        self._function = function
        self._code = function.__code__
        self._wraps = "__wrapped__" not in vars(function)
        original = _twin(function)
        self._new = _code_that_calls(
            lambda *args, **kwargs: hook(original, args, kwargs), len(self._code.co_freevars)
        )
        if self._wraps:
            # Whoever asks for the signature or the source is to be told those of the library.
            vars(function)["__wrapped__"] = original
        function.__code__ = self._new

    def restore(self) -> None:
        """Put the function's own body back, unless somebody else has put in another one since."""
        if self._function.__code__ is self._new:
            self._function.__code__ = self._code
            if self._wraps:
                vars(self._function).pop("__wrapped__", None)


def _twin(function: types.FunctionType) -> types.FunctionType:
    """Return a second function with the body of another."""
    new = types.FunctionType(
        function.__code__,
        function.__globals__,
        function.__name__,
        function.__defaults__,
        function.__closure__,
    )
    new.__kwdefaults__ = function.__kwdefaults__
    new.__annotations__ = function.__annotations__
    new.__qualname__, new.__module__ = function.__qualname__, function.__module__
    new.__doc__ = function.__doc__
    vars(new).update(vars(function))
    return new


def _code_that_calls(target: Callable[..., Any], free: int) -> types.CodeType:
    """Return the body of a function that hands its call on to ``target``.

    A function only takes a body with as many variables of its surroundings as it has itself: these are
    named and never read.
    """
    names = [f"free{place}" for place in range(free)]
    unread = f"\n  if 0: {', '.join(names)}" if names else ""
    source = (
        f"def outer({', '.join(names)}):\n"
        f" def {HOOKED}(*args, **kwargs):{unread}\n"
        f"  target = {HOOKED!r}\n"
        "  return target(*args, **kwargs)\n"
    )
    code = compile(source, HOOKED, "exec")
    for _ in range(2):
        code = next(item for item in code.co_consts if isinstance(item, types.CodeType))
    # A constant, since the names that a body finds are those of its function's module.
    constants = tuple(target if item == HOOKED else item for item in code.co_consts)
    return code.replace(co_consts=constants)


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
