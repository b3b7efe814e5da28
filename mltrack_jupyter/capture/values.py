"""What a value is: a number, a text for a param, an estimator and whether it is fitted."""

from __future__ import annotations

import json
import numbers
from decimal import Decimal
from typing import Any

from mltrack_jupyter.capture.border import guarded
from mltrack_jupyter.privacy.redact import redact_cut

_MAX_TEXT = 500


def as_number(value: Any) -> float | None:
    """Return a scalar as a float: numbers, numpy scalars, 0-d arrays and tensors; ``None`` for the rest.

    Truth values, dates and complex numbers are no metrics.
    """
    if isinstance(value, bool):
        return None
    if isinstance(value, numbers.Real | Decimal):
        return guarded("reading a number", lambda: float(value), None)
    kind = type(value)
    # Asked of the class, because an instance may invent any attribute (a proxy, a mock, a frame).
    if not hasattr(kind, "item") or not hasattr(kind, "shape"):
        return None
    return guarded("reading a scalar", lambda: _item(value), None)


def _item(value: Any) -> float | None:
    if tuple(value.shape) != () or getattr(value.dtype, "kind", "f") not in "iuf":
        return None
    number = value.item()
    is_number = isinstance(number, int | float) and not isinstance(number, bool)
    return float(number) if is_number else None


def param_text(value: Any) -> str:
    """Return a value as the text of a param: as ``str`` makes it, containers of literals as JSON."""
    if isinstance(value, str):
        return value
    if isinstance(value, list | tuple | dict):
        return json.dumps(value, ensure_ascii=False)
    return str(value)


def shown_text(value: Any) -> str:
    """Return any object as the text of a param: estimators by their class, without secrets, 500 characters at most."""
    text = guarded("writing a param", lambda: _plain(value), f"<{type(value).__name__}>")
    return redact_cut(text, _MAX_TEXT)


def _plain(value: Any) -> str:
    if is_estimator(value):
        return type(value).__name__
    if isinstance(value, list | tuple) and any(map(_holds_estimator, value)):
        inner = ", ".join(map(_plain, value))
        return f"[{inner}]" if isinstance(value, list) else f"({inner})"
    if isinstance(value, type):
        return value.__name__
    return str(value)


def _holds_estimator(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return any(map(_holds_estimator, value))
    return is_estimator(value)


def is_estimator(value: Any) -> bool:
    """Say whether a value has ``fit`` and ``get_params``, as scikit-learn's estimators do."""
    kind = type(value)
    return (
        not isinstance(value, type)
        and callable(getattr(kind, "get_params", None))
        and callable(getattr(kind, "fit", None))
    )


def can_predict(value: Any) -> bool:
    """Say whether an estimator predicts, as a model does and a scaler does not."""
    return hasattr(type(value), "predict")


def is_fitted(value: Any) -> bool:
    """Say whether an estimator has learnt something.

    Asked of the estimator itself where it can tell (pipelines, XGBoost, LightGBM); else by scikit-learn's
    rule that what was learnt is kept in attributes ending in ``_``.
    """
    own = getattr(type(value), "__sklearn_is_fitted__", None)
    if callable(own):
        return guarded("asking an estimator", lambda: bool(own(value)), False)
    return any(name.endswith("_") and not name.startswith("_") for name in vars_of(value))


def estimator_params(value: Any) -> dict[str, str]:
    """Return what ``get_params(deep=False)`` tells, as texts; nothing if it raises."""
    found: dict[str, Any] = guarded("get_params", lambda: dict(value.get_params(deep=False)), {})
    return {str(key): shown_text(item) for key, item in found.items()}


def vars_of(value: Any) -> dict[str, Any]:
    """Return the attributes in the instance's own dict."""
    found = getattr(value, "__dict__", None)
    return found if isinstance(found, dict) else {}
