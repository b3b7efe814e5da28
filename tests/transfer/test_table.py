"""A CSV of old runs."""

import pytest

from mltrack_jupyter.errors import InvalidParameter, MltrackError, NotFound


def test_prefixed_and_guessed_columns(tmp_path, target, bring):
    place = tmp_path / "old runs.csv"
    place.write_text(
        "run_name,start_time,metrics.acc,depth,model,score,tags.team\n"
        "one,2024-05-03 12:00:00,0.9,3,forest,1.5,blue\n"
        "two,2024-05-04T12:00:00+02:00,nan,4,tree,,\n"
    )
    report = bring(place, target)
    assert report.matches
    assert report.notes == [
        "read as metrics: depth, score (name a column metrics.… to say it yourself)",
        "read as params: model (name a column params.… to say it yourself)",
    ]
    experiment = target.experiments.get_by_name("old runs")
    runs = {run.info.run_name: run for run in target.runs.search([experiment.experiment_id])}
    assert runs["one"].data.metrics == {"acc": 0.9, "depth": 3.0, "score": 1.5}
    assert runs["one"].data.params == {"model": "forest"}
    assert runs["one"].data.tags["team"] == "blue"
    assert runs["one"].info.start_time == 1714737600000
    assert runs["two"].info.start_time == 1714816800000
    assert "score" not in runs["two"].data.metrics


def test_the_same_table_again_and_equal_rows(tmp_path, target, bring):
    place = tmp_path / "t.csv"
    place.write_text("a;b\n1;x\n1;x\n2;y\n")
    assert bring(place, target, experiment="mine").there["runs"] == 3
    report = bring(place, target, experiment="mine")
    assert report.skipped == 3
    experiment = target.experiments.get_by_name("mine")
    assert len(target.runs.search([experiment.experiment_id])) == 3


def test_a_bad_row_is_listed(tmp_path, target, bring):
    place = tmp_path / "t.csv"
    place.write_text("run_id,status,acc\nr1,FINISHED,1\nr2,BROKE,2\nr3,failed,3\n")
    report = bring(place, target)
    assert [item.what for item in report.problems] == ["row 3"]
    assert target.runs.get("r3").info.status == "FAILED"


def test_what_is_no_source_says_what_would_be(tmp_path, target, bring):
    with pytest.raises(NotFound):
        bring(tmp_path / "none", target)
    with pytest.raises(InvalidParameter, match="mlruns folder"):
        bring(tmp_path, target)


def test_a_row_that_does_not_fit_is_listed(tmp_path, target, bring):
    place = tmp_path / "t.csv"
    place.write_text("run_id,metrics.acc,note\nr1,1\nr2,2,b,c\nr3,much,d\nr1,4,e\n")
    report = bring(place, target)
    assert [(item.what, item.reason) for item in report.problems] == [
        ("row 3", "it has 4 cells, but the table has 3 columns"),
        ("row 4", "the metric 'acc' is no number: 'much'"),
        ("row 5", "the run 'r1' is in row 2 already"),
    ]
    assert target.runs.get("r1").data.metrics == {"acc": 1.0}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "has no rows"),
        (b"run_id,metrics.acc\n", "has no rows"),
        (b"a,a\n1,2\n", "several columns of the name 'a'"),
        (b"a,b\n\xff\xfe,1\n", "no CSV file in UTF-8"),
    ],
)
def test_a_table_that_is_none(tmp_path, target, bring, content, said):
    (tmp_path / "t.csv").write_bytes(content)
    with pytest.raises(InvalidParameter, match=said):
        bring(tmp_path / "t.csv", target)


@pytest.mark.parametrize(
    "name", ["x.db", "x.zip", "x.txt", "folder", "s3://bucket/x", "ftp://host"]
)
@pytest.mark.parametrize("content", [b"", b"just words, no database\n" * 100])
def test_a_source_that_is_none(tmp_path, target, bring, name, content):
    place = name if "://" in name else tmp_path / name
    if name == "folder":
        place.mkdir()
    elif "://" not in name:
        place.write_bytes(content)
    before = target.workspace.changes().last
    with pytest.raises(MltrackError) as caught:
        bring(place, target)
    assert name in str(caught.value)
    assert target.workspace.changes().last == before


def test_a_table_whose_name_begins_as_an_address_does(tmp_path, target, bring, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "https runs.csv").write_text("a\n1\n")
    assert bring("https runs.csv", target).there["runs"] == 1
