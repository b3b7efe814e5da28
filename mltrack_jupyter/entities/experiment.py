"""Experiments: the named groups that runs live in."""

from __future__ import annotations

from enum import Enum

from mltrack_jupyter.entities.base import Entity, Tag, as_dict, member_of_number


class LifecycleStage(str, Enum):
    """Whether a thing is in use or in the trash."""

    ACTIVE = "active"
    DELETED = "deleted"

    def __str__(self) -> str:
        return self.value

    @classmethod
    def is_valid(cls, lifecycle_stage: str) -> bool:
        """Tell whether there is such a stage."""
        return lifecycle_stage in {item.value for item in cls}


class ViewType(str, Enum):
    """Which lifecycle stages a search looks at; the order gives MLflow's numbers (from 1)."""

    ACTIVE_ONLY = "ACTIVE_ONLY"
    DELETED_ONLY = "DELETED_ONLY"
    ALL = "ALL"

    @classmethod
    def _missing_(cls, value: object) -> ViewType | None:
        return member_of_number(cls, value)

    @classmethod
    def from_string(cls, view_str: str) -> ViewType:
        """Return the view of MLflow's name: ``active_only``, ``deleted_only`` or ``all``."""
        return cls(view_str.upper())

    @classmethod
    def to_string(cls, view_type: ViewType | int) -> str:
        """Return MLflow's name of a view, or of its number."""
        return cls(view_type).value.lower()


class Experiment(Entity, frozen=True, rename={"tag_list": "tags"}):
    """A named group of runs; ``experiment_id`` is a decimal string, never reused."""

    experiment_id: str
    name: str
    artifact_location: str = ""
    lifecycle_stage: str = ""
    last_update_time: int = 0
    creation_time: int = 0
    tag_list: list[Tag] = []
    workspace: str = ""

    @property
    def tags(self) -> dict[str, str]:
        """Tags as a dict."""
        return as_dict(self.tag_list)
