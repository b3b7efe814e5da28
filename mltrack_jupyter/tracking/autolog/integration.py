"""A library whose trainings can be logged: its options, and whether it is switched on."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from types import ModuleType
from typing import Any, TypeVar

from mltrack_jupyter.entities import Tag
from mltrack_jupyter.errors import InvalidParameter
from mltrack_jupyter.store import rules
from mltrack_jupyter.tracking.autolog import imports
from mltrack_jupyter.tracking.autolog.border import Border
from mltrack_jupyter.tracking.autolog.patches import Patches

T = TypeVar("T")
_WORDS = {
    "serialization_format": ("cloudpickle", "pickle", "skops"),
    "model_format": ("json", "ubj", "xgb"),
}
"""Options that are words, and which."""


@dataclass(frozen=True)
class Options:
    """What a user asked of the autologging of a library; the names are MLflow's."""

    log_models: bool = True
    log_input_examples: bool = False
    log_model_signatures: bool = True
    log_datasets: bool = True
    exclusive: bool = False
    silent: bool = False
    registered_model_name: str | None = None
    extra_tags: Mapping[str, str] = field(default_factory=dict)
    more: Mapping[str, Any] = field(default_factory=dict)
    """Options of this library alone."""


class Integration:
    """One library: which packages it patches, and how.

    Parameters
    ----------
    name
        As in ``mltrack.<name>.autolog``.
    roots
        The packages that are watched; none of them is imported.
    patch
        Called with each of their modules after its import.
    """

    def __init__(
        self,
        name: str,
        roots: tuple[str, ...],
        patch: Callable[[Integration, ModuleType], None],
    ) -> None:
        self.name = name
        self.patches = Patches()
        self.options = Options()
        self._roots = roots
        self._patch = patch
        self._border = Border(name)
        self._on = False
        self._pid = os.getpid()
        self._lock = threading.RLock()

    @property
    def on(self) -> bool:
        """Whether trainings are logged; never in a process that was forked from this one."""
        return self._on and self._pid == os.getpid()

    def enable(self, options: Options) -> None:
        """Log trainings from now on; a second time only changes the options."""
        _check(self.name, options)
        with self._lock:
            self.options = options
            self._border = Border(self.name, silent=options.silent)
            self._pid = os.getpid()
            if not self._on:
                self._on = True
                for root in self._roots:
                    imports.watch(root, self._loaded)

    def disable(self) -> None:
        """Log no trainings, and put back every function that was replaced."""
        with self._lock:
            if self._on:
                self._on = False
                for root in self._roots:
                    imports.unwatch(root, self._loaded)
                self.patches.restore()

    def switch(self, options: Options, *, disable: bool) -> None:
        """Do one or the other."""
        _check_switch(self.name, "disable", disable)
        if disable:
            self.disable()
        else:
            self.enable(options)

    def attempt(self, what: str, call: Callable[[], T], default: T) -> T:
        """Return ``call()``, or ``default`` if it raises: for what no training is there to note."""
        return self._border.attempt(what, call, default)

    def _loaded(self, module: ModuleType) -> None:
        # An import of the user's may not fail because something in the library is not as expected.
        self.attempt(f"patching {module.__name__}", lambda: self._patch(self, module), None)


def _check_switch(name: str, option: str, value: object) -> None:
    if not isinstance(value, bool):
        raise InvalidParameter(f"mltrack.{name}.autolog({option}={value!r}): it is True or False.")


_SWITCHES = [option.name for option in fields(Options) if option.type == "bool"]


def _check(name: str, options: Options) -> None:
    for option in _SWITCHES:
        _check_switch(name, option, getattr(options, option))
    most = options.more.get("max_tuning_runs")
    if most is not None and (isinstance(most, bool) or not isinstance(most, int) or most < 0):
        raise InvalidParameter(
            f"mltrack.{name}.autolog(max_tuning_runs={most!r}): it is a number of runs from 0, or None "
            "for all of them."
        )
    tags = options.extra_tags
    if tags and not isinstance(tags, Mapping):
        raise InvalidParameter(
            f"mltrack.{name}.autolog(extra_tags=...) takes a dict of tags, not a {type(tags).__name__}."
        )
    rules.check_pairs([Tag(key, str(value)) for key, value in (tags or {}).items()], "tag")
    if options.registered_model_name is not None:
        rules.check_model_name(options.registered_model_name)
    for option in ("log_every_n_steps", "log_every_n_epoch", "log_every_n_step"):
        number = options.more.get(option)
        if number is not None and (type(number) is not int or number < 1):
            raise InvalidParameter(
                f"mltrack.{name}.autolog({option}={number!r}): it is a whole number from 1."
            )
    for option, known in _WORDS.items():
        word = options.more.get(option)
        if word is not None and word not in known:
            raise InvalidParameter(
                f"mltrack.{name}.autolog({option}={word!r}): it is one of {', '.join(known)}."
            )
