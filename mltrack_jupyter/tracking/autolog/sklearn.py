"""scikit-learn: every ``fit`` becomes a run's params, training metrics and model."""

from __future__ import annotations

import functools
import inspect
import types
from collections.abc import Callable, Generator, Mapping
from typing import Any

from mltrack_jupyter.tracking.autolog import sklearn_after
from mltrack_jupyter.tracking.autolog.arguments import named
from mltrack_jupyter.tracking.autolog.border import undrawn, unheard
from mltrack_jupyter.tracking.autolog.datasets import example_of, log_dataset, signature_of
from mltrack_jupyter.tracking.autolog.integration import Integration, Options
from mltrack_jupyter.tracking.autolog.record import Record
from mltrack_jupyter.tracking.autolog.sklearn_metrics import training_metrics
from mltrack_jupyter.tracking.autolog.sklearn_search import is_search, log_search
from mltrack_jupyter.tracking.autolog.training import Training, current, watched

_FITS = ("fit", "fit_transform", "fit_predict")
# What prepares data is no model; inside a pipeline its params are logged with the pipeline's.
_PREPARES = (
    "sklearn.preprocessing",
    "sklearn.impute",
    "sklearn.feature_extraction",
    "sklearn.feature_selection",
)
# Their inner fits are measurements of one model, and no models.
_QUIET = (
    "cross_val_predict",
    "cross_val_score",
    "cross_validate",
    "learning_curve",
    "permutation_test_score",
    "validation_curve",
)


def autolog(
    log_input_examples: bool = False,
    log_model_signatures: bool = True,
    log_models: bool = True,
    log_datasets: bool = True,
    disable: bool = False,
    exclusive: bool = False,
    disable_for_unsupported_versions: bool = False,
    silent: bool = False,
    max_tuning_runs: int | None = 5,
    log_post_training_metrics: bool = True,
    serialization_format: str | None = None,
    registered_model_name: str | None = None,
    pos_label: Any = None,
    extra_tags: Mapping[str, str] | None = None,
) -> None:
    """Log every training with scikit-learn from now on; ``disable=True`` ends that.

    Parameters
    ----------
    log_input_examples, log_model_signatures
        Whether a model is logged with five rows of what it was trained on, and with its signature.
    log_models, log_datasets
        Whether the fitted estimator, and a digest of its data, are logged.
    exclusive
        Whether a run that a user has started is left alone.
    disable_for_unsupported_versions
        Taken as MLflow's clients give it; no version is refused here.
    silent
        Whether failures of the logging are told to the debug log only.
    max_tuning_runs
        How many of a search's candidates get a child run, the best first; ``None`` for all.
    log_post_training_metrics
        Whether ``score`` and the functions of ``sklearn.metrics`` add to the run of a fitted model.
    serialization_format
        ``"cloudpickle"``, ``"pickle"`` or ``"skops"``.
    registered_model_name
        Each model becomes the next version of this registered model.
    pos_label
        The positive class of two, for precision, recall and F1.
    extra_tags
        Tags of the runs that autologging opens.
    """
    more = {
        "max_tuning_runs": max_tuning_runs,
        "log_post_training_metrics": log_post_training_metrics,
        "serialization_format": serialization_format,
        "pos_label": pos_label,
    }
    options = Options(
        log_models=log_models,
        log_input_examples=log_input_examples,
        log_model_signatures=log_model_signatures,
        log_datasets=log_datasets,
        exclusive=exclusive,
        silent=silent,
        registered_model_name=registered_model_name,
        extra_tags=extra_tags or {},
        more=more,
    )
    INTEGRATION.switch(options, disable=disable)


def _patch(integration: Integration, module: types.ModuleType) -> None:
    name = module.__name__
    if name == "sklearn.model_selection._validation":
        hook = functools.partial(_quietly, integration)
        functions = [getattr(module, item) for item in _QUIET if hasattr(module, item)]
        integration.patches.functions(dict.fromkeys(functions, hook))
    if name == "sklearn.metrics":
        sklearn_after.patch_metrics(integration, module)
    for owner in classes_of(module):
        for method in _FITS:
            integration.patches.method(owner, method, functools.partial(_fit, integration))
        sklearn_after.patch_class(integration, owner, integration.patches)


def classes_of(module: types.ModuleType) -> list[type]:
    """Return the classes that a module defines."""
    return [
        item
        for item in vars(module).values()
        if inspect.isclass(item) and item.__module__ == module.__name__
    ]


def _quietly(
    integration: Integration,
    original: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> Any:
    return watched(
        integration,
        lambda: Training(integration, original.__name__, logged=False),
        lambda: original(*args, **kwargs),
    )


def _fit(
    integration: Integration,
    original: Callable[..., Any],
    self: Any,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> Any:
    return watched(
        integration,
        lambda: _begin(integration, self),
        lambda: original(self, *args, **kwargs),
        lambda training: _watch(training, self, lambda: named(original, (self, *args), kwargs)),
    )


def _begin(integration: Integration, estimator: Any) -> Training | None:
    if current() is not None or not hasattr(estimator, "get_params"):
        return None
    kind = type(estimator)
    logged = not kind.__module__.startswith(_PREPARES)
    is_model = hasattr(kind, "predict") or hasattr(kind, "fit_predict")
    return Training(integration, kind.__name__, is_model=is_model, logged=logged)


def _watch(
    training: Training, estimator: Any, arguments: Callable[[], dict[str, Any]]
) -> Generator[None, Any, None]:
    given: dict[str, Any] = training.attempt("reading the arguments", arguments, {})
    data, targets = given.get("X"), given.get("y", given.get("Y"))
    example = training.attempt("taking an example", lambda: example_of(data), None)
    training.write("logging params", lambda record: log_estimator(record, estimator))
    if training.options.log_datasets:
        training.write(
            "logging the dataset", lambda record: log_dataset(record.writer, data, targets)
        )
    yield
    with unheard(), undrawn(estimator):
        _log_fitted(training, estimator, given, example)


def log_estimator(record: Record, estimator: Any) -> None:
    """Log an estimator's class and params, those of its parts among them."""
    kind = type(estimator)
    if record.is_model:
        names = {
            "estimator_name": kind.__name__,
            "estimator_class": f"{kind.__module__}.{kind.__name__}",
        }
        record.tags(names)
    # The parts of a search are where it starts from, and not what it settles on.
    params = estimator.get_params(deep=not is_search(estimator))
    record.params(params)
    record.covers(estimator, *(part for part in params.values() if hasattr(part, "get_params")))


def _log_fitted(training: Training, estimator: Any, given: Mapping[str, Any], example: Any) -> None:
    options = training.options
    training.write(
        "logging training metrics",
        lambda record: record.metrics(
            training_metrics(training, estimator, given, options.more.get("pos_label"))
        ),
    )
    if training.record is None or not training.record.is_model:
        return
    if is_search(estimator):
        training.write(
            "logging the search",
            lambda record: log_search(training, record, estimator, example),
        )
    if options.log_models:
        log_fitted_model(training, estimator, example)
    sklearn_after.EVALUATIONS.remember(estimator, training.record)


def log_fitted_model(training: Training, estimator: Any, example: Any, path: str = "model") -> None:
    """Log a fitted estimator with what is known of its data."""
    signature = training.attempt(
        "inferring a signature", lambda: signature_of(estimator, example), None
    )
    training.write(
        f"logging the {path.replace('_', ' ')}",
        lambda record: record.model(estimator, path, signature=signature, example=example),
    )


INTEGRATION = Integration("sklearn", ("sklearn",), _patch)
"""The integration that :func:`autolog` switches."""
