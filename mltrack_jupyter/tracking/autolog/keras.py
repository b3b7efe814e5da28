"""Keras 3: ``fit`` of a model on any backend, by a ``Callback``."""

from __future__ import annotations

import functools
import types
from collections.abc import Callable, Mapping
from typing import Any

from mltrack_jupyter.tracking.autolog import datasets
from mltrack_jupyter.tracking.autolog.arguments import named, without
from mltrack_jupyter.tracking.autolog.border import undrawn, unheard
from mltrack_jupyter.tracking.autolog.datasets import example_of, log_dataset
from mltrack_jupyter.tracking.autolog.integration import Integration, Options
from mltrack_jupyter.tracking.autolog.record import Record
from mltrack_jupyter.tracking.autolog.sklearn import classes_of
from mltrack_jupyter.tracking.autolog.training import Halves, Training, watched_method

# Data and functions, which are no settings.
_NO_PARAMS = (
    "self",
    "x",
    "y",
    "callbacks",
    "validation_data",
    "verbose",
    "sample_weight",
    "class_weight",
)


def autolog(
    log_every_epoch: bool = True,
    log_every_n_steps: int | None = None,
    log_models: bool = True,
    log_model_signatures: bool = True,
    log_datasets: bool = True,
    log_input_examples: bool = False,
    disable: bool = False,
    exclusive: bool = False,
    disable_for_unsupported_versions: bool = False,
    silent: bool = False,
    registered_model_name: str | None = None,
    extra_tags: Mapping[str, str] | None = None,
) -> None:
    """Log every training with Keras from now on; ``disable=True`` ends that.

    Metrics are logged after each epoch, and after every ``log_every_n_steps`` batches where that is
    given. The other parameters are those of scikit-learn's ``autolog``.
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
        more={"log_every_epoch": log_every_epoch, "log_every_n_steps": log_every_n_steps},
    )
    INTEGRATION.switch(options, disable=disable)


def _patch(integration: Integration, module: types.ModuleType) -> None:
    # Each backend has a trainer of its own, from which keras.Model derives.
    if module.__name__.startswith("keras.src.backend.") and module.__name__.endswith(".trainer"):
        for owner in classes_of(module):
            integration.patches.method(owner, "fit", functools.partial(_fit, integration))


def _fit(
    integration: Integration,
    original: Callable[..., Any],
    self: Any,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> Any:
    def watch(training: Training) -> Halves:
        given: dict[str, Any] = training.attempt(
            "reading the arguments", lambda: named(original, (self, *args), kwargs), {}
        )
        example = training.attempt("taking an example", lambda: _example(given["x"]), None)
        with unheard():
            training.attempt("logging the call", lambda: _log_call(training, self, given), None)
        changed = training.attempt("adding a callback", lambda: _changed(training, given), None)
        yield None if changed is None else functools.partial(original, self, **changed)
        if training.options.log_models:
            with unheard():
                _log_model(training, self, example)

    return watched_method(integration, original, self, args, kwargs, watch)


def _is_several(data: Any) -> bool:
    """Tell whether data are those of several inputs: a list of arrays is, one of rows is not."""
    return isinstance(data, list | tuple) and any(
        len(getattr(item, "shape", ())) > 0 for item in data
    )


def _example(data: Any) -> Any:
    # A signature has one table; a model with several inputs has several, and gets none.
    return None if _is_several(data) else example_of(data)


def _log_data(record: Record, data: Any, targets: Any, context: str, name: str) -> None:
    """Log a dataset, or one for each input of the model."""
    targets = None if _is_several(targets) or isinstance(targets, Mapping) else targets
    if isinstance(data, Mapping):
        parts = [(f"{name}_{key}", part) for key, part in data.items()]
    elif _is_several(data):
        parts = [(f"{name}_{place}", part) for place, part in enumerate(data)]
    else:
        parts = [(name, data)]
    for label, part in parts:
        log_dataset(record.writer, part, targets, context=context, name=label)


def _log_call(training: Training, model: Any, given: Mapping[str, Any]) -> None:
    def params(record: Record) -> None:
        settings = model.optimizer.get_config()
        own = {f"optimizer_{key}": value for key, value in settings.items()}
        record.params({**without(given, _NO_PARAMS), **own})

    training.write("logging params", params)
    if training.options.log_datasets:
        training.write(
            "logging the dataset",
            lambda record: _log_data(record, given.get("x"), given.get("y"), "train", "dataset"),
        )
        training.write("logging the dataset", lambda record: _log_validation(record, given))


def _log_validation(record: Record, given: Mapping[str, Any]) -> None:
    pair = given.get("validation_data")
    if isinstance(pair, tuple) and len(pair) >= 2:
        _log_data(record, pair[0], pair[1], "eval", "validation")


def _changed(training: Training, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments with our callback behind the user's."""
    from keras.callbacks import CallbackList

    callbacks = given.get("callbacks")
    ours = _callback(training)
    if isinstance(callbacks, CallbackList):
        callbacks.append(ours)
        return without(given, ["self"])
    users = callbacks if isinstance(callbacks, list | tuple) else [callbacks]
    return {
        **without(given, ["self"]),
        "callbacks": [*(item for item in users if item is not None), ours],
    }


def _callback(training: Training) -> Any:
    from keras.callbacks import Callback

    more = training.options.more

    class LogMetrics(Callback):  # type: ignore[misc,unused-ignore]
        """Logs the metrics of each epoch, or of every so many batches."""

        def __init__(self) -> None:
            super().__init__()
            self._seen = 0

        def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
            if more["log_every_epoch"] and logs:
                training.write("logging metrics", lambda record: record.metrics(logs, epoch))

        def on_train_batch_end(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
            self._seen += 1
            every = more["log_every_n_steps"]
            if every and logs and self._seen % every == 0:
                values = {f"batch_{key}": value for key, value in logs.items()}
                training.write("logging metrics", lambda record: record.metrics(values, self._seen))

    return LogMetrics()


def _log_model(training: Training, model: Any, example: Any) -> None:
    def summary(record: Record) -> None:
        lines: list[str] = []
        model.summary(print_fn=lambda line, *_, **__: lines.append(line))
        record.text("\n".join(lines), "model_summary.txt")

    def signature() -> Any:
        if example is None:
            return None
        # Keras reads data by torch's loader, which draws a number even where nothing is shuffled.
        with undrawn():
            return datasets.signature(example, model.predict(example, verbose=0))

    training.write("logging the summary", summary)
    found = training.attempt("inferring a signature", signature, None)
    training.write(
        "logging the model",
        lambda record: record.model(
            model,
            signature=found,
            example=example,
            save=lambda folder: model.save(folder / "model.keras"),
        ),
    )


INTEGRATION = Integration("keras", ("keras",), _patch)
"""The integration that :func:`autolog` switches."""
