"""What may be tracked to, and what is said of what may not."""

from importlib.util import find_spec
from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mltrack_jupyter import config
from mltrack_jupyter.errors import EndpointNotFound, ForeignAnswer, InvalidParameter, MltrackError
from mltrack_jupyter.store import normalise_uri


@pytest.fixture
def here(tmp_path, environment):
    environment.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("project", "sqlite:///{0}/project/mltrack.db"),
        ("project/runs.db", "sqlite:///{0}/project/runs.db"),
        ("{0}/x.sqlite", "sqlite:///{0}/x.sqlite"),
        ("a/../b", "sqlite:///{0}/b/mltrack.db"),
        ("file://{0}/a%20b", "sqlite:///{0}/a b/mltrack.db"),
        ("file:{0}/x.db", "sqlite:///{0}/x.db"),
        ("sqlite:///x.db", "sqlite:///{0}/x.db"),
        ("sqlite:///{0}/x.db", "sqlite:///{0}/x.db"),
        ("", "sqlite:///{0}/.mltrack/mltrack.db"),
        ("SQLITE:///x.db", "sqlite:///{0}/x.db"),
        ("sqlite+pysqlite:///x.db", "sqlite:///{0}/x.db"),
        ("sqlite:///x.db?", "sqlite:///{0}/x.db"),
        ("sqlite:///x.db?timeout=30", "sqlite:///{0}/x.db"),
        ("sqlite:///{0}/x.db?check_same_thread=False&timeout=0.5", "sqlite:///{0}/x.db"),
        ("sqlite:///x.db?mode=rwc", "sqlite:///{0}/x.db"),
        ("sqlite:///a?b=c/x.db", "sqlite:///{0}/a?b=c/x.db"),
        ("sqlite:///a?.db", "sqlite:///{0}/a?.db"),
        ("sqlite:///:memory:", "sqlite:///:memory:"),
        ("file://{0}/a?b#c", "sqlite:///{0}/a?b#c/mltrack.db"),
        ("http://127.0.0.1:8888/mltrack/", "http://127.0.0.1:8888/mltrack"),
        ("HTTPS://host/x", "HTTPS://host/x"),
        ("postgresql+psycopg://u:p@host/db", "postgresql+psycopg://u:p@host/db"),
        ("mysql+pymysql://u@host/db", "mysql+pymysql://u@host/db"),
    ],
)
def test_forms(here, given, expected):
    assert normalise_uri(given.format(here)) == expected.format(here)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("s3://bucket/x", "unknown scheme 's3'"), ("databricks", None), ("ftp://x", "unknown scheme"),
        ("http://", "names no server"), ("http://host:port/", "names no server"),
        ("http:///mltrack", "names no server"), ("sqlite://", "names no file"),
        ("file://host/x", "three slashes"), ("sqlite:///?timeout=3", "names no file"),
        ("sqlite:///x.db?mode=ro", "not mode=ro"), ("sqlite:///x.db?timeout=3&cache=shared", "not cache=shared"),
        ("sqlite:///x.db?timeout=soon", "no number of seconds"), ("sqlite:///file:x.db?uri=true", "not uri=true"),
        ("sqlite:///file:x.db", "a URI in it"), (b"folder", "not bytes"), (7, "not a int"),
    ],
)  # fmt: skip
def test_wrong_forms_are_said_at_once(here, mltrack, given, message):
    if message is None:
        assert normalise_uri(given).endswith("/databricks/mltrack.db")
        return
    with pytest.raises(InvalidParameter, match=message):
        mltrack.set_tracking_uri(given)


def test_paths_may_be_paths_and_begin_at_home(here, environment):
    environment.setenv("HOME", str(here / "home"))
    assert normalise_uri(here / "x") == f"sqlite:///{here}/x/mltrack.db"
    assert normalise_uri("~/x.db") == f"sqlite:///{here}/home/x.db"


