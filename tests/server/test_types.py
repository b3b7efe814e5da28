"""No file that was kept is sent as something that a browser would run, whatever its name says."""

import mimetypes
import re
from urllib.parse import quote

import pytest

from mltrack_jupyter.server.downloads import content_type
from mltrack_jupyter.testing.making import unique

FILES = "/api/2.0/mlflow-artifacts/artifacts"
# Every ending that Python knows, and some that browsers or other systems do.
ENDINGS = sorted(
    {*mimetypes.MimeTypes().types_map[True], *mimetypes.MimeTypes().types_map[False],
     *mimetypes.MimeTypes().encodings_map, *mimetypes.MimeTypes().suffix_map, ".mjs", ".cjs", ".jsm", ".es", ".xhtml",
     ".xht", ".xslt", ".shtml", ".phtml", ".mht", ".mhtml", ".hta", ".htc", ".wasm", ".swf", ".pdf", ".svgz", ".jar",
     ".vbs", ".wsf", ".rdf", ".rss", ".atom", ".xul", ".xbl", ".vtt", ".appcache", ".manifest", ".webmanifest"}
)  # fmt: skip
PASSIVE = re.compile(
    r"text/plain|application/(octet-stream|zip|gzip|x-tar|x-hdf5|x-bzip2|x-xz)"
    r"|image/(png|jpeg|gif|webp|avif|apng|bmp|tiff|heic|heif|x-icon|vnd\.microsoft\.icon)"
    r"|audio/(aac|flac|mp4|mpeg|ogg|wav|webm|x-wav)|video/(mp4|mpeg|ogg|quicktime|webm)"
)
SCRIPTS = ["js", "mjs", "html", "htm", "svg", "xml", "css", "json", "xsl"]


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("spelled", [str, str.upper, str.title], ids=["as it is", "upper", "title"])
def test_every_ending_there_is_has_a_passive_type(ending, spelled):
    assert PASSIVE.fullmatch(content_type(f"name{spelled(ending)}"))


@pytest.mark.parametrize("ending", SCRIPTS)
def test_what_people_read_and_browsers_run_is_text(ending):
    assert content_type(f"a.{ending}") == "text/plain"


@pytest.mark.parametrize("name", ["a.html.gz", "a.svgz", "a.js.br", "a.html.bz2", "a.tgz"])
def test_what_is_packed_is_bytes(name):
    """A browser that unpacks by itself would show what is in it."""
    assert content_type(name) == "application/octet-stream"


@pytest.mark.parametrize(
    "name", ["MLmodel", "MLproject", "mlproject", "dir/MLmodel", "log", "dir/yaml"]
)
def test_what_is_called_as_mlflow_calls_texts_is_text(name):
    assert content_type(name) == "text/plain"


@pytest.mark.parametrize("name", ["a.mlmodel", "a.mlproject", "LICENSE", "a.b/x", "log/x"])
def test_an_ending_is_that_of_the_name_alone(name):
    assert content_type(name) == "application/octet-stream"


@pytest.mark.parametrize(
    "name",
    ["data:text/html,x", "data:text/html;base64,x", "html", ".html", "a.html ", "a.html\x00"],
)
def test_a_strange_name_chooses_no_type(name):
    assert PASSIVE.fullmatch(content_type(name))


def test_the_tables_of_the_machine_choose_no_type(monkeypatch):
    monkeypatch.setitem(mimetypes.types_map, ".weird", "text/html")
    mimetypes.add_type("text/html", ".weird")
    assert content_type("a.weird") == "application/octet-stream"


@pytest.mark.parametrize(
    "name", ["a.mjs", "a.svg", "a.html", "a.xhtml", "a.pdf", "a.wasm", "a.png", "a.csv"]
)
def test_every_download_is_a_file_to_save(client, name):
    path = f"{FILES}/{unique()}/{quote(name)}"
    assert client.put(path, content=b"<script>alert(1)</script>").status_code == 200
    for headers in ({}, {"Range": "bytes=0-9"}, {"Accept": "text/html"}):
        answer = client.get(path, headers=headers)
        assert answer.status_code in (200, 206)
        assert PASSIVE.fullmatch(answer.headers["Content-Type"])
        assert answer.headers["Content-Disposition"] == f"attachment; filename={name}"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Content-Security-Policy"] == "sandbox; default-src 'none'"
