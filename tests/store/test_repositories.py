"""Every place that keeps artifacts keeps their contract: S3, SFTP and the web by servers on the loopback."""

import io
import json
import uuid
from importlib.metadata import EntryPoint

import pytest

from mltrack_jupyter.errors import (
    InvalidParameter,
    NotFound,
    PermissionDenied,
    StoreUnwritable,
    Unavailable,
)
from mltrack_jupyter.store.artifacts import LocalFiles, objects, repositories, repository_at
from mltrack_jupyter.store.artifacts import schemes as known
from mltrack_jupyter.testing.repositories import *  # noqa: F403 - the test classes
from mltrack_jupyter.testing.repositories import Pattern


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
    return request.node.callspec.params["repository"] not in (in_memory, on_sftp, on_the_web)


def test_s3_leaves_no_upload_unfinished(s3):
    bucket = s3.bucket()
    repository = repository_at(f"s3://{bucket}/root")
    with pytest.raises(StoreUnwritable, match="the line was cut"):
        repository.write("a", Pattern(40 << 20, broken_at=20 << 20))
    assert s3.unfinished(bucket) == []
    assert s3.keys(bucket) == {}


def test_what_is_on_s3_is_what_others_read_and_write(s3):
    bucket = s3.bucket()
    repository = repository_at(f"s3://{bucket}/root")
    repository.write("a/b c+ü.txt", io.BytesIO(b"ours"))
    assert s3.read(bucket, "root/a/b c+ü.txt") == b"ours"
    s3.client.put_object(Bucket=bucket, Key="root/a/theirs", Body=b"theirs")
    s3.client.put_object(Bucket=bucket, Key="root/a/", Body=b"")  # what consoles make of a folder
    s3.client.put_object(Bucket=bucket, Key="rooted/x", Body=b"")
    assert [item.path for item in repository.list("a")] == ["b c+ü.txt", "theirs"]
    assert [item.path for item in repository.list()] == ["a"]
    with repository.open("a/theirs").file as file:
        assert file.read() == b"theirs"
    repository.remove()
    assert s3.keys(bucket).keys() == {"rooted/x", "root/a/"}


def test_an_older_version_is_no_name(s3):
    repository = repository_at(f"s3://{s3.bucket()}/root")
    with pytest.raises(InvalidParameter, match="versionId"):
        repository.open("a?versionId=b")


@pytest.mark.parametrize(
    "uri",
    ["s3://", "s3:///x", "s3://b/../x", "s3://b/x?y=z", "s3://b/a//b", "http://", "https:x", "memory:", "s3:x"],
)  # fmt: skip
def test_addresses_that_are_none(uri):
    with pytest.raises(InvalidParameter):
        repository_at(uri)


def test_a_bucket_that_is_not_there(s3):
    with pytest.raises(NotFound, match="Is there such a bucket"):
        repository_at("s3://no-such-bucket/x").write("a", io.BytesIO(b"x"))


