"""``kill -9`` at random moments: what a log call acknowledged is there, once and whole.

SOAK=1 kills a hundred writers in each mode; KILLS=n says how many.
"""

import time

import pytest
from faults.conftest import Writer, check, check_ended, intact, kills, recover_all

from mltrack_jupyter.store import open_store


@pytest.mark.timeout(3000)
@pytest.mark.parametrize("mode", ["single", "batch", "artifact"])
def test_a_writer_is_killed(tmp_path, chance, mode):
    store = tmp_path / "store"
    runs, total = [], 0
    for _ in range(kills(5, 100)):
        writer = Writer(tmp_path, mode, store)
        said = writer.kill(chance.uniform(0, 0.3))
        services = open_store(store)
        recover_all(store / "journals", services)
        check(services, writer.run_id, said)
        services.close()
        runs.append(writer.run_id)
        total += len(said)
    assert intact(store / "mltrack.db")
    assert [
        path for path in (store / "journals").glob("*") if path.suffix not in (".new", ".torn")
    ] == []
    services = open_store(store)
    check_ended(services, runs)
    services.close()
    print(f"{mode}: {len(runs)} kills, {total} acknowledged operations, none lost")
    assert total > len(runs)


@pytest.mark.server
@pytest.mark.timeout(3000)
def test_a_writer_to_a_server_is_killed(tmp_path, chance, start_server):
    server = start_server()
    services = server.services()
    runs, total = [], 0
    for _ in range(kills(5, 100)):
        writer = Writer(tmp_path, "remote", server.tracking_uri)
        said = writer.kill(chance.uniform(0, 0.3))
        recover_all(tmp_path / "state" / "journals", services)
        check(services, writer.run_id, said)
        runs.append(writer.run_id)
        total += len(said)
    check_ended(services, runs)
    services.close()
    server.stop()
    assert intact(server.store / "mltrack.db")
    print(f"remote: {len(runs)} kills, {total} acknowledged operations, none lost")
    assert total > len(runs)


@pytest.mark.server
@pytest.mark.timeout(3000)
def test_the_server_is_killed_while_a_writer_logs(tmp_path, chance, start_server):
    server = start_server()
    port = server.url.rpartition(":")[2].rstrip("/")
    writer = Writer(tmp_path, "remote", server.tracking_uri)
    count = kills(2, 25)
    for _ in range(count):
        time.sleep(chance.uniform(0.05, 1.0))
        server.process.kill()
        server.process.wait()
        time.sleep(chance.uniform(0, 0.5))
        server = start_server(port=port)
        assert server.tracking_uri.endswith(f":{port}/mltrack")
    (tmp_path / "stop").touch()
    said = writer.end()
    assert writer.process.returncode == 0, writer.errors.read_text()
    assert "Traceback" not in writer.errors.read_text()
    services = server.services()
    check(services, writer.run_id, said)
    assert services.runs.get(writer.run_id).info.status == "FINISHED"
    services.close()
    server.stop()
    assert intact(server.store / "mltrack.db")
    print(f"server: {count} kills, {len(said)} acknowledged operations, none lost")
