"""What a run read and made: datasets and logged models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mltrack_jupyter.entities import ModelInput, ModelOutput, RunEntry
from mltrack_jupyter.errors import InvalidParameter
from mltrack_jupyter.tracking.dataset_inputs import dataset_input
from mltrack_jupyter.tracking.logging import write_to_run


def log_input(
    dataset: Any = None,
    context: str | None = None,
    tags: Mapping[str, Any] | None = None,
    model: ModelInput | None = None,
) -> None:
    """Record a dataset, or a logged model, that the active run read.

    Parameters
    ----------
    dataset
        From :mod:`mltrack_jupyter.data`, or one of MLflow's.
    context
        The role of the data, such as ``"training"``.
    """
    log_inputs([dataset], [context], [tags], [model] if model is not None else None)


def log_inputs(
    datasets: Sequence[Any] | None = None,
    contexts: Sequence[str | None] | None = None,
    tags_list: Sequence[Mapping[str, Any] | None] | None = None,
    models: Sequence[ModelInput | None] | None = None,
) -> None:
    """Record several datasets and logged models that the active run read: all of them or none.

    ``contexts`` and ``tags_list`` are as long as ``datasets``, or absent.
    """
    found = list(datasets or [])
    roles = list(contexts or [None] * len(found))
    labels = list(tags_list or [None] * len(found))
    if not len(found) == len(roles) == len(labels):
        raise InvalidParameter(
            f"There are {len(found)} datasets, {len(roles)} contexts and {len(labels)} sets of tags; "
            "each dataset needs one context and one set of tags (None for neither)."
        )
    inputs = [
        dataset_input(*item)
        for item in zip(found, roles, labels, strict=True)
        if item[0] is not None
    ]
    read = [ModelInput(model.model_id) for model in models or [] if model is not None]
    if not (inputs or read):
        raise InvalidParameter("Give a dataset or a model that the run read.")
    write_to_run(
        None,
        lambda services, run_id: services.runs.log_inputs(run_id, inputs, read),
        lambda run_id: RunEntry(run_id=run_id, datasets=inputs, models=read),
    )


def log_outputs(models: Sequence[ModelOutput] | None = None) -> None:
    """Record the logged models that the active run made, each with the step at which it did."""
    if not models:
        raise InvalidParameter("Give the logged models that the run made, as LoggedModelOutput.")
    made = [ModelOutput(item.model_id, item.step) for item in models]
    write_to_run(
        None,
        lambda services, run_id: services.runs.log_outputs(run_id, made),
        lambda run_id: RunEntry(run_id=run_id, outputs=made),
    )