def test_a_store_that_does_not_answer(monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    with pytest.raises(Unavailable, match="Could not connect"):
        repository_at("s3://bucket-of-nobody/x").list()


def test_mlflows_name_for_the_address_of_s3(s3, monkeypatch):
    monkeypatch.delenv("AWS_ENDPOINT_URL_S3")
    monkeypatch.setenv("MLFLOW_S3_ENDPOINT_URL", s3.url)
    bucket = s3.bucket()
    repository_at(f"s3://{bucket}/x").write("a", io.BytesIO(b"x"))
    assert s3.keys(bucket) == {"x/a": 1}


def test_what_s3_is_to_do_with_each_file(s3, monkeypatch):
    bucket = s3.bucket()
    arguments = {"ServerSideEncryption": "AES256", "Metadata": {"team": "plants"}}
    monkeypatch.setenv("MLFLOW_S3_UPLOAD_EXTRA_ARGS", json.dumps(arguments))
    files = repository_at(f"s3://{bucket}/run")
    for name, size in (("small.txt", 10), ("large.bin", 9 * 1024 * 1024)):
        files.write(name, io.BytesIO(b"x" * size))
        head = s3.client.head_object(Bucket=bucket, Key=f"run/{name}")
        assert (head["ServerSideEncryption"], head["Metadata"]) == ("AES256", {"team": "plants"})
        assert files.open(name).size == size
    files.delete("small.txt")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("{", "no JSON"),
        ("[1]", "object"),
        ('{"ServerSideEncrption": "AES256"}', "ServerSideEncrption"),
    ],
)
def test_what_s3_cannot_be_asked_for_is_told(s3, monkeypatch, arguments, said):
    monkeypatch.setenv("MLFLOW_S3_UPLOAD_EXTRA_ARGS", arguments)
    files = repository_at(f"s3://{s3.bucket()}/run")
    with pytest.raises(InvalidParameter, match=said):
        files.write("a.txt", io.BytesIO(b"a"))


def test_the_certificate_of_s3_is_not_looked_at_if_that_is_wished(s3, monkeypatch):
    place = f"s3://{s3.bucket()}/run"
    assert repository_at(place).file_system.client_kwargs.get("verify") is None
    monkeypatch.setenv("MLFLOW_S3_IGNORE_TLS", "true")
    files = repository_at(place)
    assert files.file_system.client_kwargs["verify"] is False
    files.write("a.txt", io.BytesIO(b"a"))


def test_a_host_that_is_not_known_is_not_trusted(sftp, monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    objects._open.cache_clear()
    with pytest.raises(Unavailable, match=r"(?i)host key"):
        repository_at(f"{sftp.url}/x").list()
    objects._open.cache_clear()


def test_a_password_is_in_no_error(web, sftp):
    wrong = web.url.replace("secret-word", "another-word")
    with pytest.raises(PermissionDenied) as caught:
        repository_at(wrong).write("a", io.BytesIO(b"x"))
    assert "another-word" not in str(caught.value)
    wrong = sftp.url.replace("secret-word", "another-word")
    with pytest.raises((PermissionDenied, Unavailable)) as caught:
        repository_at(f"{wrong}/x").list()
    assert "another-word" not in str(caught.value)


def test_a_redirect_is_not_followed(web):
    web.redirect = "http://127.0.0.1:1/"
    with pytest.raises(Unavailable, match="answers 302"):
        repository_at(web.url).open("a")


@pytest.mark.parametrize(
    ("uri", "package", "extra"),
    [
        ("gs://b/x", "gcsfs", "gcs"),
        ("abfs://c@account.dfs.core.windows.net/x", "adlfs", "azure"),
        ("s3://b/x", "s3fs", "s3"),
        ("sftp://h/x", "sshfs", "sftp"),
        ("hdfs://h:1/x", "fsspec", "hdfs"),
    ],
)
def test_a_missing_package_is_named(monkeypatch, uri, package, extra):
    real = repositories.find_spec
    monkeypatch.setattr(
        repositories, "find_spec", lambda name: None if name == package else real(name)
    )
    with pytest.raises(InvalidParameter, match=rf"{package}.*mltrack-jupyter\[{extra}\]"):
        repository_at(uri)


def test_a_scheme_of_nobody():
    with pytest.raises(InvalidParameter, match="an entry point"):
        repository_at("dbfs://x/y")


def test_a_package_adds_a_scheme(tmp_path, monkeypatch):
    point = EntryPoint("shelf", "mltrack_jupyter.store.artifacts:LocalFiles", known.GROUP)
    known.added.cache_clear()
    monkeypatch.setattr(
        "importlib.metadata.entry_points", lambda group: [point] if group == known.GROUP else []
    )
    assert isinstance(repository_at("shelf://x"), LocalFiles)
    assert known.is_direct("shelf")
    monkeypatch.undo()
    known.added.cache_clear()
