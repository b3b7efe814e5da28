"""Measurements of a fitted model: ``score`` and ``sklearn.metrics`` add to the run of its training."""

from __future__ import annotations

import functools
import inspect
import sys
import threading
import types
import weakref
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from numbers import Number
from typing import Any

from mltrack_jupyter.tracking.autolog.arguments import named
from mltrack_jupyter.tracking.autolog.datasets import log_dataset
from mltrack_jupyter.tracking.autolog.integration import Integration
from mltrack_jupyter.tracking.autolog.patches import HOOKED, Patches
from mltrack_jupyter.tracking.autolog.record import Record
from mltrack_jupyter.tracking.autolog.training import current

_PREDICTIONS = ("predict", "predict_proba", "predict_log_proba", "decision_function", "transform")
# What these call is no call of the user's.
_LIBRARIES = ("sklearn.", "xgboost.", "lightgbm.")
_OURS = "mltrack_jupyter.tracking.autolog"
_UNKNOWN = "unknown_dataset"
INFO_FILE = "metric_info.json"


class Evaluations:
    """Which run a model, and what it predicted, belong to. Nothing is kept alive by it."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._models: dict[int, tuple[weakref.ref[Any], Record]] = {}
        self._predictions: dict[int, tuple[weakref.ref[Any], Record, str]] = {}

    def remember(self, model: Any, record: Record) -> None:
        """Let measurements of a model add to the run that a record writes."""
        key = id(model)
        with self._lock:
            gone = weakref.ref(model, lambda _: self._models.pop(key, None))
            self._models[key] = gone, record

    def record_of(self, model: Any) -> Record | None:
        """Return the record of a model that was trained here."""
        found = self._models.get(id(model))
        return found[1] if found is not None and found[0]() is model else None

    def predicted(self, record: Record, result: Any, dataset: str) -> None:
        """Remember what a model made of a dataset; lists cannot be told apart and are not."""
        key = id(result)
        with self._lock, suppress(TypeError):
            gone = weakref.ref(result, lambda _: self._predictions.pop(key, None))
            self._predictions[key] = gone, record, dataset

    def prediction(self, values: Iterator[Any]) -> tuple[Record, str] | None:
        """Return the record and the dataset of the first value that is a prediction."""
        for value in values:
            found = self._predictions.get(id(value))
            if found is not None and found[0]() is value:
                return found[1], found[2]
        return None

    def dataset(self, record: Record, data: Any, name: str) -> tuple[str, bool]:
        """Return the name of a dataset in a run, and whether it is new; two of a name are numbered."""
        with self._lock:
            known = record.origins.datasets.setdefault(name, [])
            place = next((i for i, item in enumerate(known) if _is_that(item, data)), len(known))
            is_new = place == len(known)
            if is_new:
                known.append((id(data), _reference(data)))
        return (name if place == 0 else f"{name}-{place + 1}"), is_new

    def measured(self, record: Record, metric: str, dataset: str, value: Any, command: str) -> None:
        """Log a measurement, and the call that made it."""
        mine = record.origins
        with self._lock:
            mine.calls[f"{metric} {dataset}"] += 1
            count = mine.calls[f"{metric} {dataset}"]
            key = f"{metric}_{dataset}" if count == 1 else f"{metric}-{count}_{dataset}"
            mine.commands[key] = command
        record.metrics({key: value})
        record.json(mine.commands, INFO_FILE)


def _reference(data: Any) -> weakref.ref[Any] | None:
    try:
        return weakref.ref(data)
    except TypeError:  # a list is known by its address alone
        return None


def _is_that(item: tuple[int, weakref.ref[Any] | None], data: Any) -> bool:
    address, reference = item
    return address == id(data) and (reference is None or reference() is data)


EVALUATIONS = Evaluations()


def patch_class(integration: Integration, owner: type, patches: Patches) -> None:
    """Listen to the predictions and scores of a class's instances, until the patches are taken back."""
    for method in _PREDICTIONS:
        patches.method(owner, method, functools.partial(_predict, integration))
    patches.method(owner, "score", functools.partial(_score, integration))


