import contextlib
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from mltrack_jupyter.entities import STAGES
from mltrack_jupyter.errors import InvalidParameter
from mltrack_jupyter.registry import parse_model_uri
from mltrack_jupyter.registry.uris import (
    AliasOf,
    Latest,
    LocalFolder,
    Logged,
    RunModel,
    Stage,
    StoreFolder,
    Version,
)

RUN = "0b5b8a4f9d0d4e4d8f0d6d3f8b9f8a3b"


@pytest.mark.parametrize(
    ("uri", "meaning"),
    [
        (f"runs:/{RUN}/model", RunModel(RUN, "model")),
        (f"runs:/{RUN}/models/best/", RunModel(RUN, "models/best")),
        (f"runs:/{RUN}", RunModel(RUN)),
        ("models:/iris/3", Version("iris", "3")),
        ("models:/iris/007", Version("iris", "7")),
        ("models:/iris/Production", Stage("iris", "Production")),
        ("models:/iris/staging", Stage("iris", "Staging")),
        ("models:/iris/none", Stage("iris", "None")),
        ("models:/iris@champion", AliasOf("iris", "champion")),
        ("models:/a@b@champion", AliasOf("a@b", "champion")),
        ("models:/iris@latest", AliasOf("iris", "latest")),
        ("models:/iris/latest", Latest("iris")),
        ("models:/iris/LATEST", Latest("iris")),
        ("models:/my%20model/3", Version("my model", "3")),
        ("models:/my model/3", Version("my model", "3")),
        ("models:/Größe@übung", AliasOf("Größe", "übung")),
        ("models:/100%/1", Version("100%", "1")),
        ("models:/100%25/1", Version("100%", "1")),
        ("models:/m-" + "0" * 32, Logged("m-" + "0" * 32)),
        ("models:/m-" + "0" * 32 + "/1", Version("m-" + "0" * 32, "1")),
        ("mlflow-artifacts:/0/x/artifacts/model", StoreFolder("0/x/artifacts/model")),
        ("model", LocalFolder(Path("model"))),
        ("./my model", LocalFolder(Path("my model"))),
        ("/data/model", LocalFolder(Path("/data/model"))),
        ("C:/data/model", LocalFolder(Path("C:/data/model"))),
        ("file:///data/my%20model", LocalFolder(Path("/data/my model"))),
        ("file://localhost/data/model", LocalFolder(Path("/data/model"))),
        (Path("models:/x"), LocalFolder(Path("models:/x"))),
    ],
)
def test_what_each_form_means(uri, meaning):
    assert parse_model_uri(uri) == meaning


@pytest.mark.parametrize(
    ("uri", "reason"),
    [
        ("", "empty"),
        ("  ", "empty"),
        ("models:/x\n/1", "control"),
        ("models:/iris", "which version of 'iris'"),
        ("models:/", "which version"),
        ("models:iris/1", "single slash"),
        ("models://iris/1", "single slash"),
        ("runs://host/x/y", "single slash"),
        ("models:/iris/Produktion", "'Produktion' is neither a version nor a stage"),
        ("models:/iris/1/2", "neither"),
        ("models:/iris/", "neither"),
        ("models:/iris/-1", "neither"),
        ("models:/iris/²", "neither"),
        ("models:/iris/9999999999999999999", "version"),
        ("models:/iris@", "alias"),
        ("models:/iris@a b", "alias"),
        ("models:/iris@v3", "reserved"),
        ("models:/@champion", "name"),
        ("models:/a%2Fb/1", "must not hold '/'"),
        ("models:/a%3Ab/1", "must not hold '/' or ':'"),
        ("models:/a%2520b/1", "encoded twice"),
        ("models:/%2e%2e/1", "Invalid model name"),
        ("models:/a%00b/1", "control"),
        ("runs:/", "run_id"),
        ("runs:/x y/model", "run_id"),
        (f"runs:/{RUN}/../secret", "path"),
        (f"runs:/{RUN}/a/../../b", "path"),
        (f"runs:/{RUN}/%2e%2e/b", "path"),
        ("mlflow-artifacts://host/x", "single slash"),
        ("mlflow-artifacts:/../x", "path"),
        ("file://server/share/model", "of this machine"),
        ("file:", "of this machine"),
        ("s3://bucket/model", "scheme 's3' is not known"),
        ("https://example.org/model", "scheme 'https'"),
        ("models:/x;touch CANARY", "which version"),
    ],
)
def test_what_is_refused_and_why(uri, reason):
    with pytest.raises(InvalidParameter, match=reason):
        parse_model_uri(uri)


def test_the_message_lists_the_forms():
    with pytest.raises(
        InvalidParameter, match=r"models:/<name>/<version>.*runs:/|runs:/.*models:/"
    ):
        parse_model_uri("models:/iris")


names = st.text(
    st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="/:"), min_size=1, max_size=40
).filter(lambda name: name.strip() and name not in (".", "..") and "%2f" not in name.lower())
words = st.from_regex(r"[A-Za-z0-9_-]{1,20}", fullmatch=True)
paths = st.lists(words, min_size=1, max_size=3).map("/".join)
uris = st.one_of(
    st.builds(Version, names, st.integers(0, 10**8).map(str)),
    st.builds(Stage, names, st.sampled_from(STAGES)),
    st.builds(Latest, names),
    st.builds(
        AliasOf, names, words.filter(lambda alias: not alias.lower().startswith(("v", "latest")))
    ),
    st.builds(RunModel, st.from_regex(r"[0-9a-f]{32}", fullmatch=True), paths | st.just("")),
    st.builds(Logged, st.from_regex(r"m-[0-9a-f]{32}", fullmatch=True)),
    st.builds(StoreFolder, paths),
    st.builds(LocalFolder, paths.map(Path)),
)


@given(uris)
def test_every_uri_is_read_as_it_was_written(uri):
    import re

    assume(not re.search(r"%[0-9A-Fa-f]{2}", getattr(uri, "name", "")))
    assert parse_model_uri(str(uri)) == uri


@given(st.text(max_size=60) | st.text(max_size=40).map("models:/".__add__))
def test_any_text_is_read_or_refused(text):
    with contextlib.suppress(InvalidParameter):
        assert parse_model_uri(text)
