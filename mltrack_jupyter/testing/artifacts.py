"""The contract of artifacts: files of runs, and no way out of their folder."""

from __future__ import annotations

import io

import pytest

from mltrack_jupyter.entities import FileInfo
from mltrack_jupyter.errors import InvalidParameter, MltrackError, NotFound
from mltrack_jupyter.services import Services
from mltrack_jupyter.testing.making import content_of, new_model, new_run, put, root_of, unique

WRONG = [
    "..", "../x", "../../x", "a/..", "a/../x", "a/../../x", "..\\x", "a\\..\\x", "\\x", "\\\\host\\share",
    "%2e%2e/x", "%2E%2E/x",
    "a/%2e%2e/x", "%2e%2e%2fx", "..%2fx", "..%2Fx", "..%5cx", "..%5Cx", "%252e%252e%252fx", "a%00",
    "a\x00b", "a\nb", "a\rb", "a\tb", "a\x7fb", "\x01", "../" * 40 + "etc/passwd", "x" * 256,
    "a/" * 3000 + "x", ".../../x",
]  # fmt: skip
"""Spellings that lead out of a folder, or that some other decoder might read so."""

ANCHORED = [
    "C:/x",
    "c:x",
    "C:\\x",
    "file:/x",
    "file:///etc/passwd",
    "http://127.0.0.1/x",
    "/",
    "/x",
    "//x",
    "/etc/passwd",
]
"""Spellings that lead out where a path begins with them."""

TYPED = {"./x": "x", "a/./x": "a/x", "a//x": "a/x", "x/.": "x"}
"""Spellings that people type for a plain path, as MLflow reads them."""

GOOD = [
    "a", "a b", "a+b&c=d", "100%", "50%25", "it's", 'a"b', "[x]{y}", "ünï/cödé", "🚀.txt", "a;b",
    "...", "..a", "a..b", ".hidden", "~", "-rf", "#1", "a?b=c", "$(x)", "`x`", "con", "漢字/名前.txt",
    "a:b", "..;", "x" * 255, "/".join("abcdefgh"),
]  # fmt: skip


