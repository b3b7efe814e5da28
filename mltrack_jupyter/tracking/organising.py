"""Experiments and runs as wholes: created, deleted, restored, tagged."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from mltrack_jupyter import config
from mltrack_jupyter.entities import Run, Tag
from mltrack_jupyter.plain import path_text
from mltrack_jupyter.store import rules
from mltrack_jupyter.tracking import hints, scope, session


def create_experiment(
    name: str,
    artifact_location: str | os.PathLike[str] | None = None,
    tags: dict[str, Any] | None = None,
) -> str:
    """Create an experiment and return its id. Raises ``AlreadyExists`` if the name is taken."""
    pairs = [Tag(key, str(value)) for key, value in (tags or {}).items()]
    place = path_text(artifact_location or "", "artifact_location")
    return session.services().experiments.create(name, place, pairs)


def delete_experiment(experiment_id: str | int) -> None:
    """Put an experiment and its runs into the trash. Raises ``NotFound``."""
    with hints.about_experiment(session.services(), experiment_id):
        session.services().experiments.delete(rules.id_text(experiment_id, "experiment_id"))


def restore_experiment(experiment_id: str | int) -> None:
    """Take an experiment and its runs out of the trash. Raises ``NotFound``."""
    session.services().experiments.restore(rules.id_text(experiment_id, "experiment_id"))


def set_experiment_tag(key: str, value: Any) -> None:
    """Set a tag of the active experiment."""
    set_experiment_tags({key: value})


def set_experiment_tags(tags: Mapping[str, Any]) -> None:
    """Set tags of the active experiment."""
    number = session.current_experiment().experiment_id
    for key, value in tags.items():
        session.services().experiments.set_tag(number, key, str(value))


def delete_experiment_tag(key: str) -> None:
    """Remove a tag of the active experiment. Raises ``NotFound`` if there is none of that key."""
    number = session.current_experiment().experiment_id
    session.services().experiments.delete_tag(number, key)


def delete_run(run_id: str) -> None:
    """Put a run into the trash. Raises ``NotFound``."""
    with hints.about_run(session.services(), run_id):
        session.services().runs.delete(run_id)


def restore_run(run_id: str) -> None:
    """Take a run out of the trash. Raises ``NotFound``."""
    session.services().runs.restore(run_id)


def get_parent_run(run_id: str) -> Run | None:
    """Return the run that a run is a child of, or ``None``. Raises ``NotFound``."""
    runs = session.services().runs
    parent = runs.get(run_id).data.tags.get(scope.PARENT)
    return runs.get(parent) if parent else None


def is_tracking_uri_set() -> bool:
    """Tell whether a tracking URI was chosen, here, by the environment, or by whoever started this process."""
    return bool(config.chosen_uri()) or session.has_tracking_uri()
