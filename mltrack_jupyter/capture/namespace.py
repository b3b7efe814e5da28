"""The namespace before and after a cell: which params, metrics and models the cell made."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from mltrack_jupyter.capture.code import CellCode
from mltrack_jupyter.capture.values import (
    as_number,
    can_predict,
    estimator_params,
    is_estimator,
    is_fitted,
    param_text,
    shown_text,
    vars_of,
)
from mltrack_jupyter.privacy.redact import redact_cut
from mltrack_jupyter.suggestions import did_you_mean

_MAX_TEXT = 500
_Fingerprint = tuple[int, tuple[tuple[str, int], ...]]


@dataclass
class Inferred:
    """What a cell made: params, metrics, the model, and what the user should know about it."""

    params: dict[str, str] = field(default_factory=dict)
    metrics: dict[str, float] = field(default_factory=dict)
    inferred_params: list[str] = field(default_factory=list)
    inferred_metrics: list[str] = field(default_factory=list)
    model: Any = None
    model_name: str = ""
    warnings: list[str] = field(default_factory=list)


class Snapshot:
    """What a namespace held before a cell: enough to tell what the cell changed, and no more."""

    def __init__(self, namespace: Mapping[str, Any], code: CellCode) -> None:
        # Scalars are held, for an address may be used again once its object is gone. Nothing large is.
        self._scalars = {
            name: namespace[name]
            for name in code.bindings
            if name in namespace and as_number(namespace[name]) is not None
        }
        self._estimators = {
            name: _fingerprint(value)
            for name, value in list(namespace.items())
            if is_estimator(value)
        }

    def rebound(self, name: str, value: Any) -> bool:
        """Say whether ``name`` certainly refers to another scalar than before."""
        return name not in self._scalars or self._scalars[name] is not value

    def estimator_changed(self, name: str, value: Any) -> bool:
        """Say whether ``name`` refers to another estimator than before, or to one fitted anew."""
        return self._estimators.get(name) != _fingerprint(value)


def _fingerprint(value: Any) -> _Fingerprint:
    return id(value), tuple((name, id(item)) for name, item in vars_of(value).items())


@dataclass
class Cell:
    """A cell that has run: its code, the namespace around it, and the line that failed, if one did."""

    code: CellCode
    before: Snapshot
    namespace: Mapping[str, Any]
    failed_line: int | None = None
    last_value: Any = None


def infer(
    cell: Cell,
    params: list[str] | None,
    metrics: list[str] | None,
    is_logged: Callable[[Any], bool] = lambda _: False,
) -> Inferred:
    """Return what a cell made.

    Parameters
    ----------
    cell
        The cell, after it has run.
    params, metrics
        Names that the user selected; ``None`` to infer them.
    is_logged
        Tells of an estimator whether its params are in the run already.
    """
    found = Inferred()
    estimators = _estimators(cell)
    guessed = _literal_params(cell)
    fresh = {name: item for name, item in estimators.items() if not is_logged(item)}
    _add_estimator_params(guessed, fresh)
    if params is None:
        found.params = guessed
        found.inferred_params = list(guessed)
    else:
        _select_params(found, cell.namespace, guessed, params)
    if metrics is None:
        found.metrics = _computed_metrics(cell)
        found.inferred_metrics = list(found.metrics)
    else:
        _select_metrics(found, cell.namespace, metrics)
    _choose_model(found, cell.code, estimators)
    return found


def _literal_params(cell: Cell) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, values in cell.code.literals().items():
        if name not in cell.namespace or not cell.code.surely_bound(name, cell.failed_line):
            continue
        now = cell.namespace[name]
        # A list that was filled since, or a number that a function changed, is no setting.
        if any(type(now) is type(value) and now == value for value in values):
            text = param_text(now)
            if isinstance(now, str) or len(text) <= _MAX_TEXT:
                found[name] = redact_cut(text, _MAX_TEXT)
    return found


def _computed_metrics(cell: Cell) -> dict[str, float]:
    found: dict[str, float] = {}
    for name in cell.code.computed():
        if name not in cell.namespace:
            continue
        value = cell.namespace[name]
        number = as_number(value)
        if number is not None and _was_bound(cell, name, value):
            found[name] = number
    return found


def _was_bound(cell: Cell, name: str, value: Any) -> bool:
    """Say whether this execution bound ``name``, and not one before it."""
    if cell.code.surely_bound(name, cell.failed_line) or cell.before.rebound(name, value):
        return True
    # Small integers are one object each: the same object says nothing, so a loop is taken as entered.
    return cell.failed_line is None and not cell.code.only_conditional(name)


def _estimators(cell: Cell) -> dict[str, Any]:
    """Return the estimators that the cell made, changed or fitted, each once, by its name."""
    touched = {*cell.code.bindings, *cell.code.fitted}
    found: dict[str, Any] = {}
    seen: set[int] = set()
    for name, value in list(cell.namespace.items()):
        if name.startswith("_") or not is_estimator(value) or id(value) in seen:
            continue
        changed = cell.before.estimator_changed(name, value)
        if changed or (name in touched and cell.failed_line is None and name in cell.code.fitted):
            found[name] = value
            seen.add(id(value))
    if is_estimator(cell.last_value) and id(cell.last_value) not in seen and not found:
        found["model"] = cell.last_value
    return found


def _add_estimator_params(found: dict[str, str], estimators: Mapping[str, Any]) -> None:
    for owner, estimator in estimators.items():
        for key, text in estimator_params(estimator).items():
            clash = key in found and found[key] != text
            if len(estimators) > 1 or clash:
                found[f"{owner}.{key}"] = text
            else:
                found[key] = text


def _choose_model(found: Inferred, code: CellCode, estimators: Mapping[str, Any]) -> None:
    inner = {id(part) for value in estimators.values() for part in _parts(value)}
    fitted = [name for name in estimators if is_fitted(estimators[name])]
    outer = [name for name in fitted if id(estimators[name]) not in inner]
    models = [name for name in outer if can_predict(estimators[name])] or outer
    if not models:
        return
    # The one fitted last is the one the cell is about.
    order = {name: place for place, name in enumerate([*code.bindings, *code.fitted])}
    chosen = max(models, key=lambda name: order.get(name, -1))
    found.model, found.model_name = estimators[chosen], chosen
    if len(models) > 1:
        found.warnings.append(
            f"{len(models)} fitted models in the cell ({', '.join(models)}): {chosen!r} is logged as the model"
        )


def _parts(estimator: Any) -> list[Any]:
    """Return the estimators that stand inside another one: steps, a base estimator."""
    found: list[Any] = []
    waiting: list[Any] = [
        value for name, value in vars_of(estimator).items() if not name.endswith("_")
    ]
    while waiting and len(found) < 100:
        value = waiting.pop()
        if is_estimator(value):
            found.append(value)
            waiting.extend(item for name, item in vars_of(value).items() if not name.endswith("_"))
        elif isinstance(value, list | tuple) and len(value) <= 100:
            waiting.extend(value)
    return found


def _select_params(
    found: Inferred, namespace: Mapping[str, Any], guessed: Mapping[str, str], names: list[str]
) -> None:
    for name in names:
        if name in namespace:
            value = namespace[name]
            plain = isinstance(value, str | int | float | bool | None)
            found.params[name] = guessed.get(name) or (str(value) if plain else shown_text(value))
        elif name in guessed:
            found.params[name] = guessed[name]
        else:
            found.warnings.append(_no_such("-p", name, [*guessed, *namespace]))


def _select_metrics(found: Inferred, namespace: Mapping[str, Any], names: list[str]) -> None:
    for name in names:
        if name not in namespace:
            found.warnings.append(_no_such("-m", name, list(namespace)))
            continue
        number = as_number(namespace[name])
        if number is None:
            kind = type(namespace[name]).__name__
            found.warnings.append(f"-m {name}: a metric is a number, and {name!r} is a {kind}")
        else:
            found.metrics[name] = number


def _no_such(option: str, name: str, names: list[str]) -> str:
    public = [item for item in names if not item.startswith("_")]
    hint = did_you_mean(name, public, most=3, cutoff=0.5)
    return f"{option} {name}: there is no variable {name!r} after the cell{hint and '; '}{hint}"
