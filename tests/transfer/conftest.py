"""Real stores in temporary folders, and an ``mlruns`` folder as MLflow wrote it in 2018."""

import pytest

from mltrack_jupyter.store import open_store
from mltrack_jupyter.store.remote import connect
from mltrack_jupyter.store.transport import LocalTransport
from mltrack_jupyter.transfer import Report, copy_source, open_source
from mltrack_jupyter.transfer.report import Progress

RUN = "8f3c2d1e0b9a4c5d8e7f6a5b4c3d2e1f"


@pytest.fixture(params=["sql", "wire"])
def target(request, tmp_path):
    """The store itself, and the same store through every byte of the wire."""
    services = open_store(tmp_path / "target" / ".mltrack")
    yield services if request.param == "sql" else connect(LocalTransport(services), "http://here")
    services.close()


@pytest.fixture
def bring():
    """Copy what a user names into a store; return the report."""

    def copy(source, target, **options):
        report = Report()
        opened = open_source(str(source), **options)
        try:
            copy_source(opened, target, report, Progress(report))
        finally:
            opened.close()
        return report

    return copy


@pytest.fixture
def old_mlruns(tmp_path):
    """The layout of 2018: integer status, seconds, no steps, source fields in meta.yaml."""
    root = tmp_path / "mlruns"
    run = root / "0" / RUN
    for name in ("metrics", "params", "artifacts/plots"):
        (run / name).mkdir(parents=True)
    (root / "0" / "meta.yaml").write_text(
        f"artifact_location: {root}/0\nexperiment_id: 0\nname: Default\n"
    )
    (run / "meta.yaml").write_text(
        f"artifact_uri: {run}/artifacts\nend_time: 1530000060000\nentry_point_name: main\n"
        "experiment_id: 0\nname: ''\n"
        f"run_uuid: {RUN}\n"
        "source_name: train.py\nsource_type: 4\nsource_version: 0123abc\n"
        "start_time: 1530000000000\nstatus: 3\ntags: []\nuser_id: ada\n"
    )
    (run / "metrics" / "rmse").write_text("1530000001 0.9\n1530000002 0.7\n1530000003 nan\n")
    (run / "params" / "alpha").write_text("0.5\n")
    (run / "artifacts" / "plots" / "a b.txt").write_text("roc")
    return root
