"""Every store keeps the contract: SQL in this process, the wire without a socket, a real server."""

import pytest

from mltrack_jupyter.store import open_store
from mltrack_jupyter.store.remote import connect
from mltrack_jupyter.store.transport import LocalTransport
from mltrack_jupyter.testing import *  # noqa: F403 - the test classes


def open_sql(request, folder):
    return open_store(folder, local_paths=False)


def open_wire(request, folder):
    return connect(LocalTransport(open_store(folder, local_paths=False)), "http://in-this-process")


def open_server(request, folder):
    return request.getfixturevalue("server").services()


@pytest.fixture(
    scope="session",
    params=[
        pytest.param(open_sql, id="sql"),
        pytest.param(open_wire, id="wire"),
        pytest.param(open_server, id="server", marks=pytest.mark.server),
    ],
)
def services(request, tmp_path_factory):
    services = request.param(request, tmp_path_factory.mktemp("store"))
    yield services
    services.close()
