"""Trainings with Keras under MLflow's name: ``mltrack.keras.autolog``."""

from mltrack_jupyter.left_out import NO_FLAVOR, attribute_of
from mltrack_jupyter.tracking.autolog.keras import autolog

__all__ = ["autolog"]

__getattr__ = attribute_of(__name__, NO_FLAVOR)
