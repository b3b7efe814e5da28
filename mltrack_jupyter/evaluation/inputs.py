"""What is evaluated: a model in any of its forms, and data with the truth beside it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from os import PathLike
from typing import Any

from mltrack_jupyter import data as datasets
from mltrack_jupyter.errors import InvalidParameter
from mltrack_jupyter.models import PyFuncModel
from mltrack_jupyter.plain import is_hashable
from mltrack_jupyter.tracking import models as verbs


@dataclass(frozen=True)
class Subject:
    """A model: how it predicts, and what is known of it. ``native`` is ``None`` for a function."""

    predict: Callable[[Any], Any]
    native: Any = None
    model_id: str = ""

    @property
    def predict_proba(self) -> Callable[[Any], Any] | None:
        """How it tells the probability of each class, if it does."""
        found: Callable[[Any], Any] | None = getattr(self.native, "predict_proba", None)
        return found


@dataclass(frozen=True)
class Evidence:
    """Data: what goes in, the truth, maybe predictions, and the dataset that it is known as."""

    features: Any
    truth: Any
    dataset: datasets.Dataset
    predictions: Any = None
    target_name: str = "target"
    prediction_name: str = "outputs"

    @property
    def count(self) -> int:
        """Number of rows."""
        return len(self.features)


def subject_of(model: Any, model_id: str = "") -> Subject | None:
    """Return a model: a URI, one with ``predict``, or a function of the data. ``None`` stays none."""
    if model is None:
        return None
    if isinstance(model, str | PathLike):
        model = verbs.load_model(model, flavor="pyfunc")
    if isinstance(model, PyFuncModel):
        return Subject(model.predict, model.unwrap(), model_id or model.metadata.model_id)
    if hasattr(model, "predict"):
        return Subject(model.predict, model, model_id)
    if callable(model):
        return Subject(model, None, model_id)
    raise InvalidParameter(
        f"model must be the URI of a model, something with predict, or a function, not a "
        f"{type(model).__name__}."
    )


def evidence_of(
    data: Any, targets: Any, predictions: Any, feature_names: list[str] | None = None
) -> Evidence:
    """Return data with the truth beside it. Raises ``InvalidParameter`` for what does not fit together."""
    if isinstance(data, datasets.PandasDataset | datasets.PolarsDataset):
        targets = data.targets if targets is None else targets
        predictions = data.predictions if predictions is None else predictions
        frame = data.df if isinstance(data, datasets.PandasDataset) else data.to_pandas()
        return _of_frame(frame, targets, predictions, feature_names, data)
    if isinstance(data, datasets.NumpyDataset):
        truth = data.targets if targets is None else targets
        return _of_arrays(data.features, truth, predictions, data)
    if hasattr(data, "columns") and hasattr(data, "iloc"):
        return _of_frame(data, targets, predictions, feature_names, None)
    if isinstance(data, list | tuple) or hasattr(data, "__array__"):
        return _of_arrays(data, targets, predictions, None)
    raise InvalidParameter(
        f"data must be a DataFrame, an array, a list or a dataset, not a {type(data).__name__}."
    )


def _of_frame(
    frame: Any,
    targets: Any,
    predictions: Any,
    names: list[str] | None,
    dataset: datasets.Dataset | None,
) -> Evidence:
    column = _label(frame, targets, "targets")
    guessed = _label(frame, predictions, "predictions")
    _check_once(frame, column, guessed)
    if names is not None:
        missing = [name for name in names if not is_hashable(name) or name not in frame.columns]
        if missing:
            raise InvalidParameter(f"feature_names={missing} are no columns of the data.")
    features = (
        frame[list(names)]
        if names is not None
        else frame.loc[:, [not _is(name, column, guessed) for name in frame.columns]]
    )
    known = dataset or datasets.from_pandas(
        frame, targets=_name(column), predictions=_name(guessed)
    )
    return Evidence(
        features,
        _values(frame, targets, column, "targets"),
        known,
        _values(frame, predictions, guessed, "predictions"),
        "target" if column is None else str(column.name),
        "outputs" if guessed is None else str(guessed.name),
    )


@dataclass(frozen=True)
class _Label:
    """The name of a column, which need not be text."""

    name: Any


def _name(label: _Label | None) -> Any:
    return None if label is None else label.name


def _is(name: Any, *labels: _Label | None) -> bool:
    return any(label is not None and label.name == name for label in labels)


def _label(frame: Any, given: Any, what: str) -> _Label | None:
    """Return the name of a column, if one is given; anything with items is values."""
    if given is None or not is_hashable(given) or getattr(given, "ndim", False):
        return None
    if given in frame.columns:
        return _Label(given)
    if isinstance(given, tuple | range | frozenset):
        return None
    raise InvalidParameter(
        f"{what}={given!r} is no column of the data; its columns are "
        f"{', '.join(map(str, frame.columns[:20]))}."
    )


def _check_once(frame: Any, *labels: _Label | None) -> None:
    for label in labels:
        if label is not None and list(frame.columns).count(label.name) > 1:
            raise InvalidParameter(
                f"Two columns of the data have the name {label.name!r}; which of them is meant is unknown."
            )


def _values(frame: Any, given: Any, label: _Label | None, what: str) -> Any:
    if label is not None:
        return frame[label.name].to_numpy()
    return _as_long(given, len(frame), what)


def _as_long(given: Any, count: int, what: str) -> Any:
    import numpy as np

    if given is None:
        return None
    values = np.asarray(given)
    if values.ndim == 0:
        raise InvalidParameter(f"{what} must be one value for each row, not {given!r}.")
    if len(values) != count:
        raise InvalidParameter(f"There are {count} rows of data and {len(values)} {what}.")
    return values


def _of_arrays(
    features: Any, targets: Any, predictions: Any, dataset: datasets.NumpyDataset | None
) -> Evidence:
    import numpy as np

    if isinstance(targets, str) or isinstance(predictions, str):
        raise InvalidParameter("An array has no columns by name; give targets as an array, too.")
    rows = np.asarray(features)
    truth = _as_long(targets, len(rows), "targets")
    known = dataset or datasets.from_numpy(rows, targets=truth)
    return Evidence(rows, truth, known, _as_long(predictions, len(rows), "predictions"))
