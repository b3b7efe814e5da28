"""Experiments: the named groups that runs live in."""

from __future__ import annotations

from mltrack_jupyter.entities.base import Entity, Tag, Word, as_dict


class LifecycleStage(Word):
    """Whether a thing is in use or in the trash."""

    ACTIVE = "active"
    DELETED = "deleted"

    @classmethod
    def is_valid(cls, stage: object) -> bool:
        """Tell whether there is such a stage."""
        return stage in list(cls)

    @classmethod
    def view_type_to_stages(cls, view_type: ViewType) -> list[LifecycleStage]:
        """Return the stages that a search looks at."""
        return _STAGES[ViewType(view_type)]

    @classmethod
    def matches_view_type(cls, view_type: ViewType, stage: str) -> bool:
        """Tell whether a search looks at a stage."""
        return stage in cls.view_type_to_stages(view_type)


class ViewType(Word):
    """Which lifecycle stages a search looks at; the order gives MLflow's numbers (from 1)."""

    ACTIVE_ONLY = "ACTIVE_ONLY"
    DELETED_ONLY = "DELETED_ONLY"
    ALL = "ALL"

    @classmethod
    def from_string(cls, text: str) -> ViewType:
        """Return the member of a word such as ``active_only``."""
        return cls(text.upper())

    @classmethod
    def to_string(cls, member: Word | int) -> str:
        """Return the word of a member or of MLflow's number, in small letters as MLflow has it."""
        return str(cls(member).value).lower()


_STAGES = {
    ViewType.ACTIVE_ONLY: [LifecycleStage.ACTIVE],
    ViewType.DELETED_ONLY: [LifecycleStage.DELETED],
    ViewType.ALL: [LifecycleStage.ACTIVE, LifecycleStage.DELETED],
}


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
