"""What the tests of the contract make: things with names that nothing else has."""

from __future__ import annotations

import io
import re
import uuid
from collections.abc import Mapping

from mltrack_jupyter.entities import Metric, Param, Run, Tag
from mltrack_jupyter.services import Services

NOW = 1_760_000_000_000


def unique(prefix: str = "thing") -> str:
    """Return a name that was never used."""
    return f"{prefix}-{uuid.uuid4().hex[:12]}"


def new_experiment(services: Services) -> str:
    """Create an experiment and return its id."""
    return services.experiments.create(unique("experiment"))


def new_run(
    services: Services,
    experiment_id: str = "",
    *,
    name: str = "",
    start: int = NOW,
    metrics: Mapping[str, float] | None = None,
    params: Mapping[str, str] | None = None,
    tags: Mapping[str, str] | None = None,
) -> Run:
    """Create a run (in an experiment of its own if none is given) with what it logged."""
    run = services.runs.create(
        experiment_id=experiment_id or new_experiment(services), run_name=name, start_time=start
    )
    services.runs.log_batch(
        run.info.run_id,
        metrics=[Metric(key, value, NOW) for key, value in (metrics or {}).items()],
        params=[Param(key, value) for key, value in (params or {}).items()],
        tags=[Tag(key, value) for key, value in (tags or {}).items()],
    )
    return services.runs.get(run.info.run_id)


def put(services: Services, path: str, content: bytes = b"content") -> None:
    """Write a file below the artifact root."""
    services.artifact_files.upload(path, io.BytesIO(content))


def content_of(services: Services, path: str) -> bytes:
    """Return the bytes of a file below the artifact root."""
    with services.artifact_files.download(path).file as file:
        return file.read()


def root_of(run: Run) -> str:
    """Return the path of a run's artifacts below the artifact root."""
    return below_root(run.info.artifact_uri)


def below_root(uri: str) -> str:
    """Return the path below the artifact root of a place there, as a server says it or as a folder that opens."""
    found = re.search(r"(?:mlflow-artifacts:|/artifacts)/(.+)", uri)
    assert found is not None, uri
    return found[1]


def new_model(services: Services, versions: int = 0) -> str:
    """Create a registered model, with versions of a run that has a model, and return its name."""
    name = unique("model")
    services.registered_models.create(name)
    for _ in range(versions):
        run = new_run(services)
        services.model_versions.create(
            name, f"runs:/{run.info.run_id}/model", run_id=run.info.run_id
        )
    return name
