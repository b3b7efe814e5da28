"""Stages of versions, under MLflow's module name."""

from mltrack_jupyter.entities.registered_model import STAGES, canonical_stage

STAGE_NONE, STAGE_STAGING, STAGE_PRODUCTION, STAGE_ARCHIVED = STAGES
STAGE_DELETED_INTERNAL = "Deleted_Internal"
ALL_STAGES = [*STAGES]
DEFAULT_STAGES_FOR_GET_LATEST_VERSIONS = [STAGE_STAGING, STAGE_PRODUCTION]
get_canonical_stage = canonical_stage

__all__ = [
    "ALL_STAGES",
    "DEFAULT_STAGES_FOR_GET_LATEST_VERSIONS",
    "STAGE_ARCHIVED",
    "STAGE_DELETED_INTERNAL",
    "STAGE_NONE",
    "STAGE_PRODUCTION",
    "STAGE_STAGING",
    "get_canonical_stage",
]