@pytest.mark.parametrize("name", ["a b", "what?", "50%", "ü#1", "a;b&c=d", "漢字", "it's"])
def test_any_folder_will_do(mltrack, tmp_path, name):
    mltrack.set_tracking_uri(tmp_path / name)
    with mltrack.start_run() as run:
        mltrack.log_text("x", "a.txt")
    assert (tmp_path / name / "mltrack.db").exists()
    assert mltrack.Client(tmp_path / name).list_artifacts(run.info.run_id)[0].path == "a.txt"
    assert mltrack.get_tracking_uri() == f"sqlite:///{tmp_path / name}/mltrack.db"


def test_settings_of_a_driver_do_not_name_another_file(mltrack, here):
    mltrack.set_tracking_uri("sqlite:///runs.db")
    with mltrack.start_run(run_name="before"):
        pass
    mltrack.set_tracking_uri("sqlite:///runs.db?timeout=30")
    found = mltrack.search_runs(search_all_experiments=True, output_format="list")
    assert [run.info.run_name for run in found] == ["before"]
    assert [path.name for path in here.glob("*?timeout*")] == []


def test_a_file_that_was_meant_by_percent_signs_is_not_left_aside(mltrack, here):
    (here / "a b.db").touch()
    with pytest.raises(InvalidParameter, match=r"one that is called 'a b\.db'"):
        mltrack.set_tracking_uri("sqlite:///a%20b.db")
    assert normalise_uri("sqlite:///c%20d.db") == f"sqlite:///{here}/c%20d.db"


@given(
    st.lists(
        st.text(st.sampled_from("ab?=&#% ;+%2041.d"), min_size=1, max_size=8),
        min_size=1,
        max_size=3,
    )
)
def test_what_is_in_full_stays_what_it_is(parts):
    if any(part in (".", "..") for part in parts):
        return
    full = normalise_uri(PurePosixPath("/nowhere", *parts))
    assert normalise_uri(full) == full


def test_the_environment_chooses_and_a_call_overrides(here, environment, mltrack):
    from mltrack_jupyter.tracking import session

    environment.setattr(session.default, "_uri", None)
    assert mltrack.get_tracking_uri() == f"sqlite:///{here}/.mltrack/mltrack.db"
    environment.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:1/x")
    assert mltrack.get_tracking_uri() == "http://127.0.0.1:1/x"
    environment.setenv("MLTRACK_TRACKING_URI", str(here / "ours"))
    assert mltrack.get_tracking_uri() == f"sqlite:///{here}/ours/mltrack.db"
    mltrack.set_tracking_uri("called")
    assert mltrack.get_tracking_uri() == f"sqlite:///{here}/called/mltrack.db"


def test_the_default_store_is_the_nearest_upwards_else_at_the_git_root_else_here(here):
    deep = here / "repository" / "notebooks" / "deep"
    deep.mkdir(parents=True)
    assert config.default_store(deep) == deep / ".mltrack"
    (here / "repository" / ".git").mkdir()
    assert config.default_store(deep) == here / "repository" / ".mltrack"
    (here / ".mltrack").mkdir()
    assert config.default_store(deep) == here / ".mltrack"
    (deep.parent / ".mltrack").mkdir()
    assert config.default_store(deep) == deep.parent / ".mltrack"


def test_a_deleted_working_directory_is_survived(here, environment):
    (here / "gone").mkdir()
    environment.chdir(here / "gone")
    (here / "gone").rmdir()
    environment.setenv("HOME", str(here))
    assert config.default_store() == here / ".mltrack"


@pytest.mark.skipif(find_spec("pymysql") is not None, reason="the driver is installed")
def test_a_database_whose_driver_is_missing_says_what_to_install(mltrack):
    mltrack.set_tracking_uri("mysql+pymysql://u@127.0.0.1/db")
    with pytest.raises(InvalidParameter, match="pip install pymysql"):
        mltrack.get_experiment("0")


def test_a_server_that_is_not_ours_is_named(mltrack, web_server):
    mltrack.set_tracking_uri(web_server)
    for call, kinds in (
        (lambda: mltrack.get_experiment_by_name("x"), (EndpointNotFound, ForeignAnswer)),
        (lambda: mltrack.set_experiment("x"), (MltrackError,)),
        (mltrack.start_run, (MltrackError,)),
    ):
        with pytest.raises(kinds, match="tracking server"):
            call()
