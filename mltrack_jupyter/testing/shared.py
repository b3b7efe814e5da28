"""The contract of files that several runs have: kept once, each run's own to look at."""

from __future__ import annotations

import hashlib
import io

import pytest

from mltrack_jupyter.errors import InvalidParameter, MltrackError, NotFound
from mltrack_jupyter.services import Services
from mltrack_jupyter.testing.making import content_of, new_run, put, root_of, unique


def _digest(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def _bring(services: Services, body: bytes) -> str:
    digest = _digest(body)
    services.run_artifacts.put_shared(digest, io.BytesIO(body))
    return digest


def _read(services: Services, run_id: str, path: str) -> bytes:
    with services.run_artifacts.read(run_id, path).file as file:
        return file.read()


class TestSharedFiles:
    """Files are brought once, given to runs, and looked at as each run's own."""

    def test_what_nobody_has_brought_is_missing(self, services: Services) -> None:
        run_id = new_run(services).info.run_id
        body = unique().encode()
        files = {"environment/lock": _digest(body)}
        assert services.run_artifacts.share(run_id, files).sha256 == [_digest(body)]
        assert services.run_artifacts.list(run_id).files == []
        _bring(services, body)
        assert services.run_artifacts.share(run_id, files).sha256 == []
        assert _read(services, run_id, "environment/lock") == body
        other = new_run(services).info.run_id
        assert services.run_artifacts.share(other, {"b": _digest(body)}).sha256 == []
        assert _read(services, other, "b") == body

    def test_it_is_listed_and_opened_as_any_file(self, services: Services) -> None:
        run = new_run(services)
        run_id, root = run.info.run_id, root_of(run)
        body, empty = unique().encode(), b""
        put(services, f"{root}/environment/own.txt", b"own")
        put(services, f"{root}/z", b"z")
        digest, none = _bring(services, body), _bring(services, empty)
        files = {"environment/lock": digest, "a/b/c": digest, "top": none}
        services.run_artifacts.share(run_id, files)
        for path, expected in {
            "": [("a", True, 0), ("environment", True, 0), ("top", False, 0), ("z", False, 1)],
            "environment": [
                ("environment/lock", False, len(body)),
                ("environment/own.txt", False, 3),
            ],
            "a": [("a/b", True, 0)],
            "a/b": [("a/b/c", False, len(body))],
            "top": [],
        }.items():
            found = services.run_artifacts.list(run_id, path).files
            assert [(item.path, item.is_dir, item.file_size) for item in found] == expected
            below = services.artifact_files.list(f"{root}/{path}".rstrip("/")).files
            assert [item.path for item in below] == [
                name.rpartition("/")[2] for name, _, _ in expected
            ]
        assert content_of(services, f"{root}/a/b/c") == body
        assert content_of(services, f"{root}/top") == b""
        found_file = services.run_artifacts.read(run_id, "environment/lock")
        with found_file.file:
            assert (found_file.name, found_file.sha256) == ("lock", digest)
        with pytest.raises(NotFound):
            services.run_artifacts.read(run_id, "environment/other")

    def test_a_file_of_its_own_hides_it(self, services: Services) -> None:
        run = new_run(services)
        run_id, root = run.info.run_id, root_of(run)
        services.run_artifacts.share(run_id, {"a": _bring(services, unique().encode())})
        put(services, f"{root}/a", b"own")
        assert _read(services, run_id, "a") == b"own"
        assert [item.file_size for item in services.run_artifacts.list(run_id).files] == [3]

    def test_deleting_it_leaves_it_to_the_others(self, services: Services) -> None:
        body = unique().encode()
        digest = _bring(services, body)
        run, other = new_run(services), new_run(services)
        for one in (run, other):
            services.run_artifacts.share(one.info.run_id, {"a/b": digest, "c": digest})
        services.artifact_files.delete(f"{root_of(run)}/a")
        assert [item.path for item in services.run_artifacts.list(run.info.run_id).files] == ["c"]
        assert _read(services, other.info.run_id, "a/b") == body

    def test_purging_a_run_leaves_it_to_the_others(self, services: Services) -> None:
        body = unique().encode()
        digest = _bring(services, body)
        run_id, other = new_run(services).info.run_id, new_run(services).info.run_id
        for one in (run_id, other):
            services.run_artifacts.share(one, {"a": digest})
        services.runs.delete(run_id)
        assert [item.kept_because for item in services.workspace.purge([run_id]).items] == [""]
        assert _read(services, other, "a") == body
        # The one that has just lost its last run may be asked for again at once.
        services.runs.delete(other)
        services.workspace.purge([other])
        last = new_run(services).info.run_id
        assert services.run_artifacts.share(last, {"a": digest}).sha256 == []
        assert _read(services, last, "a") == body

    def test_bringing_it_twice_changes_nothing(self, services: Services) -> None:
        body = unique().encode()
        run_id = new_run(services).info.run_id
        for _ in range(2):
            digest = _bring(services, body)
            services.run_artifacts.share(run_id, {"a": digest})
        assert _read(services, run_id, "a") == body

    def test_a_content_under_a_wrong_address_is_refused(self, services: Services) -> None:
        digest = _digest(unique().encode())
        with pytest.raises(InvalidParameter, match="SHA-256"):
            services.run_artifacts.put_shared(digest, io.BytesIO(b"other"))
        run_id = new_run(services).info.run_id
        assert services.run_artifacts.share(run_id, {"a": digest}).sha256 == [digest]

    @pytest.mark.parametrize("path", ["", "..", "../x", "/x", "a//b", "a\x00b", "x" * 251])
    def test_a_path_that_is_none_is_refused(self, services: Services, path: str) -> None:
        digest = _bring(services, b"some")
        with pytest.raises(InvalidParameter):
            services.run_artifacts.share(new_run(services).info.run_id, {path: digest})

    @pytest.mark.parametrize("digest", ["", "x", "../../x", "A" * 64, "0" * 63, "0" * 65])
    def test_a_digest_that_is_none_is_refused(self, services: Services, digest: str) -> None:
        with pytest.raises(InvalidParameter):
            services.run_artifacts.share(new_run(services).info.run_id, {"a": digest})
        with pytest.raises(MltrackError):
            services.run_artifacts.put_shared(digest, io.BytesIO(b""))

    def test_whose_run_is_not_there_or_deleted_is_told(self, services: Services) -> None:
        digest = _bring(services, b"some")
        with pytest.raises(NotFound):
            services.run_artifacts.share("0" * 32, {"a": digest})
        run_id = new_run(services).info.run_id
        services.runs.delete(run_id)
        with pytest.raises(InvalidParameter):
            services.run_artifacts.share(run_id, {"a": digest})
        with pytest.raises(InvalidParameter):
            services.run_artifacts.share(new_run(services).info.run_id, {})

    def test_nobody_writes_there_by_hand(self, services: Services) -> None:
        body = unique().encode()
        digest = _bring(services, body)
        run_id = new_run(services).info.run_id
        services.run_artifacts.share(run_id, {"a": digest})
        for place in [item.path for item in services.artifact_files.list(".shared").files]:
            with pytest.raises(InvalidParameter):
                put(services, f".shared/{place}", b"other")
            with pytest.raises(InvalidParameter):
                services.artifact_files.delete(f".shared/{place}")
        with pytest.raises(InvalidParameter):
            services.artifact_files.delete(".shared")
        assert _read(services, run_id, "a") == body
