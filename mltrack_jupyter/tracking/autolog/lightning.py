"""PyTorch Lightning: ``Trainer.fit``, by a ``Callback``; both packages that have it."""

from __future__ import annotations

import functools
import sys
import types
from collections.abc import Callable, Mapping
from typing import Any

from mltrack_jupyter.tracking.autolog.integration import Integration, Options
from mltrack_jupyter.tracking.autolog.record import Record
from mltrack_jupyter.tracking.autolog.sklearn import classes_of
from mltrack_jupyter.tracking.autolog.training import Halves, Training, current, watched

_EARLY_STOPPING = ("monitor", "mode", "patience", "min_delta")


def autolog(
    log_every_n_epoch: int = 1,
    log_every_n_step: int | None = None,
    log_models: bool = True,
    log_datasets: bool = True,
    disable: bool = False,
    exclusive: bool = False,
    disable_for_unsupported_versions: bool = False,
    silent: bool = False,
    registered_model_name: str | None = None,
    extra_tags: Mapping[str, str] | None = None,
) -> None:
    """Log every training with a Lightning ``Trainer`` from now on; ``disable=True`` ends that.

    What a module logs is written after every ``log_every_n_epoch`` epochs, and after every
    ``log_every_n_step`` steps where that is given. Data loaders are not read for ``log_datasets``. The
    other parameters are those of scikit-learn's ``autolog``.
    """
    options = Options(
        log_models=log_models,
        log_datasets=log_datasets,
        exclusive=exclusive,
        silent=silent,
        registered_model_name=registered_model_name,
        extra_tags=extra_tags or {},
        more={"log_every_n_epoch": log_every_n_epoch, "log_every_n_step": log_every_n_step},
    )
    INTEGRATION.switch(options, disable=disable)


def _patch(integration: Integration, module: types.ModuleType) -> None:
    if module.__name__ in (
        "lightning.pytorch.trainer.trainer",
        "pytorch_lightning.trainer.trainer",
    ):
        for owner in classes_of(module):
            integration.patches.method(owner, "fit", functools.partial(_fit, integration))


def _fit(
    integration: Integration,
    original: Callable[..., Any],
    self: Any,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> Any:
    def begin() -> Training | None:
        # One process of several logs: the others would open runs of their own.
        if current() is not None or not self.is_global_zero:
            return None
        module = args[0] if args else kwargs.get("model")
        return Training(integration, type(module).__name__)

    def watch(training: Training) -> Halves:
        callback = training.attempt("adding a callback", lambda: _add(training, self), None)
        yield lambda: _fit_with(training, self, callback, call)
        _log_trained(training, self)

    def call() -> Any:
        return original(self, *args, **kwargs)

    return watched(integration, begin, call, watch)


def _fit_with(training: Training, trainer: Any, callback: Any, call: Callable[[], Any]) -> Any:
    try:
        result = call()
    except SystemExit:
        # Lightning turns an interrupt into the end of the process.
        training.killed = training.attempt("asking the trainer", lambda: trainer.interrupted, False)
        raise
    finally:
        training.attempt("removing the callback", lambda: _remove(trainer, callback), None)
    training.killed = training.attempt("asking the trainer", lambda: trainer.interrupted, False)
    return result


def _remove(trainer: Any, callback: Any) -> None:
    if callback in trainer.callbacks:
        trainer.callbacks.remove(callback)


def _add(training: Training, trainer: Any) -> Any:
    base = sys.modules[type(trainer).__module__.partition(".trainer")[0]].Callback
    callback = _callback_class(base)(training)
    trainer.callbacks.append(callback)
    return callback


@functools.cache
def _callback_class(base: type) -> type:
    class LogMetrics(base):  # type: ignore[misc]
        """Logs settings when a training begins, and metrics as it goes on."""

        def __init__(self, training: Training) -> None:
            self._training = training

        def on_train_start(self, trainer: Any, module: Any) -> None:
            self._training.write(
                "logging params", lambda record: _describe(record, trainer, module)
            )

        def on_train_epoch_end(self, trainer: Any, module: Any) -> None:
            # The validation of an epoch has run by now.
            def write(record: Record) -> None:
                every = self._training.options.more["log_every_n_epoch"] or 1
                if trainer.current_epoch % every == 0:
                    record.metrics(dict(trainer.callback_metrics), trainer.current_epoch)

            self._training.write("logging metrics", write)

        def on_train_batch_end(self, trainer: Any, module: Any, *_: Any) -> None:
            def write(record: Record) -> None:
                every = self._training.options.more["log_every_n_step"]
                if every and trainer.global_step % every == 0:
                    record.metrics(dict(trainer.logged_metrics), trainer.global_step)

            self._training.write("logging metrics", write)

    return LogMetrics


def _describe(record: Record, trainer: Any, module: Any) -> None:
    params: dict[str, Any] = {"epochs": trainer.max_epochs}
    for optimizer in trainer.optimizers[:1]:
        params["optimizer_name"] = type(optimizer).__name__
        params |= optimizer.defaults
    for stop in _early_stopping(trainer):
        params |= {name: getattr(stop, name) for name in _EARLY_STOPPING}
    params |= {key: value for key, value in dict(module.hparams).items() if key not in params}
    record.params(params)
    record.tags({"Mode": "training"})
    record.text(str(module), "model_summary.txt")


def _early_stopping(trainer: Any) -> list[Any]:
    return [item for item in trainer.callbacks if type(item).__name__ == "EarlyStopping"]


def _log_trained(training: Training, trainer: Any) -> None:
    for stop in _early_stopping(trainer):
        found = {"stopped_epoch": stop.stopped_epoch, "best_score": stop.best_score}
        training.write("logging the early stop", functools.partial(Record.metrics, values=found))
    if training.options.log_models and not training.killed:
        training.write(
            "logging the model",
            lambda record: record.model(
                trainer.lightning_module,
                save=lambda folder: trainer.save_checkpoint(folder / "model.ckpt"),
            ),
        )


INTEGRATION = Integration("lightning", ("lightning", "pytorch_lightning"), _patch)
"""The integration that :func:`autolog` switches."""
