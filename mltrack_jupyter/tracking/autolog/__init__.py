"""Autologging: trainings with known libraries become params, metrics and models without a logging call."""

from mltrack_jupyter.tracking.autolog import (
    keras,
    lightgbm,
    lightning,
    sklearn,
    statsmodels,
    xgboost,
)
from mltrack_jupyter.tracking.autolog.switch import LIBRARIES, autolog, switched_on

__all__ = [
    "LIBRARIES",
    "autolog",
    "keras",
    "lightgbm",
    "lightning",
    "sklearn",
    "statsmodels",
    "switched_on",
    "xgboost",
]
