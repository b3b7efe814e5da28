"""XGBoost: ``xgboost.train`` and its estimators, by a ``TrainingCallback``."""

from __future__ import annotations

import functools
import types
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from mltrack_jupyter.tracking.autolog import boosting, datasets
from mltrack_jupyter.tracking.autolog.arguments import named
from mltrack_jupyter.tracking.autolog.datasets import EXAMPLE_ROWS, example_of, log_dataset
from mltrack_jupyter.tracking.autolog.integration import Integration, Options
from mltrack_jupyter.tracking.autolog.training import Halves, Training

# Data and functions, which are no settings.
_NO_PARAMS = ("params", "dtrain", "evals", "obj", "evals_result", "xgb_model", "callbacks")
_MAX_ROWS = 10_000


def autolog(
    importance_types: Sequence[str] | None = None,
    log_input_examples: bool = False,
    log_model_signatures: bool = True,
    log_models: bool = True,
    log_datasets: bool = True,
    disable: bool = False,
    exclusive: bool = False,
    disable_for_unsupported_versions: bool = False,
    silent: bool = False,
    registered_model_name: str | None = None,
    model_format: str = "json",
    extra_tags: Mapping[str, str] | None = None,
) -> None:
    """Log every training with XGBoost from now on; ``disable=True`` ends that.

    ``importance_types`` are kinds of importance that become files (``["weight"]`` if absent);
    ``model_format`` is ``"json"`` or ``"ubj"``. The others are those of scikit-learn's ``autolog``.
    """
    options = Options(
        log_models=log_models,
        log_input_examples=log_input_examples,
        log_model_signatures=log_model_signatures,
        log_datasets=log_datasets,
        exclusive=exclusive,
        silent=silent,
        registered_model_name=registered_model_name,
        extra_tags=extra_tags or {},
        more={"importance_types": importance_types or ["weight"], "model_format": model_format},
    )
    INTEGRATION.switch(options, disable=disable)


def _patch(integration: Integration, module: types.ModuleType) -> None:
    if module.__name__ == "xgboost.training":
        hook = functools.partial(_train, integration)
        integration.patches.functions({module.train: hook})
    if module.__name__ == "xgboost.sklearn":
        boosting.patch_estimators(integration, module)


def _train(
    integration: Integration,
    original: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> Any:
    def watch(training: Training, own: bool) -> Halves:
        given: dict[str, Any] = training.attempt(
            "reading the arguments", lambda: named(original, args, kwargs), {}
        )
        rounds = boosting.Rounds()
        training.attempt(
            "logging the call", lambda: _log_call(training, given, with_data=own), None
        )
        callback = training.attempt("making a callback", lambda: _callback(training, rounds), None)
        if callback is None:
            booster = yield None
        else:
            # The last thing that is done: whoever lists an iterator has to hand on the list.
            callbacks = [*(kwargs.get("callbacks") or ()), callback]
            booster = yield functools.partial(original, *args, **{**kwargs, "callbacks": callbacks})
        if given.get("early_stopping_rounds"):
            training.attempt(
                "asking the booster", lambda: _log_best(training, booster, rounds), None
            )
        for kind in training.options.more["importance_types"]:
            boosting.log_importance(
                training, kind, functools.partial(booster.get_score, importance_type=kind)
            )
        if own and training.options.log_models:
            _log_booster(training, booster, given.get("dtrain"))

    return boosting.train(integration, "Booster", lambda: original(*args, **kwargs), watch)


def _log_best(training: Training, booster: Any, rounds: boosting.Rounds) -> None:
    # Rounds of a booster that is trained on are counted on, but not those of its metrics.
    boosting.log_rounds(training, rounds, (int(booster.best_iteration), 0), len(rounds.found))


def _log_call(training: Training, given: Mapping[str, Any], *, with_data: bool) -> None:
    training.write(
        "logging params", lambda record: record.params(boosting.settings(given, _NO_PARAMS))
    )
    if with_data and training.options.log_datasets:
        training.write(
            "logging the dataset",
            lambda record: log_dataset(record.writer, _data_of(given["dtrain"], _MAX_ROWS)),
        )
        for matrix, name in boosting.listed(given.get("evals")):
            training.write(
                "logging the dataset",
                functools.partial(_log_evaluated, matrix=matrix, name=name),
            )


def _log_evaluated(record: Any, matrix: Any, name: str) -> None:
    log_dataset(record.writer, _data_of(matrix, _MAX_ROWS), context="eval", name=name)


def _data_of(matrix: Any, most: int) -> Any:
    """Return the first rows of a ``DMatrix``: sparse, or as a frame where it names its features."""
    # Of its kinds only the plain one can be cut before it is copied.
    if type(matrix).__name__ == "DMatrix":
        matrix = matrix.slice(list(range(min(most, matrix.num_row()))), allow_groups=True)
    values = matrix.get_data()[:most]
    names = matrix.feature_names
    if names is None:
        return values
    import pandas

    return pandas.DataFrame(values.toarray(), columns=names)


def _callback(training: Training, rounds: boosting.Rounds) -> Any:
    from xgboost.callback import TrainingCallback

    class LogMetrics(TrainingCallback):  # type: ignore[misc]
        """Logs each round's metrics; it never ends the training."""

        def before_training(self, model: Any) -> Any:
            def count(_: Any) -> None:
                rounds.start = model.num_boosted_rounds()

            training.write("counting the rounds", count)
            return model

        def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:
            def write(record: Any) -> None:
                found = {
                    f"{data}-{name}": _last(values)
                    for data, metrics in evals_log.items()
                    for name, values in metrics.items()
                }
                rounds.found.append(found)
                if found:
                    record.metrics(found, epoch)

            training.write("logging metrics", write)
            return False

    return LogMetrics()


def _last(values: Any) -> Any:
    # A cross-validation gives pairs of mean and deviation.
    return values[-1][0] if isinstance(values[-1], tuple) else values[-1]


def _log_booster(training: Training, booster: Any, matrix: Any) -> None:
    def signature() -> Any:
        from xgboost import DMatrix

        example = example_of(_data_of(matrix, EXAMPLE_ROWS))
        return datasets.signature(example, booster.predict(DMatrix(example)))

    ending = training.options.more["model_format"]
    found = training.attempt("inferring a signature", signature, None)
    example = training.attempt(
        "taking an example", lambda: example_of(_data_of(matrix, EXAMPLE_ROWS)), None
    )
    training.write(
        "logging the model",
        lambda record: record.model(
            booster,
            signature=found,
            example=example,
            save=lambda folder: booster.save_model(folder / f"model.{ending}"),
        ),
    )


INTEGRATION = Integration("xgboost", ("xgboost",), _patch)
"""The integration that :func:`autolog` switches."""
