"""A server over a store that may only be read: it shows everything, and refuses what would write."""

import os

import pytest
from rights import fill, listing

from mltrack_jupyter.errors import StoreReadOnly

pytestmark = pytest.mark.skipif(os.name == "nt", reason="mounts of POSIX")


def test_a_server_shows_it(shared, mounted, start_server, run_script):
    run_id = fill(shared)
    mounted(shared)
    before = listing(shared)
    server = start_server(env={"MLTRACK_TRACKING_URI": str(shared)})
    services = server.services()
    assert services.runs.get(run_id).data.metrics == {"m": 0.5}
    assert [run.info.run_id for run in services.runs.search(["0"])] == [run_id]
    with services.run_artifacts.read(run_id, "f.txt").file as file:
        assert file.read() == b"content"
    for write in (
        lambda: services.runs.log_metric(run_id, "n", 1.0, 0),
        lambda: services.runs.create("0"),
        lambda: services.registered_models.delete("model"),
    ):
        with pytest.raises(StoreReadOnly, match="nothing will be recorded there"):
            write()
    assert "can only be read" in services.workspace.info().read_only
    services.close()
    code = """
import mltrack_jupyter as mltrack
from mltrack_jupyter.errors import StoreReadOnly
print(len(mltrack.search_runs(output_format="list")))
try:
    mltrack.start_run()
except StoreReadOnly as error:
    print(error)
"""
    settings = {"MLTRACK_TRACKING_URI": server.tracking_uri, "MLTRACK_TRACKING_TOKEN": server.token}
    count, said = run_script(code, **settings).stdout.splitlines()
    assert count == "1"
    assert "nothing will be recorded there" in said
    assert listing(shared) == before
    server.stop()
    assert server.log().count("nothing will be recorded there") == 1