class TestArtifacts:
    """Files are written whole, overwritten, listed, read and deleted."""

    def test_written_and_read(self, services: Services) -> None:
        run = new_run(services)
        root = root_of(run)
        body = bytes(range(256)) * 5000
        put(services, f"{root}/plots/roc.png", body)
        assert content_of(services, f"{root}/plots/roc.png") == body

        found = services.run_artifacts.read(run.info.run_id, "plots/roc.png")
        with found.file as file:
            assert (found.name, found.size, file.read()) == ("roc.png", len(body), body)

    def test_an_empty_file(self, services: Services) -> None:
        root = root_of(new_run(services))
        put(services, f"{root}/empty", b"")
        assert content_of(services, f"{root}/empty") == b""
        assert services.artifact_files.list(root).files == [FileInfo(path="empty", is_dir=False)]

    def test_overwritten(self, services: Services) -> None:
        root = root_of(new_run(services))
        put(services, f"{root}/a", b"longer than before")
        put(services, f"{root}/a", b"new")
        assert content_of(services, f"{root}/a") == b"new"

    def test_sent_by_the_name_of_its_run(self, services: Services) -> None:
        run_id = new_run(services).info.run_id
        for body in (b"longer than before", b"new"):
            services.run_artifacts.upload(io.BytesIO(body), run_id, "notes/a.txt")
        with services.run_artifacts.read(run_id, "notes/a.txt").file as file:
            assert file.read() == b"new"

    @pytest.mark.parametrize(
        ("body", "path"),
        [(b"x", ""), (b"", "a"), (b"x", "../a"), (b"x" * (10 * 1024 * 1024 + 1), "a")],
        ids=["no path", "no content", "out of the run", "too large"],
    )
    def test_what_is_not_sent_so(self, services: Services, body: bytes, path: str) -> None:
        run_id = new_run(services).info.run_id
        with pytest.raises(InvalidParameter):
            services.run_artifacts.upload(io.BytesIO(body), run_id, path)
        assert services.run_artifacts.list(run_id).files == []
        with pytest.raises(InvalidParameter):
            services.run_artifacts.upload(io.BytesIO(b"x"), "", "a")
        with pytest.raises(NotFound):
            services.run_artifacts.upload(io.BytesIO(b"x"), "0" * 32, "a")

    def test_a_file_of_a_version(self, services: Services) -> None:
        run = new_run(services)
        put(services, f"{root_of(run)}/model/MLmodel", b"of the run")
        name, run_id = new_model(services), run.info.run_id
        services.model_versions.create(name, f"runs:/{run_id}/model", run_id=run_id)
        with services.model_versions.read_artifact(name, "1", "MLmodel").file as file:
            assert file.read() == b"of the run"
        for path, error in (
            ("none", NotFound),
            ("../model/MLmodel", InvalidParameter),
            ("", MltrackError),
        ):
            with pytest.raises(error):
                services.model_versions.read_artifact(name, "1", path)
        with pytest.raises(NotFound):
            services.model_versions.read_artifact(name, "2", "MLmodel")

    def test_from_where_the_file_stands(self, services: Services) -> None:
        path = f"{unique()}/a"
        body = io.BytesIO(b"skipped, kept")
        body.seek(9)
        services.artifact_files.upload(path, body)
        assert content_of(services, path) == b"kept"

    def test_listed_by_both_ways(self, services: Services) -> None:
        run = new_run(services)
        root = root_of(run)
        for name in ("b.txt", "a/x.txt", "a/y/z.txt"):
            put(services, f"{root}/{name}", b"1234")

        def listed(path: str = "") -> list[tuple[str, bool, int]]:
            found = services.run_artifacts.list(run.info.run_id, path)
            assert found.root_uri == run.info.artifact_uri
            return [(item.path, item.is_dir, item.file_size) for item in found.files]

        assert listed() == [("a", True, 0), ("b.txt", False, 4)]
        assert listed("a") == [("a/x.txt", False, 4), ("a/y", True, 0)]
        names = [item.path for item in services.artifact_files.list(f"{root}/a").files]
        assert names == ["x.txt", "y"]
        # What is no directory has no children, and that is no error.
        for path in ("b.txt", "none", "b.txt/x"):
            assert listed(path) == []
            assert services.artifact_files.list(f"{root}/{path}").files == []

    def test_deleted_one_by_one_or_as_a_tree(self, services: Services) -> None:
        root = root_of(new_run(services))
        for name in ("a", "t/x", "t/y/z"):
            put(services, f"{root}/{name}")
        services.artifact_files.delete(f"{root}/a")
        services.artifact_files.delete(f"{root}/a")
        services.artifact_files.delete(f"{root}/t")
        assert services.artifact_files.list(root).files == []

    def test_the_folder_of_a_run_or_model_goes_with_it_only(self, services: Services) -> None:
        run = new_run(services)
        model = services.logged_models.create(run.info.experiment_id)
        put(services, f"{root_of(run)}/kept")
        places = [root_of(run), model.info.artifact_uri.partition(":/")[2]]
        places += [place.rpartition("/")[0] for place in places]
        for place in (*places, run.info.experiment_id):
            with pytest.raises(InvalidParameter, match="goes with it"):
                services.artifact_files.delete(place)
            with pytest.raises(InvalidParameter, match="goes with it"):
                put(services, place)
        assert services.artifact_files.list(root_of(run)).files[0].path == "kept"

    def test_what_is_not_there_is_not_found(self, services: Services) -> None:
        run = new_run(services)
        with pytest.raises(NotFound):
            services.artifact_files.download(f"{root_of(run)}/none")
        with pytest.raises(NotFound):
            services.run_artifacts.read(run.info.run_id, "none")

    def test_a_directory_is_neither_read_nor_overwritten(self, services: Services) -> None:
        root = root_of(new_run(services))
        put(services, f"{root}/a/b")
        with pytest.raises(InvalidParameter, match="directory"):
            services.artifact_files.download(f"{root}/a")
        with pytest.raises(InvalidParameter):
            put(services, f"{root}/a")
        with pytest.raises(InvalidParameter):
            put(services, f"{root}/a/b/c")
        assert content_of(services, f"{root}/a/b") == b"content"


