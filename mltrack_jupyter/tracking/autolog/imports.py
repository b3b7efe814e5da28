"""Import hooks: a library is patched when it is imported, so that switching on imports nothing.

wrapt's hooks are for one module by its full name, and stay for good; these hear of every module of a
package, and are taken back.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

OnLoad = Callable[[ModuleType], None]
_lock = threading.RLock()
_watched: dict[str, list[OnLoad]] = {}


def watch(root: str, on_load: OnLoad) -> None:
    """Call ``on_load`` with every module of a package: the loaded ones now, the others when they are."""
    with _lock:
        _watched.setdefault(root, []).append(on_load)
        if _FINDER not in sys.meta_path:
            sys.meta_path.insert(0, _FINDER)
    for module in filter(_is_complete, modules_of(root)):
        on_load(module)


def unwatch(root: str, on_load: OnLoad) -> None:
    """Take back :func:`watch`."""
    with _lock:
        if on_load in _watched.get(root, []):
            _watched[root].remove(on_load)
        if not any(_watched.values()) and _FINDER in sys.meta_path:
            sys.meta_path.remove(_FINDER)


def modules_of(root: str) -> list[ModuleType]:
    """Return the modules of a package that are imported, or being imported."""
    return [
        module
        for name, module in list(sys.modules.items())
        if name.partition(".")[0] == root and isinstance(module, ModuleType)
    ]


def _is_complete(module: ModuleType) -> bool:
    return not getattr(getattr(module, "__spec__", None), "_initializing", False)


class _Finder(MetaPathFinder):
    """Finds nothing itself: asks the finders after it, and listens to what they found."""

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if not _watched.get(name.partition(".")[0]):
            return None
        for finder in list(sys.meta_path):
            find = getattr(finder, "find_spec", None)
            spec: ModuleSpec | None = (
                find(name, path, target) if find is not None and finder is not self else None
            )
            if spec is not None:
                _listen(spec)
                return spec
        return None


def _listen(spec: ModuleSpec) -> None:
    loader = spec.loader
    # A loader is made for one module; those that are classes (built-in modules) are of no interest.
    if loader is None or isinstance(loader, type) or not hasattr(loader, "__dict__"):
        return
    original = loader.exec_module

    def exec_module(module: ModuleType) -> None:
        vars(loader).pop("exec_module", None)
        original(module)
        for on_load in list(_watched.get(module.__name__.partition(".")[0], [])):
            on_load(module)

    vars(loader)["exec_module"] = exec_module


_FINDER = _Finder()
