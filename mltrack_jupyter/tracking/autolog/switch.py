"""``mltrack.autolog``: every library at once."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from mltrack_jupyter.errors import InvalidParameter
from mltrack_jupyter.tracking.autolog import (
    keras,
    lightgbm,
    lightning,
    sklearn,
    statsmodels,
    xgboost,
)
from mltrack_jupyter.tracking.autolog.integration import Integration

_EXAMPLES = {"log_input_examples", "log_model_signatures", "log_models"}
# Which of the common options each library takes; statsmodels logs its pickles only when asked itself.
_LIBRARIES: dict[str, tuple[Integration, Callable[..., None], set[str]]] = {
    "sklearn": (sklearn.INTEGRATION, sklearn.autolog, {*_EXAMPLES, "max_tuning_runs"}),
    "xgboost": (xgboost.INTEGRATION, xgboost.autolog, _EXAMPLES),
    "lightgbm": (lightgbm.INTEGRATION, lightgbm.autolog, _EXAMPLES),
    "lightning": (lightning.INTEGRATION, lightning.autolog, {"log_models"}),
    "keras": (keras.INTEGRATION, keras.autolog, _EXAMPLES),
    "statsmodels": (statsmodels.INTEGRATION, statsmodels.autolog, set()),
}
LIBRARIES = tuple(_LIBRARIES)
"""The libraries whose trainings can be logged."""


def _check_libraries(first: object, excluded: set[str]) -> None:
    """Check which libraries are named; the ``first`` argument is often taken for one."""
    if isinstance(first, str):
        library = first if first in _LIBRARIES else "sklearn"
        raise InvalidParameter(
            f"mltrack.autolog({first!r}): it takes no library's name; without one it is for all of them, and "
            f"mltrack.{library}.autolog() is for one."
        )
    if unknown := excluded - set(_LIBRARIES):
        raise InvalidParameter(
            f"exclude_flavors names {', '.join(sorted(map(repr, unknown)))}; there are "
            f"{', '.join(_LIBRARIES)}."
        )


def autolog(
    log_input_examples: bool = False,
    log_model_signatures: bool = True,
    log_models: bool = True,
    log_datasets: bool = True,
    log_traces: bool = True,
    disable: bool = False,
    exclusive: bool = False,
    disable_for_unsupported_versions: bool = False,
    silent: bool = False,
    max_tuning_runs: int | None = 5,
    extra_tags: Mapping[str, str] | None = None,
    exclude_flavors: Collection[str] | None = None,
) -> None:
    """Log every training from now on: scikit-learn, XGBoost, LightGBM, Lightning, Keras, statsmodels.

    Nothing is imported by it; a library is listened to as soon as it is imported. A training writes to
    the run that is active; without one it opens a run, which ends with it (in a notebook: with its
    cell). What you log by hand stays as you logged it. A failure of the logging never reaches the
    training. ``disable=True`` puts everything back as it was.

    Parameters
    ----------
    log_input_examples, log_model_signatures, log_models, log_datasets
        What is logged besides params and metrics.
    exclusive
        Whether a run that a user has started is left alone.
    log_traces, disable_for_unsupported_versions
        Taken as MLflow's clients give it; there are no traces here, and no version is refused.
    silent
        Whether failures of the logging are told to the debug log only.
    max_tuning_runs
        How many candidates of a search get a child run, the best first; ``None`` for all.
    extra_tags
        Tags of the runs that autologging opens.
    exclude_flavors
        Names of libraries that are left as they are.

    Raises
    ------
    InvalidParameter
        An option has a value that it cannot have.
    """
    excluded = set(exclude_flavors or ())
    _check_libraries(log_input_examples, excluded)
    common: dict[str, Any] = {
        "log_datasets": log_datasets,
        "disable": disable,
        "exclusive": exclusive,
        "silent": silent,
        "extra_tags": extra_tags,
    }
    special = {
        "log_input_examples": log_input_examples,
        "log_model_signatures": log_model_signatures,
        "log_models": log_models,
        "max_tuning_runs": max_tuning_runs,
    }
    for name, (_, switch, taken) in _LIBRARIES.items():
        if name not in excluded:
            switch(**common, **{key: value for key, value in special.items() if key in taken})


def switched_on() -> list[str]:
    """Return the libraries whose trainings are logged now."""
    return [name for name, (integration, _, _) in _LIBRARIES.items() if integration.on]