class TestPaths:
    """What a path may be."""

    @pytest.mark.parametrize("name", GOOD)
    def test_unusual_names_come_back_as_they_were(self, services: Services, name: str) -> None:
        root = unique("names")
        put(services, f"{root}/{name}", name.encode())
        assert content_of(services, f"{root}/{name}") == name.encode()
        first = name.split("/", 1)[0]
        assert [item.path for item in services.artifact_files.list(root).files] == [first]

    @pytest.mark.parametrize("path", WRONG)
    def test_nothing_leads_out(self, services: Services, path: str) -> None:
        run = new_run(services)
        inside = f"{root_of(run)}/{path}"
        for call in (
            lambda: put(services, path),
            lambda: put(services, inside),
            lambda: services.artifact_files.download(inside),
            lambda: services.artifact_files.list(inside),
            lambda: services.artifact_files.delete(path),
            lambda: services.artifact_files.delete(inside),
            lambda: services.run_artifacts.list(run.info.run_id, path),
            lambda: services.run_artifacts.read(run.info.run_id, path),
            lambda: services.run_artifacts.upload(io.BytesIO(b"x"), run.info.run_id, path),
        ):
            with pytest.raises(MltrackError) as caught:
                call()
            assert 400 <= caught.value.status < 500

    @pytest.mark.parametrize(("path", "meant"), TYPED.items())
    def test_what_people_type_is_the_plain_path(
        self, services: Services, path: str, meant: str
    ) -> None:
        run = new_run(services)
        put(services, f"{root_of(run)}/{path}", b"1")
        assert content_of(services, f"{root_of(run)}/{meant}") == b"1"
        with services.run_artifacts.read(run.info.run_id, path).file as file:
            assert file.read() == b"1"
        services.artifact_files.delete(f"{root_of(run)}/{path}")
        services.run_artifacts.upload(io.BytesIO(b"2"), run.info.run_id, path)
        assert content_of(services, f"{root_of(run)}/{meant}") == b"2"

    @pytest.mark.parametrize("path", [".", "./"])
    def test_a_root_by_its_dot_is_a_folder_and_no_file(self, services: Services, path: str) -> None:
        run = new_run(services)
        put(services, f"{root_of(run)}/x", b"1")
        assert [item.path for item in services.run_artifacts.list(run.info.run_id, path).files] == [
            "x"
        ]
        for call in (
            lambda: put(services, path),
            lambda: services.artifact_files.delete(path),
            lambda: services.run_artifacts.read(run.info.run_id, path),
            lambda: services.run_artifacts.upload(io.BytesIO(b"x"), run.info.run_id, path),
        ):
            with pytest.raises(MltrackError) as caught:
                call()
            assert 400 <= caught.value.status < 500

    @pytest.mark.parametrize("path", ANCHORED)
    def test_nothing_begins_elsewhere(self, services: Services, path: str) -> None:
        run_id = new_run(services).info.run_id
        for call in (
            lambda: put(services, path),
            lambda: services.artifact_files.download(path),
            lambda: services.artifact_files.delete(path),
            lambda: services.run_artifacts.read(run_id, path),
            lambda: services.run_artifacts.upload(io.BytesIO(b"x"), run_id, path),
        ):
            with pytest.raises(MltrackError) as caught:
                call()
            assert 400 <= caught.value.status < 500

    def test_the_root_itself_cannot_be_written_or_deleted(self, services: Services) -> None:
        path = f"{unique()}/kept"
        put(services, path)
        for root in ("", ".", "/", "./", "%2e"):
            with pytest.raises(MltrackError):
                services.artifact_files.delete(root)
            with pytest.raises(MltrackError):
                put(services, root)
        assert content_of(services, path) == b"content"
