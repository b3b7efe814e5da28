"""What a model needs to be loaded again: read off its own objects, without starting a process."""

from __future__ import annotations

import platform
import sys
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from importlib import metadata
from itertools import chain, islice
from types import FunctionType, ModuleType
from typing import Any

import yaml

# Importable names that differ from the name of the package; asking the whole environment for them
# takes a third of a second.
_PACKAGES = {
    "sklearn": "scikit-learn",
    "PIL": "pillow",
    "yaml": "PyYAML",
    "cv2": "opencv-python",
    "skimage": "scikit-image",
    "bs4": "beautifulsoup4",
}
# A forest has as many trees as one likes, all of the same class.
_MAX_OBJECTS = 2_000
# A vocabulary has a million words.
_MAX_PARTS = 100


def infer_requirements(model: object, modules: Iterable[str] = ()) -> list[str]:
    """Return pinned requirements, such as ``scikit-learn==1.9.1``, in alphabetical order.

    Parameters
    ----------
    model
        Its classes, and those of the objects it holds, name the libraries.
    modules
        Further importable names that it needs, such as the library that wrote the file.
    """
    names = {module.partition(".")[0] for module in (*_modules_of(model), *modules)}
    pins = (_pin(name) for name in names if name in sys.modules or name in set(modules))
    return sorted({pin for pin in pins if pin}, key=str.lower)


def environment_files(requirements: Iterable[str]) -> Mapping[str, str]:
    """Return the files that describe an environment: name to text."""
    pins = list(requirements)
    conda = {
        "name": "mltrack-env",
        "channels": ["conda-forge"],
        "dependencies": [f"python={platform.python_version()}", "pip", {"pip": pins}],
    }
    python = {
        "python": platform.python_version(),
        "build_dependencies": ["pip", "setuptools", "wheel"],
        "dependencies": ["-r requirements.txt"],
    }
    return {
        "requirements.txt": "".join(f"{pin}\n" for pin in pins),
        "conda.yaml": yaml.safe_dump(conda, sort_keys=False),
        "python_env.yaml": yaml.safe_dump(python, sort_keys=False),
    }


def _modules_of(model: object) -> Iterator[str]:
    seen: set[int] = set()
    waiting: list[Any] = [model]
    while waiting and len(seen) < _MAX_OBJECTS:
        item = waiting.pop()
        if id(item) in seen:
            continue
        seen.add(id(item))
        yield from _names(item)
        waiting.extend(_parts(item))


def _names(item: Any) -> Iterator[str]:
    if isinstance(item, ModuleType):
        yield item.__name__
        return
    kind = item if isinstance(item, type | FunctionType) else type(item)
    for base in getattr(kind, "__mro__", (kind,)):
        yield str(base.__module__)


def _parts(item: Any) -> Iterable[Any]:
    if isinstance(item, Mapping):
        return islice(item.values(), _MAX_PARTS)
    if isinstance(item, list | tuple | set | frozenset):
        return islice(item, _MAX_PARTS)
    if isinstance(item, FunctionType):
        # A function of the notebook travels inside the pickle, with what it uses.
        return [
            item.__globals__[name] for name in item.__code__.co_names if name in item.__globals__
        ]
    if isinstance(item, type | ModuleType):
        return ()
    return list(getattr(item, "__dict__", {}).values())


@lru_cache(maxsize=256)
def _pin(module: str) -> str:
    """Return the requirement that brings a module; ``""`` for the standard library and own files."""
    if module in sys.stdlib_module_names or module == "__main__":
        return ""
    # A chain, not a tuple: the slow question is asked only when the quick one had no answer.
    for name in chain([_PACKAGES.get(module, module)], _providers(module)):
        try:
            version = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
        # "2.6.0+cpu" names a build that the package index does not have.
        return f"{name}=={version.partition('+')[0]}"
    return ""


def _providers(module: str) -> Iterator[str]:
    yield from _all_providers().get(module, ())


@lru_cache(maxsize=1)
def _all_providers() -> Mapping[str, list[str]]:
    return metadata.packages_distributions()
