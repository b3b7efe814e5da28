"""The contract of artifacts over stores whose own root is elsewhere than on the disk."""

import uuid

import pytest

from mltrack_jupyter.store import open_store
from mltrack_jupyter.testing import TestArtifacts  # noqa: F401 - run here


@pytest.fixture(scope="module", params=["s3", "memory"])
def services(request, s3, tmp_path_factory):
    place = s3.bucket() if request.param == "s3" else uuid.uuid4().hex
    root = f"{request.param}://{place}/root"
    folder = tmp_path_factory.mktemp("store")
    services = open_store(folder, artifact_root=root, local_paths=False)
    yield services
    services.close()
