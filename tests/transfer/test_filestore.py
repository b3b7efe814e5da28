"""Folders of MLflow's file store, written by hand as MLflow wrote them."""

import math
import shutil

from mltrack_jupyter.entities import RunStatus

RUN = "8f3c2d1e0b9a4c5d8e7f6a5b4c3d2e1f"


def test_the_layout_of_2018_arrives_whole(old_mlruns, target, bring):
    report = bring(old_mlruns, target)
    assert report.matches, (report.problems, report.found, report.there)
    run = target.runs.get(RUN)
    assert run.info.experiment_id == "0"
    assert run.info.status is RunStatus.FINISHED
    assert (run.info.start_time, run.info.end_time) == (1530000000000, 1530000060000)
    assert run.info.user_id == "ada"
    assert run.data.params == {"alpha": "0.5"}
    assert run.data.tags["mlflow.source.name"] == "train.py"
    assert run.data.tags["mlflow.source.type"] == "LOCAL"
    assert run.data.tags["mlflow.source.git.commit"] == "0123abc"
    assert run.data.tags["mlflow.project.entryPoint"] == "main"
    points = target.metrics.history(RUN, "rmse").items
    assert [point.timestamp for point in points] == [1530000001000, 1530000002000, 1530000003000]
    assert points[0].value == 0.9
    assert math.isnan(points[2].value)
    with target.run_artifacts.read(RUN, "plots/a b.txt").file as file:
        assert file.read() == b"roc"


def test_the_second_time_changes_nothing(old_mlruns, target, bring):
    bring(old_mlruns, target)
    last = target.workspace.changes().last
    before = repr(target.runs.get(RUN))
    report = bring(old_mlruns, target)
    assert report.skipped == 1
    assert report.matches
    assert target.workspace.changes().last == last
    assert repr(target.runs.get(RUN)) == before


def test_what_grew_in_the_source_is_brought_after(old_mlruns, target, bring):
    bring(old_mlruns, target)
    with (old_mlruns / "0" / RUN / "metrics" / "rmse").open("a") as file:
        file.write("1530000004 0.5\n")
    assert bring(old_mlruns, target).matches
    assert len(target.metrics.history(RUN, "rmse").items) == 4


def test_a_broken_run_is_listed_and_the_others_arrive(old_mlruns, target, bring):
    for name, text in {
        "empty": "",
        "text": "just words",
        "bad": "a: [",
        "status": "status: 9",
    }.items():
        place = old_mlruns / "0" / name
        place.mkdir()
        (place / "meta.yaml").write_text(text)
    (old_mlruns / "0" / "bare").mkdir()
    report = bring(old_mlruns, target)
    assert sorted(item.what for item in report.problems) == [
        f"run Default/{name}" for name in ("bad", "bare", "empty", "status", "text")
    ]
    assert target.runs.get(RUN).data.params == {"alpha": "0.5"}


def test_runs_of_an_experiment_without_a_name_are_not_lost(old_mlruns, target, bring):
    (old_mlruns / "0" / "meta.yaml").write_text("")
    report = bring(old_mlruns, target)
    assert "experiment 0" in report.notes[0]
    experiment = target.experiments.get_by_name("experiment 0")
    assert target.runs.get(RUN).info.experiment_id == experiment.experiment_id


def test_a_damaged_line_costs_only_itself(old_mlruns, target, bring):
    place = old_mlruns / "0" / RUN / "metrics" / "rmse"
    place.write_text("1530000001 0.9\n15300\n1530000002 wide\n1530000003 0.7 5\n")
    report = bring(old_mlruns, target)
    assert len(target.metrics.history(RUN, "rmse").items) == 2
    assert len([note for note in report.notes if "left out" in note]) == 2


def test_lines_that_come_again_are_points(old_mlruns, target, bring):
    """MLflow's file store keeps them, and its history has them."""
    place = old_mlruns / "0" / RUN / "metrics" / "rmse"
    place.write_text(
        "1530000001000 0.9 0\n" * 3 + "1530000001000 nan 0\n" * 2 + "1530000001000 0.7 0\n"
    )
    for _ in range(2):
        report = bring(old_mlruns, target)
        assert report.matches, (report.found, report.there)
        assert len(target.metrics.history(RUN, "rmse").items) == 6


def test_links_out_of_the_folder_are_not_followed(old_mlruns, target, bring, tmp_path):
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / "key").write_text("private")
    run = old_mlruns / "0" / RUN
    (run / "artifacts" / "key").symlink_to(secret / "key")
    (run / "artifacts" / "folder").symlink_to(secret)
    (old_mlruns / "0" / "linked").symlink_to(secret)
    assert bring(old_mlruns, target).found["files"] == 1
    (run / "params" / "key").symlink_to(secret / "key")
    report = bring(old_mlruns, target)
    assert "leads out of the folder" in report.problems[0].reason
    assert "private" not in str(target.runs.get(RUN))


def test_yaml_makes_no_objects(old_mlruns, target, bring):
    meta = old_mlruns / "0" / RUN / "meta.yaml"
    meta.write_text("status: !!python/object/apply:os.system ['echo hacked']\n")
    report = bring(old_mlruns, target)
    assert "cannot be read" in report.problems[0].reason


def test_a_moved_folder_keeps_its_artifacts(old_mlruns, target, bring, tmp_path):
    shutil.move(old_mlruns, tmp_path / "elsewhere")
    report = bring(tmp_path / "elsewhere", target)
    assert report.matches
    assert report.there["files"] == 1


def test_a_name_that_no_store_takes_is_left_out_with_a_note(old_mlruns, target, bring):
    (old_mlruns / "0" / RUN / "params" / "what?").write_text("1")
    report = bring(old_mlruns, target)
    assert any("what?" in note for note in report.notes)
    assert target.runs.get(RUN).data.params == {"alpha": "0.5"}
