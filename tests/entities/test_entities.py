"""Entities: frozen, in MLflow's shapes, readable as Python people expect."""

import msgspec
import pytest

from mltrack_jupyter import entities
from mltrack_jupyter.entities import (
    Column,
    Experiment,
    Metric,
    Page,
    Param,
    Run,
    RunData,
    RunInfo,
    RunStatus,
    Tag,
)


@pytest.fixture
def run():
    return Run(
        info=RunInfo(run_id="abc", experiment_id="0", status=RunStatus.RUNNING),
        data=RunData(
            metric_list=[Metric("acc", 0.5, 1)], param_list=[Param("depth", "3")], tag_list=[Tag("a", "b")]
        ),
    )  # fmt: skip


def test_lists_on_the_wire_are_dicts_in_python(run):
    assert run.data.metrics["acc"] == 0.5
    assert (run.data.params, run.data.tags) == ({"depth": "3"}, {"a": "b"})
    assert run.info.run_uuid == run.info.run_id == "abc"


def test_they_do_not_change(run):
    for entity, name in ((run, "info"), (run.info, "run_id"), (run.data.metric_list[0], "value")):
        with pytest.raises(AttributeError):
            setattr(entity, name, None)


def test_there_and_back_as_json(run):
    assert msgspec.json.decode(msgspec.json.encode(run), type=Run) == run


def test_a_field_that_is_not_set_is_absent():
    wire = msgspec.to_builtins(Experiment(experiment_id="0", name="Default"))
    assert wire == {"experiment_id": "0", "name": "Default"}


def test_a_page_is_a_sequence_with_a_token():
    page = Page([1, 2, 3], "next")
    assert (list(page), len(page), page[0], page[-1]) == ([1, 2, 3], 3, 1, 3)
    assert page.token == page.next_page_token == "next"


@pytest.mark.parametrize(
    ("status", "ended"),
    [
        ("RUNNING", False),
        ("SCHEDULED", False),
        ("FINISHED", True),
        ("FAILED", True),
        ("KILLED", True),
    ],
)
def test_which_statuses_are_the_end(status, ended):
    assert RunStatus(status).is_terminated() is ended


def test_a_column_of_a_metric_reads_floats_that_json_lacks():
    column = Column(kind="metric", key="m", values=["Infinity", 0.5, None])
    assert column.values == [float("inf"), 0.5, None]
    assert Column(kind="param", key="p", values=["NaN"]).values == ["NaN"]


def test_everything_is_documented():
    for name in entities.__all__:
        assert getattr(entities, name).__doc__, name


def test_they_can_be_read_as_dicts(run):
    assert dict(run)["info"] is run.info
    assert dict(run.info)["status"] == "RUNNING"
    assert dict(run.data) == {"metrics": {"acc": 0.5}, "params": {"depth": "3"}, "tags": {"a": "b"}}
    assert dict(Metric("acc", 0.5, 1, step=2))["step"] == 2


def test_statuses_by_mlflows_names_and_numbers():
    assert RunStatus.to_string(3) == RunStatus.to_string(RunStatus.FINISHED) == "FINISHED"
    assert RunStatus.is_terminated(RunStatus.from_string("KILLED"))
    with pytest.raises(ValueError, match="BORED"):
        RunStatus.from_string("BORED")


def test_a_logged_model_by_name():
    info = entities.LoggedModelInfo(
        model_id="m-1", experiment_id="0", status=entities.LoggedModelStatus.READY
    )
    model = entities.LoggedModel(info=info)
    assert f"{model.status}" == "READY"
    assert model.to_dictionary()["model_id"] == dict(model)["model_id"] == "m-1"
