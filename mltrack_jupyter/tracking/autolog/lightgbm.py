"""LightGBM: ``lightgbm.train`` and its estimators, by a callback."""

from __future__ import annotations

import functools
import types
from collections.abc import Callable, Mapping
from typing import Any

from mltrack_jupyter.tracking.autolog import boosting, datasets
from mltrack_jupyter.tracking.autolog.arguments import named
from mltrack_jupyter.tracking.autolog.datasets import example_of, log_dataset
from mltrack_jupyter.tracking.autolog.integration import Integration, Options
from mltrack_jupyter.tracking.autolog.record import Record
from mltrack_jupyter.tracking.autolog.training import Halves, Training

# Data and functions, which are no settings.
_NO_PARAMS = (
    "params",
    "train_set",
    "valid_sets",
    "valid_names",
    "feval",
    "init_model",
    "callbacks",
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
    registered_model_name: str | None = None,
    extra_tags: Mapping[str, str] | None = None,
) -> None:
    """Log every training with LightGBM from now on; ``disable=True`` ends that.

    The parameters are those of scikit-learn's ``autolog``.
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
    )
    INTEGRATION.switch(options, disable=disable)


def _patch(integration: Integration, module: types.ModuleType) -> None:
    if module.__name__ == "lightgbm.engine":
        hook = functools.partial(_train, integration)
        integration.patches.functions({module.train: hook})
    if module.__name__ == "lightgbm.sklearn":
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
        # Read now: LightGBM lets go of the data when it has made its own of it.
        data = training.attempt("looking at the data", lambda: given["train_set"].data, None)
        example = training.attempt("taking an example", lambda: example_of(data), None)
        rounds = boosting.Rounds()
        training.attempt(
            "logging the call", lambda: _log_call(training, given, with_data=own), None
        )
        changed = training.attempt(
            "adding a callback", lambda: _with_callback(training, rounds, given), None
        )
        booster = yield None if changed is None else functools.partial(original, **changed)
        training.attempt("asking the booster", lambda: _log_best(training, booster, rounds), None)
        for kind in ("split", "gain"):
            boosting.log_importance(training, kind, functools.partial(_importance, booster, kind))
        if own and training.options.log_models:
            _log_booster(training, booster, example)

    return boosting.train(integration, "Booster", lambda: original(*args, **kwargs), watch)


def _log_best(training: Training, booster: Any, rounds: boosting.Rounds) -> None:
    if booster.best_iteration > 0:
        step = rounds.start + len(rounds.found)
        boosting.log_rounds(training, rounds, (booster.best_iteration, 1), step)


def _importance(booster: Any, kind: str) -> dict[str, Any]:
    values = booster.feature_importance(importance_type=kind).tolist()
    return dict(zip(booster.feature_name(), values, strict=True))


def _log_call(training: Training, given: Mapping[str, Any], *, with_data: bool) -> None:
    training.write(
        "logging params", lambda record: record.params(boosting.settings(given, _NO_PARAMS))
    )
    if not with_data or not training.options.log_datasets:
        return

    def write(record: Record) -> None:
        log_dataset(record.writer, given["train_set"].data, given["train_set"].label)
        names, sets = given.get("valid_names"), given.get("valid_sets")
        # LightGBM takes one without a list around it.
        names = [names] if isinstance(names, str) else boosting.listed(names)
        sets = [sets] if hasattr(sets, "data") else boosting.listed(sets)
        for place, item in enumerate(sets):
            name = names[place] if place < len(names) else f"valid_{place}"
            log_dataset(record.writer, item.data, context="eval", name=name)

    training.write("logging the datasets", write)


def _with_callback(
    training: Training, rounds: boosting.Rounds, given: Mapping[str, Any]
) -> dict[str, Any]:
    def log_metrics(env: Any) -> None:
        def write(record: Record) -> None:
            # A cross-validation's entries have a fifth element; the first three are the same.
            found = {f"{item[0]}-{item[1]}": item[2] for item in env.evaluation_result_list or ()}
            rounds.start = env.begin_iteration
            rounds.found.append(found)
            if found:
                record.metrics(found, env.iteration)

        training.write("logging metrics", write)

    # Before the callbacks that may end the training by raising.
    log_metrics.order = 5  # type: ignore[attr-defined]
    return {**given, "callbacks": [*(given.get("callbacks") or ()), log_metrics]}


def _log_booster(training: Training, booster: Any, example: Any) -> None:
    signature = training.attempt(
        "inferring a signature",
        lambda: None if example is None else datasets.signature(example, booster.predict(example)),
        None,
    )
    training.write(
        "logging the model",
        lambda record: record.model(
            booster,
            signature=signature,
            example=example,
            save=lambda folder: booster.save_model(str(folder / "model.txt")),
        ),
    )


INTEGRATION = Integration("lightgbm", ("lightgbm",), _patch)
"""The integration that :func:`autolog` switches."""
