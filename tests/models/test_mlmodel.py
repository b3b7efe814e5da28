import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mltrack_jupyter.errors import InvalidParameter, NotFound
from mltrack_jupyter.models import ModelMetadata, read_metadata
from mltrack_jupyter.models.folder import ModelFolder
from mltrack_jupyter.store.yaml_text import parse_mapping


@pytest.fixture
def read(tmp_path):
    """Write some bytes as a folder's MLmodel and read it."""

    def write_and_read(content):
        data = content if isinstance(content, bytes) else content.encode()
        (tmp_path / "MLmodel").write_bytes(data)
        return read_metadata(ModelFolder.open(tmp_path))

    return write_and_read


def test_a_file_of_2018(read):
    about = read(
        """
artifact_path: model
flavors:
  python_function:
    data: model.pkl
    loader_module: mlflow.sklearn
    python_version: 3.6.5
  sklearn:
    pickled_model: model.pkl
    sklearn_version: 0.19.1
run_id: 0b5b8a4f9d0d4e4d8f0d6d3f8b9f8a3b
utc_time_created: 2018-06-29 18:05:27.123456
"""
    )
    assert list(about.flavors) == ["python_function", "sklearn"]
    assert about.utc_time_created == "2018-06-29 18:05:27.123456"
    assert about.signature is None


def test_unknown_keys_are_kept(read):
    about = read("flavors: {sklearn: {}}\nmodel_size_bytes: 7\nprompts: null\n")
    assert about.extra == {"model_size_bytes": 7, "prompts": None}
    assert ModelMetadata.from_dict(about.to_dict()) == about


BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "\n".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]"
    for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)
MERGE_BOMB = "a: &a {k: v}\n" + "\n".join(
    f"{name}: &{name} {{<<: [{', '.join([f'*{before}'] * 9)}]}}"
    for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (BOMB, "too large"),
        (MERGE_BOMB, "too large"),
        ("[" * 200_000, "too large"),
        ("a: " + "{b: " * 1000, "too large"),
        ("a: " + "x" * 3_000_000, "larger than"),
        ("a: [" + "1," * 100_000 + "]", "too large"),
        ("a: " + "1:" * 50_000 + "1", "unquoted value"),
        ("a: " + "9" * 9_000, "corrupt"),
        ("flavors: {sklearn: 2024-99-99}", "corrupt"),
        ("flavors: [", "corrupt"),
        ("&a [*a]", "corrupt"),
        ("- a", "corrupt"),
        ("1: 2", "corrupt"),
        ("", "corrupt"),
        ("\x00", "corrupt"),
        ("name: x", "no flavors"),
        ("flavors: {}", "no flavors"),
        ("flavors: {sklearn: 1}", "no settings"),
        ("flavors: {1: {}}", "no settings"),
        ("!!python/object/apply:os.system ['touch CANARY']", "corrupt"),
        ("flavors: {sklearn: {}}\nsignature: 3", "signature"),
    ],
)
def test_hostile_and_corrupt_files_are_refused(read, text, reason):
    with pytest.raises(InvalidParameter, match=reason):
        read(text)


def test_bytes_that_are_no_text(read):
    with pytest.raises(InvalidParameter, match="not UTF-8"):
        read(b"\xff\xfe\x00")


def test_aliases_that_stay_small_are_fine():
    assert parse_mapping("a: &x [1, 2]\nb: *x", "f") == {"a": [1, 2], "b": [1, 2]}
    assert parse_mapping("a: &x one\nb: *x", "f") == {"a": "one", "b": "one"}


def test_text_that_is_too_long():
    with pytest.raises(InvalidParameter, match="f is too large"):
        parse_mapping("a: b\n" * 500_000, "f")


@settings(max_examples=200, deadline=2000)
@given(st.text(max_size=300))
def test_any_text_is_read_or_refused(text):
    try:
        parse_mapping(text, "f")
    except InvalidParameter:
        return


def test_a_folder_without_mlmodel(tmp_path):
    with pytest.raises(NotFound, match="not a model: it has no file 'MLmodel'"):
        read_metadata(ModelFolder.open(tmp_path))


def test_no_folder_at_all(tmp_path):
    with pytest.raises(NotFound, match="does not exist"):
        ModelFolder.open(tmp_path / "nowhere")
    (tmp_path / "file").touch()
    with pytest.raises(NotFound, match="is a file"):
        ModelFolder.open(tmp_path / "file")


@pytest.mark.parametrize(
    "name", ["../secret", "/etc/passwd", "a/../../secret", "x\x00", "", None, 3]
)
def test_names_cannot_leave_the_folder(tmp_path, name):
    (tmp_path / "secret").write_text("s")
    (tmp_path / "model").mkdir()
    with pytest.raises(InvalidParameter):
        ModelFolder.open(tmp_path / "model").read(name)


def test_links_cannot_leave_the_folder(tmp_path):
    (tmp_path / "secret").write_text("s")
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "link").symlink_to(tmp_path / "secret")
    with pytest.raises(InvalidParameter, match="out of"):
        ModelFolder.open(tmp_path / "model").read("link")
