"""The life of the extension: where it listens, what it tells, how it ends."""

import asyncio
import json
import os
import sqlite3
from urllib.parse import urlencode

import httpx
import pytest
import tornado.websocket

from mltrack_jupyter.errors import MltrackError
from mltrack_jupyter.server.feed import EVENT_ID
from mltrack_jupyter.testing.making import new_run, put, unique

WRITE = """
import sys, mltrack_jupyter as mltrack
mltrack.set_experiment(sys.argv[1])
with mltrack.start_run() as run:
    mltrack.log_metric("m", 1.0)
print(run.info.run_id)
"""


def get(server, path, **options):
    headers = {"Authorization": f"Bearer {server.token}"}
    return httpx.get(server.tracking_uri + path, headers=headers, **options)


@pytest.mark.parametrize("base", ["/user/ada/", "/hub/a%20b/"])
def test_it_works_below_any_base_url(start_server, base):
    server = start_server(f"--ServerApp.base_url={base}")
    assert base in server.url + "/"
    services = server.services()
    run = new_run(services, metrics={"m": 1.0})
    put(services, "0/a b.txt", b"1")
    assert services.runs.get(run.info.run_id).data.metrics == {"m": 1.0}
    services.close()


def test_the_store_is_below_the_servers_root_and_opened_at_the_first_request(start_server):
    server = start_server()
    assert not server.store.exists()
    assert get(server, "/api/1/info").status_code == 200
    assert (server.store / "mltrack.db").exists()


@pytest.mark.parametrize("option", ["setting", "environment"])
def test_the_store_can_be_chosen(start_server, tmp_path, option):
    if option == "setting":
        server = start_server(f"--MltrackApp.backend_store_uri={tmp_path / 'x.db'}")
    else:
        server = start_server(env={"MLTRACK_TRACKING_URI": str(tmp_path / "x.db")})
    assert get(server, "/api/1/info").status_code == 200
    assert (tmp_path / "x.db").exists()


async def next_event(socket, run_id):
    """Return the first event that tells of a run."""
    while True:
        message = json.loads(await asyncio.wait_for(socket.read_message(), 30))
        if message.get("schema_id", message.get("event_schema")) != EVENT_ID:
            continue
        for change in message["changes"]:
            if change["entity_id"] == run_id:
                return change


async def test_a_run_of_another_process_appears_on_the_event_bus(server, run_script):
    assert get(server, "/api/1/changes").status_code == 200
    query = urlencode({"token": server.token})
    url = server.url.replace("http", "ws", 1) + f"/api/events/subscribe?{query}"
    socket = await tornado.websocket.websocket_connect(url)
    name = unique("live")
    done = await asyncio.to_thread(run_script, WRITE, name, MLTRACK_TRACKING_URI=str(server.store))
    change = await next_event(socket, done.stdout.strip())
    socket.close()
    assert change["entity"] == "run"
    assert change["action"] in ("create", "log", "update")


async def test_the_event_bus_refuses_strangers(server):
    url = server.url.replace("http", "ws", 1) + "/api/events/subscribe"
    with pytest.raises(tornado.httpclient.HTTPClientError, match="403"):
        await tornado.websocket.websocket_connect(url)


def foreign(path):
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE moz_places (id INTEGER)")
    connection.close()


def text(path):
    path.write_text("# notes\n" * 2000)


def newer(path):
    from mltrack_jupyter.store import open_store

    open_store(path).close()
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()


@pytest.mark.parametrize(
    ("spoil", "code", "message"),
    [
        (text, "DATA_LOSS", "not a readable store"),
        (foreign, "DATA_LOSS", "moz_places"),
    ],
)
def test_a_store_that_cannot_be_used_is_named_in_json_and_the_server_lives(
    start_server, tmp_path, spoil, code, message
):
    path = tmp_path / "spoiled.db"
    spoil(path)
    before = path.read_bytes()
    server = start_server(f"--MltrackApp.backend_store_uri={path}")
    answer = get(server, "/api/1/info")
    assert (answer.status_code, answer.json()["error_code"]) == (500, code)
    assert message in answer.json()["message"]
    assert get(server, "/../api/status").status_code == 200
    assert path.read_bytes() == before


def test_a_store_of_a_newer_version_is_read_and_not_written(start_server, tmp_path):
    newer(tmp_path / "newer.db")
    server = start_server(f"--MltrackApp.backend_store_uri={tmp_path / 'newer.db'}")
    services = server.services()
    assert services.experiments.get("0").name == "Default"
    with pytest.raises(MltrackError, match="newer than this package"):
        services.experiments.create("mine")
    services.close()


def test_stopping_closes_everything(start_server):
    server = start_server()
    services = server.services()
    new_run(services, metrics={"m": 1.0})
    services.close()
    assert server.stop() in (0, -15)
    log = server.log()
    for word in ("Traceback", "never awaited", "was destroyed", "ResourceWarning", server.token):
        assert word not in log.replace(f"token={server.token}", "")
    assert sorted(os.listdir(server.store)) == ["mltrack.db", "mltrack.db.turn"]
