"""Search: MLflow's filter language, parsed into a tree and compiled to bound SQL."""

from mltrack_jupyter.store.sql.search.compiler import (
    candidates,
    filtered,
    first_order,
    ordered,
    orders_by,
)
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
    "IS_PROMPT",
    "LOGGED_MODEL_FIELDS",
    "MODEL_VERSION_FIELDS",
    "REGISTERED_MODEL_FIELDS",
    "RUN_FIELDS",
    "candidates",
    "filtered",
    "first_order",
    "ordered",
    "orders_by",
]
