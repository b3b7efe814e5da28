"""Every place that keeps artifacts keeps their contract: S3, SFTP and the web by real servers."""

import uuid

import pytest

from mltrack_jupyter.store.artifacts import LocalFiles, repository_at
from mltrack_jupyter.testing.repositories import *  # noqa: F403 - the test classes


def local(request):
    return LocalFiles(request.getfixturevalue("tmp_path") / "root")


def on_s3(request):
    return repository_at(f"s3://{request.getfixturevalue('s3').bucket()}/some/root")


def in_memory(request):
    return repository_at(f"memory://{uuid.uuid4().hex}/root")


def on_sftp(request):
    return repository_at(f"{request.getfixturevalue('sftp').url}/{uuid.uuid4().hex}/root")


def on_the_web(request):
    return repository_at(request.getfixturevalue("web").url)


@pytest.fixture(params=[local, on_s3, in_memory, on_sftp, on_the_web])
def repository(request):
    return request.param(request)


@pytest.fixture
def listings(request):
    return request.node.callspec.params["repository"] is not on_the_web


@pytest.fixture
def streams(request):
    return request.node.callspec.params["repository"] not in (in_memory, on_the_web)
