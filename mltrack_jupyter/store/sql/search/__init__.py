"""Search: MLflow's filter language, parsed into a tree and compiled to bound SQL."""

from mltrack_jupyter.store.sql.search.compiler import Filter, Order
from mltrack_jupyter.store.sql.search.fields import (
    EXPERIMENT_FIELDS,
    IS_PROMPT,
    LOGGED_MODEL_FIELDS,
    MODEL_VERSION_FIELDS,
    REGISTERED_MODEL_FIELDS,
    RUN_FIELDS,
)

__all__ = [
    "EXPERIMENT_FIELDS",
    "Filter",
    "IS_PROMPT",
    "LOGGED_MODEL_FIELDS",
    "MODEL_VERSION_FIELDS",
    "Order",
    "REGISTERED_MODEL_FIELDS",
    "RUN_FIELDS",
]