def patch_metrics(integration: Integration, module: types.ModuleType) -> None:
    """Listen to the functions of ``sklearn.metrics``."""
    hook = functools.partial(_measure, integration)
    functions = [
        item
        for name in getattr(module, "__all__", ())
        if inspect.isfunction(item := getattr(module, name, None))
        and not name.startswith(("make_", "get_", "check_", "pairwise_"))
    ]
    integration.patches.functions(dict.fromkeys(functions, hook))


def _caller(integration: Integration) -> types.FrameType | None:
    """Return the frame of the user's code that makes a call, or ``None`` for a call of the library's."""
    if not integration.on or not integration.options.more.get("log_post_training_metrics"):
        return None
    if current() is not None:
        return None
    frame: types.FrameType | None = sys._getframe(1)  # noqa: SLF001 - there is no other way to ask
    while frame is not None and (
        _module(frame).startswith(_OURS) or frame.f_code.co_filename == HOOKED
    ):
        frame = frame.f_back
    return None if frame is None or _module(frame).startswith(_LIBRARIES) else frame


def _module(frame: types.FrameType) -> str:
    return str(frame.f_globals.get("__name__", ""))


def _variable(frame: types.FrameType, value: Any, otherwise: str) -> str:
    for names in (frame.f_locals, frame.f_globals):
        for name, found in list(names.items()):
            if found is value and not name.startswith("_"):
                return name
    return otherwise


def _predict(
    integration: Integration,
    original: Callable[..., Any],
    self: Any,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> Any:
    result = original(self, *args, **kwargs)
    integration.attempt(
        "noting a prediction",
        lambda: _note_prediction(integration, self, result, _first(args, kwargs)),
        None,
    )
    return result


def _first(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
    return args[0] if args else kwargs.get("X")


def _note_prediction(integration: Integration, model: Any, result: Any, data: Any) -> None:
    record = EVALUATIONS.record_of(model)
    frame = _caller(integration) if record is not None else None
    if record is None or frame is None:
        return
    name, is_new = EVALUATIONS.dataset(record, data, _variable(frame, data, _UNKNOWN))
    EVALUATIONS.predicted(record, result, name)
    if is_new and integration.options.log_datasets:
        log_dataset(record.writer, data, context="eval", name=name)


def _score(
    integration: Integration,
    original: Callable[..., Any],
    self: Any,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> Any:
    value = original(self, *args, **kwargs)

    def note() -> None:
        record = EVALUATIONS.record_of(self)
        frame = _caller(integration) if record is not None else None
        if record is None or frame is None or not _is_number(value):
            return
        data, kind = _first(args, kwargs), type(self).__name__
        name, _ = EVALUATIONS.dataset(record, data, _variable(frame, data, _UNKNOWN))
        given = named(original, (self, *args), kwargs)
        call = _command(f"{_variable(frame, self, kind)}.score", frame, given)
        EVALUATIONS.measured(record, f"{kind}_score", name, value, call)

    integration.attempt("logging a score", note, None)
    return value


def _measure(
    integration: Integration,
    original: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> Any:
    value = original(*args, **kwargs)

    def note() -> None:
        frame = _caller(integration)
        if frame is None or not _is_number(value):
            return
        found = EVALUATIONS.prediction(iter((*args, *kwargs.values())))
        if found is not None:
            call = _command(original.__name__, frame, named(original, args, kwargs))
            EVALUATIONS.measured(found[0], original.__name__, found[1], value, call)

    integration.attempt("logging a metric", note, None)
    return value


def _is_number(value: Any) -> bool:
    return isinstance(value, Number) and not isinstance(value, bool | complex)


def _command(name: str, frame: types.FrameType, given: Mapping[str, Any]) -> str:
    """Return a call as it could be written: variables by name, what is short as it is."""
    parts = []
    for key, value in given.items():
        if key == "self":
            continue
        plain = isinstance(value, str | int | float | bool | None)
        shown = repr(value) if plain else _variable(frame, value, f"<{type(value).__name__}>")
        parts.append(f"{key}={shown}")
    return f"{name}({', '.join(parts)})"
