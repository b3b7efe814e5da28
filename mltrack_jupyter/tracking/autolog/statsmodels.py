"""statsmodels: every ``fit`` of a model, with the figures of its summary."""

from __future__ import annotations

import functools
import math
import types
from collections.abc import Callable, Generator, Mapping
from typing import Any

from mltrack_jupyter.tracking.autolog.arguments import named, without
from mltrack_jupyter.tracking.autolog.border import unheard
from mltrack_jupyter.tracking.autolog.datasets import log_dataset
from mltrack_jupyter.tracking.autolog.integration import Integration, Options
from mltrack_jupyter.tracking.autolog.record import Record
from mltrack_jupyter.tracking.autolog.sklearn import classes_of
from mltrack_jupyter.tracking.autolog.training import Training, watched_method

# MLflow's choice of the numbers of a result.
_METRICS = (
    "aic",
    "bic",
    "centered_tss",
    "condition_number",
    "df_model",
    "df_resid",
    "ess",
    "f_pvalue",
    "fvalue",
    "llf",
    "mse_model",
    "mse_resid",
    "mse_total",
    "rsquared",
    "rsquared_adj",
    "scale",
    "ssr",
    "uncentered_tss",
)
_NO_PARAMS = ("self", "start_params", "callback")


def autolog(
    log_models: bool = False,
    log_datasets: bool = True,
    disable: bool = False,
    exclusive: bool = False,
    disable_for_unsupported_versions: bool = False,
    silent: bool = False,
    registered_model_name: str | None = None,
    extra_tags: Mapping[str, str] | None = None,
) -> None:
    """Log every fit of statsmodels from now on; ``disable=True`` ends that.

    The library's only file format is the pickle, which nobody should have to load: with
    ``log_models=True`` it is written, else the summary and the coefficients are all that is kept. The
    other parameters are those of scikit-learn's ``autolog``.
    """
    options = Options(
        log_models=log_models,
        log_datasets=log_datasets,
        exclusive=exclusive,
        silent=silent,
        registered_model_name=registered_model_name,
        extra_tags=extra_tags or {},
    )
    INTEGRATION.switch(options, disable=disable)


def _patch(integration: Integration, module: types.ModuleType) -> None:
    for owner in classes_of(module):
        if any(base.__module__ == "statsmodels.base.model" for base in owner.__mro__):
            integration.patches.method(owner, "fit", functools.partial(_fit, integration))


def _fit(
    integration: Integration,
    original: Callable[..., Any],
    self: Any,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> Any:
    watch = lambda training: _watch(training, self, lambda: named(original, (self, *args), kwargs))  # noqa: E731
    return watched_method(integration, original, self, args, kwargs, watch)


def _watch(
    training: Training, model: Any, arguments: Callable[[], dict[str, Any]]
) -> Generator[None, Any, None]:
    training.write("logging params", lambda record: _describe(record, model, arguments()))
    if training.options.log_datasets:
        training.write(
            "logging the dataset",
            lambda record: log_dataset(record.writer, model.exog, model.endog),
        )
    result = yield
    with unheard():
        _log_result(training, result)


def _log_result(training: Training, result: Any) -> None:
    training.write("logging metrics", lambda record: record.metrics(_numbers(training, result)))
    training.write("logging the summary", lambda record: _log_summary(record, result))
    training.write("logging the coefficients", lambda record: _log_coefficients(record, result))
    if training.options.log_models:
        training.write(
            "logging the model",
            lambda record: record.model(
                result, save=lambda folder: result.save(str(folder / "model.pickle"))
            ),
        )


def _describe(record: Record, model: Any, given: Mapping[str, Any]) -> None:
    kind = type(model)
    names = {
        "estimator_name": kind.__name__,
        "estimator_class": f"{kind.__module__}.{kind.__name__}",
    }
    record.tags(names)
    formula = getattr(model, "formula", None)
    more = {} if formula is None else {"formula": formula}
    record.params({**without(given, _NO_PARAMS), **more})


def _numbers(training: Training, result: Any) -> dict[str, Any]:
    # Each is computed when it is asked for, and some raise for some models.
    found = {
        name: training.attempt(f"computing {name}", functools.partial(_number, result, name), None)
        for name in _METRICS
    }
    return {name: value for name, value in found.items() if value is not None}


def _number(result: Any, name: str) -> Any:
    try:
        return getattr(result, name, None)
    except NotImplementedError:  # a figure that there is not for such a model: no failure
        return None


def _log_summary(record: Record, result: Any) -> None:
    try:
        text = str(result.summary())
    except NotImplementedError:  # as of a regularized fit
        return
    record.text(text, "model_summary.txt")


def _log_coefficients(record: Record, result: Any) -> None:
    found = _coefficients(result)
    if found:
        record.json(found, "coefficients.json")


def _coefficients(result: Any) -> dict[str, Any]:
    """Return a model's coefficients by name; those of several equations by equation and name."""
    values = getattr(result, "params", None)
    if values is None:
        return {}
    if hasattr(values, "to_dict"):
        values = values.to_dict()
    if isinstance(values, Mapping):
        return {str(key): _plain(value) for key, value in values.items()}
    model = result.model
    names = [getattr(model, "exog_names", None), getattr(model, "param_names", None)]
    rows: list[str] = next((list(some) for some in names if some and len(some) == len(values)), [])
    if len(getattr(values, "shape", ())) < 2:
        return {name: _plain(value) for name, value in zip(rows, values, strict=False)}
    count = values.shape[1]
    equations = getattr(model, "endog_names", None)
    if not isinstance(equations, list) or len(equations) != count:
        equations = [str(place) for place in range(count)]
    return {
        equation: {name: _plain(value) for name, value in zip(rows, column, strict=True)}
        for equation, column in zip(equations, values.T, strict=True)
        if rows
    }


def _plain(value: Any) -> Any:
    """Return a coefficient as JSON has it, where there is no value for what is no number."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


INTEGRATION = Integration("statsmodels", ("statsmodels",), _patch)
"""The integration that :func:`autolog` switches."""
