"""What a run read and made: datasets and logged models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mltrack_jupyter.entities import (
    Dataset,
    DatasetInput,
    ModelInput,
    ModelOutput,
    RunEntry,
    Tag,
)
from mltrack_jupyter.errors import InvalidParameter
from mltrack_jupyter.tracking.logging import write_to_run

_CONTEXT = "mlflow.data.context"
_FIELDS = ("name", "digest", "source", "source_type", "schema", "profile")


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


def dataset_input(
    dataset: Any, context: str | None = None, tags: Mapping[str, Any] | None = None
) -> DatasetInput:
    """Return a dataset in its role, as it is stored."""
    pairs = {key: str(value) for key, value in (tags or {}).items()}
    if context is not None:
        pairs[_CONTEXT] = context
    return DatasetInput(
        dataset=to_entity(dataset), tags=[Tag(key, value) for key, value in pairs.items()]
    )


def to_entity(dataset: Any) -> Dataset:
    """Return what is stored of a dataset: ours, one of MLflow's, or a stored one."""
    if isinstance(dataset, Dataset):
        return dataset
    if not hasattr(dataset, "to_dict") or not hasattr(dataset, "digest"):
        raise InvalidParameter(
            f"log_input takes a dataset, such as mltrack.data.from_pandas(frame), not a "
            f"{type(dataset).__name__}."
        )
    content = dataset.to_dict()
    return Dataset(**{name: content.get(name) or "" for name in _FIELDS})


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
