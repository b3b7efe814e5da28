"""What a flavor is: the few things to know about one library in order to save and load its models."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Protocol

from mltrack_jupyter.models.audit import Auditor


@dataclass(frozen=True)
class Saved:
    """What a flavor wrote.

    Parameters
    ----------
    config
        The settings that ``MLmodel`` keeps for it.
    model_path
        The file or folder with the model, relative to the model's folder.
    digests
        File that must be trusted to be loaded, to its SHA-256.
    modules
        Importable names that are needed to read the files, beyond those of the model's own classes.
    """

    config: Mapping[str, Any]
    model_path: str
    digests: Mapping[str, str] = field(default_factory=dict)
    modules: tuple[str, ...] = ()


class Flavor(Protocol):
    """Saves and loads the models of one library; one short class, which imports it only when called.

    An instance is made without arguments. It is registered as an entry point of the group
    ``mltrack.flavors`` under the name of the library's top-level module, and under ``name`` where
    that differs.
    """

    name: ClassVar[str]
    """Its key in ``MLmodel``; MLflow's name where MLflow has such a flavor."""

    package: ClassVar[str]
    """What to install in order to use it."""

    loader_module: ClassVar[str]
    """The module with which MLflow's ``pyfunc`` loads such a model."""

    def save(self, model: Any, folder: Path, serialization_format: str) -> Saved:
        """Write a model into a folder; ``""`` is the format that the flavor prefers."""
        ...

    def load(self, config: Mapping[str, Any], files: Auditor) -> Any:
        """Return the native object. ``config`` comes from the folder: it is no reason to trust anything."""
        ...

    def predictor(self, model: Any, method: str) -> Callable[[Any], Any]:
        """Return the function that turns data into predictions; ``method`` is the one ``MLmodel`` names."""
        ...
