"""Requests to the server as anybody could make them."""

import httpx
import pytest


@pytest.fixture
def client(server):
    """Requests with the right token; paths are below the tracking URI."""
    headers = {"Authorization": f"Bearer {server.token}"}
    with httpx.Client(base_url=server.tracking_uri, headers=headers, timeout=30) as client:
        yield client


@pytest.fixture
def stranger(server):
    """Requests without any credentials."""
    with httpx.Client(base_url=server.tracking_uri, timeout=30) as client:
        yield client


@pytest.fixture(scope="session")
def services(server):
    """The services of the server."""
    services = server.services()
    yield services
    services.close()
