"""Calls about experiments."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mltrack_jupyter.entities import Experiment, PagedList, ViewType
from mltrack_jupyter.errors import NotFound
from mltrack_jupyter.plain import path_text
from mltrack_jupyter.store import rules
from mltrack_jupyter.tracking.artifacts import PathLike
from mltrack_jupyter.tracking.client.base import Calls, pairs


class ExperimentCalls(Calls):
    """Experiments, by id."""

    def create_experiment(
        self,
        name: str,
        artifact_location: PathLike | None = None,
        tags: Mapping[str, Any] | None = None,
    ) -> str:
        """Create an experiment and return its id. Raises ``AlreadyExists``."""
        return self.services.experiments.create(
            name, path_text(artifact_location or "", "artifact_location"), pairs(tags)
        )

    def get_experiment(self, experiment_id: str | int) -> Experiment:
        """Return an experiment, active or deleted."""
        return self.services.experiments.get(_id(experiment_id))

    def get_experiment_by_name(self, name: str) -> Experiment | None:
        """Return the experiment of a name, or ``None``."""
        try:
            return self.services.experiments.get_by_name(name)
        except NotFound:
            return None

    def search_experiments(
        self,
        view_type: ViewType = ViewType.ACTIVE_ONLY,
        max_results: int = 1000,
        filter_string: str | None = None,
        order_by: list[str] | None = None,
        page_token: str | None = None,
    ) -> PagedList[Experiment]:
        """Return a page of experiments that match a filter, newest first."""
        return self.services.experiments.search(
            max_results, page_token or "", filter_string or "", order_by, view_type
        ).to_list()

    def rename_experiment(self, experiment_id: str | int, new_name: str) -> None:
        """Give an experiment another name."""
        self.services.experiments.update(_id(experiment_id), new_name)

    def delete_experiment(self, experiment_id: str | int) -> None:
        """Put an experiment and its runs into the trash."""
        self.services.experiments.delete(_id(experiment_id))

    def restore_experiment(self, experiment_id: str | int) -> None:
        """Take an experiment and its runs out of the trash."""
        self.services.experiments.restore(_id(experiment_id))

    def set_experiment_tag(self, experiment_id: str | int, key: str, value: Any) -> None:
        """Set a tag."""
        self.services.experiments.set_tag(_id(experiment_id), key, str(value))

    def delete_experiment_tag(self, experiment_id: str | int, key: str) -> None:
        """Remove a tag. Raises ``NotFound`` if there is none."""
        self.services.experiments.delete_tag(_id(experiment_id), key)


def _id(experiment_id: str | int) -> str:
    return rules.id_text(experiment_id, "experiment_id")
