"""What can be asked of a store: services, bundled as one value."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import get_type_hints

from mltrack_jupyter.services.artifacts import ArtifactFiles, Repository, RunArtifacts, Written
from mltrack_jupyter.services.health import HealthChecks
from mltrack_jupyter.services.journals import Journals
from mltrack_jupyter.services.leases import Leases
from mltrack_jupyter.services.logged_models import AddModel, BringFiles, LoggedModels
from mltrack_jupyter.services.operation import Download, Operation, operation, operations_of
from mltrack_jupyter.services.registry import ModelVersions, RegisteredModels
from mltrack_jupyter.services.tracking import Experiments, Metrics, Runs
from mltrack_jupyter.services.transfer import Transfer
from mltrack_jupyter.services.workspace import Workspace

__all__ = [
    "AddModel",
    "ArtifactFiles",
    "BringFiles",
    "Download",
    "Experiments",
    "HealthChecks",
    "Journals",
    "Leases",
    "LoggedModels",
    "Metrics",
    "ModelVersions",
    "Operation",
    "RegisteredModels",
    "Repository",
    "RunArtifacts",
    "Runs",
    "Services",
    "Transfer",
    "Workspace",
    "Written",
    "operation",
    "operations_of",
    "service_types",
]


@dataclass(frozen=True)
class Services:
    """Everything that can be asked of a store; whether it is a database here or a server elsewhere.

    Services may be called from several threads. ``uri`` is where they were opened. ``files_at(uri, run_id)``
    returns the files at an artifact URI as whoever holds these services reaches them: through a server, or
    directly; ``run_id`` is the run that they belong to, if any. It raises ``InvalidParameter`` where they
    cannot be reached. ``kept(uri)`` returns
    a place as the store keeps it: whoever holds a store in their own process is told the folder that opens,
    instead of an ``mlflow-artifacts:`` URI. ``once``, where a
    store has it, takes the key of a request, a text that tells it from others, and what answers it, and
    does that once however often the key comes. ``add_model``, where a store is in this process, takes
    over a whole model at once, see :class:`AddModel`.
    """

    uri: str = field(repr=False)  # it may hold a password
    experiments: Experiments
    runs: Runs
    metrics: Metrics
    logged_models: LoggedModels
    registered_models: RegisteredModels
    model_versions: ModelVersions
    run_artifacts: RunArtifacts
    artifact_files: ArtifactFiles
    workspace: Workspace
    transfer: Transfer
    journals: Journals
    leases: Leases
    health: HealthChecks
    files_at: Callable[[str, str], Repository] = field(repr=False)
    kept: Callable[[str], str] = field(default=str, repr=False)
    close: Callable[[], None] = field(default=lambda: None, repr=False)
    once: Callable[[str, str, Callable[[], bytes]], bytes] | None = field(default=None, repr=False)
    add_model: AddModel | None = field(default=None, repr=False)


@cache
def service_types() -> dict[str, type]:
    """Return the services of a bundle by their names: what declares operations."""
    return {
        name: kind
        for name, kind in get_type_hints(Services).items()
        if isinstance(kind, type) and operations_of(kind)
    }
