"""The whole contract over real database servers; ``-m database`` runs only these."""

import pytest

from mltrack_jupyter.store import open_store
from mltrack_jupyter.testing import *  # noqa: F403 - the test classes

pytestmark = pytest.mark.database


@pytest.fixture(scope="session", params=["postgresql", "mysql"])
def services(request, database_server_of, tmp_path_factory):
    url = database_server_of(request.param).new_database()
    root = tmp_path_factory.mktemp("artifacts")
    services = open_store(url, artifact_root=root, local_paths=False)
    yield services
    services.close()
