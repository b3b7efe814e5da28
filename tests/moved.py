"""What two stores say of one run, comparable: each names its own folder as the run's."""

from msgspec.structs import replace

from mltrack_jupyter.entities import Run


def without_folder(run: Run) -> Run:
    """Check that a run's files are where they belong in its store's folder, and leave that out."""
    info = run.info
    assert info.artifact_uri.endswith(f"/{info.experiment_id}/{info.run_id}/artifacts")
    return replace(run, info=replace(info, artifact_uri=""))
