"""The contract of journals: a batch is taken over once and whole, wherever it was cut off."""

from __future__ import annotations

import math
import uuid

import pytest

from mltrack_jupyter.entities import (
    Dataset,
    DatasetInput,
    Metric,
    ModelInput,
    ModelOutput,
    NewRun,
    Param,
    Points,
    RunEntry,
    RunStatus,
    Tag,
)
from mltrack_jupyter.errors import InvalidParameter, NotFound
from mltrack_jupyter.services import Services
from mltrack_jupyter.store.names import RUN_NAME
from mltrack_jupyter.testing.making import NOW, new_experiment, new_run, unique


def new_id() -> str:
    """Return the id of a run or journal that was never used."""
    return uuid.uuid4().hex


def points(key: str, *steps: int, value: float = 0.5) -> Points:
    """Return one point for each step."""
    count = len(steps)
    return Points(key=key, steps=list(steps), timestamps=[NOW] * count, values=[value] * count)


def steps_of(services: Services, run_id: str, key: str = "m") -> list[int]:
    """Return the steps of a metric as they are stored."""
    return sorted(point.step for point in services.metrics.history(run_id, key))


class TestJournals:
    """Taking over batches, and the places of journals."""

    def test_an_unknown_journal_is_at_its_beginning(self, services: Services) -> None:
        assert services.journals.position(new_id()).position == 0

    def test_a_metric_without_points_is_nothing(self, services: Services) -> None:
        run_id = new_run(services).info.run_id
        entry = RunEntry(run_id=run_id, points=[points("m"), points("n", 0)])
        assert services.journals.append(new_id(), 0, 1, [entry]).refused == []
        assert services.runs.get(run_id).data.metrics == {"n": 0.5}

    def test_a_batch_begins_a_run_and_fills_it(self, services: Services) -> None:
        experiment, run_id, journal = new_experiment(services), new_id(), new_id()
        data = DatasetInput(dataset=Dataset(name="d", digest="1", source_type="local", source="s"))
        entry = RunEntry(
            run_id=run_id,
            new=NewRun(experiment_id=experiment, user_id="ada", start_time=NOW),
            points=[points("m", 0, 1), points("n", 7, value=-1.5)],
            params=[Param("p", "1")],
            tags=[Tag("mlflow.runName", "named"), Tag("t", "ü")],
            datasets=[data],
            status=RunStatus.FINISHED,
            end_time=NOW + 5,
        )
        answer = services.journals.append(journal, 0, 9, [entry])
        assert (answer.position, answer.refused) == (9, [])
        assert services.journals.position(journal).position == 9
        run = services.runs.get(run_id)
        assert (run.info.run_name, run.info.user_id) == ("named", "ada")
        assert (run.info.status, run.info.start_time, run.info.end_time) == (
            "FINISHED", NOW, NOW + 5,
        )  # fmt: skip
        assert run.info.experiment_id == experiment
        assert run.info.artifact_uri.endswith(f"/{run_id}/artifacts")
        assert (run.data.params, run.data.metrics) == ({"p": "1"}, {"m": 0.5, "n": -1.5})
        assert run.data.tags["t"] == "ü"
        assert [item.dataset.name for item in run.inputs.dataset_inputs] == ["d"]
        assert steps_of(services, run_id) == [0, 1]

    def test_a_batch_names_models(self, services: Services) -> None:
        run = new_run(services).info
        read, made = (
            services.logged_models.create(run.experiment_id, unique("model")).info.model_id
            for _ in range(2)
        )
        entry = RunEntry(
            run_id=run.run_id,
            models=[ModelInput(read)],
            outputs=[ModelOutput(made, 3)],
            noted=[Metric("acc", 0.5, NOW, 3, model_id=made, dataset_name="d", dataset_digest="1")],
        )
        for _ in range(2):
            assert services.journals.append(new_id(), 0, 1, [entry]).refused == []
        found = services.runs.get(run.run_id)
        assert [item.model_id for item in found.inputs.model_inputs] == [read]
        assert [(item.model_id, item.step) for item in found.outputs.model_outputs] == [(made, 3)]
        assert found.data.metrics == {"acc": 0.5}
        (point,) = services.logged_models.get(made).data.metrics
        assert (point.value, point.dataset_name, point.run_id) == (0.5, "d", run.run_id)

    def test_a_batch_that_is_sent_again_changes_nothing(self, services: Services) -> None:
        run_id, journal = new_run(services).info.run_id, new_id()
        first = [RunEntry(run_id=run_id, points=[points("m", 0)], params=[Param("p", "1")])]
        second = [RunEntry(run_id=run_id, points=[points("m", 1)], params=[Param("p", "2")])]
        services.journals.append(journal, 0, 3, first)
        services.journals.append(journal, 3, 5, second)
        for since, upto, entries in [(0, 3, first), (3, 5, second), (0, 5, first)]:
            answer = services.journals.append(journal, since, upto, entries)
            assert (answer.position, answer.refused) == (5, [])
        assert steps_of(services, run_id) == [0, 1]
        assert services.runs.get(run_id).data.params == {"p": "2"}
        assert len(services.journals.amendments(run_id)) == 1

    def test_a_batch_from_further_on_is_not_taken(self, services: Services) -> None:
        run_id, journal = new_run(services).info.run_id, new_id()
        entry = RunEntry(run_id=run_id, points=[points("m", 0)])
        assert services.journals.append(journal, 4, 6, [entry]).position == 0
        assert steps_of(services, run_id) == []

    def test_places_of_later_files_are_places(self, services: Services) -> None:
        run_id, journal, far = new_run(services).info.run_id, new_id(), 3 << 32 | 7
        services.journals.append(journal, 0, far, [RunEntry(run_id=run_id)])
        assert services.journals.position(journal).position == far

    def test_journals_do_not_mix(self, services: Services) -> None:
        run_id, one, other = new_run(services).info.run_id, new_id(), new_id()
        services.journals.append(one, 0, 5, [RunEntry(run_id=run_id, points=[points("m", 0)])])
        services.journals.append(other, 0, 2, [RunEntry(run_id=run_id, points=[points("m", 1)])])
        assert services.journals.position(one).position == 5
        assert services.journals.position(other).position == 2
        assert steps_of(services, run_id) == [0, 1]

    def test_a_copy_of_a_complete_journal_changes_nothing(self, services: Services) -> None:
        run_id, journal = new_run(services).info.run_id, new_id()
        entry = RunEntry(run_id=run_id, tags=[Tag("t", "old")], params=[Param("p", "old")])
        services.journals.append(journal, 0, 5, [entry])
        services.journals.forget(journal)
        services.journals.forget(journal)
        services.runs.set_tag(run_id, "t", "new")
        assert services.journals.append(journal, 0, 5, [entry]).position == 5
        assert services.runs.get(run_id).data.tags["t"] == "new"

    def test_a_journal_that_is_found_late_takes_no_later_end_back(self, services: Services) -> None:
        run_id = new_run(services).info.run_id
        services.runs.update(run_id, RunStatus.FINISHED, end_time=2000)
        early = RunEntry(run_id=run_id, status=RunStatus.FAILED, end_time=1000)
        assert services.journals.append(new_id(), 0, 1, [early]).refused == []
        found = services.runs.get(run_id).info
        assert (found.status, found.end_time) == (RunStatus.FINISHED, 2000)
        late = RunEntry(run_id=run_id, status=RunStatus.FAILED, end_time=3000)
        services.journals.append(new_id(), 0, 1, [late])
        found = services.runs.get(run_id).info
        assert (found.status, found.end_time) == (RunStatus.FAILED, 3000)

    def test_a_run_that_is_unknown_costs_no_other(self, services: Services) -> None:
        good, unknown = new_run(services).info.run_id, new_id()
        entries = [RunEntry(run_id=run_id, points=[points("m", 0)]) for run_id in (unknown, good)]
        answer = services.journals.append(new_id(), 0, 2, entries)
        assert answer.position == 2
        assert [item.run_id for item in answer.refused] == [unknown]
        assert all(item.reason for item in answer.refused)
        assert steps_of(services, good) == [0]

    def test_a_run_in_the_trash_is_whole_when_it_comes_back(self, services: Services) -> None:
        run_id = new_run(services).info.run_id
        services.runs.delete(run_id)
        entry = RunEntry(
            run_id=run_id,
            points=[points("m", 0)],
            params=[Param("p", "1")],
            tags=[Tag("t", "1")],
            status=RunStatus.FINISHED,
            end_time=NOW + 5,
        )
        assert services.journals.append(new_id(), 0, 1, [entry]).refused == []
        with pytest.raises(InvalidParameter):
            services.runs.log_batch(run_id, [Metric("m", 1.0, NOW, 1)])
        services.runs.restore(run_id)
        run = services.runs.get(run_id)
        assert (run.info.status, run.info.end_time) == ("FINISHED", NOW + 5)
        assert (run.data.params, run.data.metrics) == ({"p": "1"}, {"m": 0.5})
        assert run.data.tags["t"] == "1"

    @pytest.mark.parametrize(
        "bad",
        [
            RunEntry(run_id="x", params=[Param("", "no name")]),
            RunEntry(run_id="x", tags=[Tag("", "no name")]),
            RunEntry(run_id="x", points=[points("", 0)]),
            RunEntry(run_id="x", points=[Points(key="m", steps=[1], timestamps=[], values=[])]),
        ],
        ids=["param", "tag", "metric", "columns"],
    )
    def test_a_batch_that_is_wrong_is_not_taken_in_part(
        self, services: Services, bad: RunEntry
    ) -> None:
        run_id, journal = new_run(services).info.run_id, new_id()
        good = RunEntry(run_id=run_id, points=[points("m", 0)])
        with pytest.raises(InvalidParameter):
            services.journals.append(journal, 0, 2, [good, bad])
        assert services.journals.position(journal).position == 0
        assert steps_of(services, run_id) == []

    @pytest.mark.parametrize(("since", "upto"), [(-1, 3), (5, 3), (0, 2**63)])
    def test_places_that_are_none(self, services: Services, since: int, upto: int) -> None:
        with pytest.raises(InvalidParameter):
            services.journals.append(new_id(), since, upto, [])

    def test_values_keep_every_bit(self, services: Services) -> None:
        run_id = new_run(services).info.run_id
        values = [math.nan, math.inf, -math.inf, 5e-324]
        found = Points(key="m", steps=[0, 1, 2, 3], timestamps=[NOW] * 4, values=values)
        services.journals.append(new_id(), 0, 1, [RunEntry(run_id=run_id, points=[found])])
        there = [point.value for point in services.metrics.history(run_id, "m")]
        assert math.isnan(there[0])
        assert there[1:] == values[1:]


class TestBegins:
    """How runs begin by a journal."""

    def test_a_begin_that_is_told_late_takes_nothing_back(self, services: Services) -> None:
        run_id, journal = new_id(), new_id()
        new = NewRun(experiment_id=new_experiment(services), start_time=NOW)
        begin = RunEntry(run_id=run_id, new=new, tags=[Tag(RUN_NAME, "first"), Tag("t", "begin")])
        services.journals.append(new_id(), 0, 1, [begin])
        services.runs.log_batch(run_id, tags=[Tag(RUN_NAME, "renamed"), Tag("t", "worker")])
        later = RunEntry(run_id=run_id, tags=[Tag("later", "1")])
        whole = RunEntry(run_id=run_id, new=new, tags=[*begin.tags, Tag("late", "begin")])
        assert services.journals.append(journal, 0, 2, [whole, later]).refused == []
        run = services.runs.get(run_id)
        assert run.info.run_name == "renamed"
        found = {key: run.data.tags[key] for key in ("t", "late", "later")}
        assert found == {"t": "worker", "late": "begin", "later": "1"}
        services.journals.append(journal, 2, 3, [RunEntry(run_id=run_id, tags=[Tag("t", "new")])])
        assert services.runs.get(run_id).data.tags["t"] == "new"

    def test_shared_files_that_nobody_brought_are_named(self, services: Services) -> None:
        new = NewRun(experiment_id=new_experiment(services), start_time=NOW)
        digest = "ab" * 32
        entry = RunEntry(run_id=new_id(), new=new, shared={"a.txt": digest})
        answer = services.journals.append(new_id(), 0, 1, [entry])
        assert (answer.refused, answer.missing) == ([], [digest])

    def test_a_run_of_an_experiment_that_is_not_there(self, services: Services) -> None:
        run_id, journal = new_id(), new_id()
        new = NewRun(experiment_id="987654321", start_time=NOW)
        answer = services.journals.append(journal, 0, 1, [RunEntry(run_id=run_id, new=new)])
        assert [item.run_id for item in answer.refused] == [run_id]
        with pytest.raises(NotFound):
            services.runs.get(run_id)

    def test_an_experiment_may_be_named(self, services: Services) -> None:
        name, runs = unique("experiment"), [new_id(), new_id()]
        new = NewRun(experiment_name=name, start_time=NOW)
        services.journals.append(new_id(), 0, 1, [RunEntry(run_id=runs[0], new=new)])
        services.journals.append(new_id(), 0, 1, [RunEntry(run_id=runs[1], new=new)])
        experiment = services.experiments.get_by_name(name).experiment_id
        assert [services.runs.get(item).info.experiment_id for item in runs] == [experiment] * 2

    @pytest.mark.parametrize("renamed", [False, True])
    def test_an_experiment_s_id_counts_while_it_is_the_same_one(
        self, services: Services, renamed: bool
    ) -> None:
        name = unique("experiment")
        number = services.experiments.create(name)
        if renamed:
            services.experiments.update(number, unique("renamed"))
        assert self._begun_in(services, number, name) == number

    @pytest.mark.parametrize("there", [False, True])
    def test_an_id_that_is_another_experiment_s_here(self, services: Services, there: bool) -> None:
        other, name = new_experiment(services), unique("experiment")
        number = services.experiments.create(name) if there else ""
        for wrong in (other, "987654321"):
            found = self._begun_in(services, wrong, name)
            assert services.experiments.get(found).name == name
            assert number in ("", found)

    @staticmethod
    def _begun_in(services: Services, experiment_id: str, name: str) -> str:
        run_id = new_id()
        new = NewRun(experiment_id=experiment_id, experiment_name=name, start_time=NOW)
        services.journals.append(new_id(), 0, 1, [RunEntry(run_id=run_id, new=new)])
        return services.runs.get(run_id).info.experiment_id


class TestAmendments:
    """Params that were given another value."""

    def test_the_newest_value_counts_and_the_others_are_told(self, services: Services) -> None:
        run_id, journal = new_run(services, params={"p": "1"}).info.run_id, new_id()
        entry = RunEntry(run_id=run_id, params=[Param("p", "2"), Param("p", "3"), Param("q", "x")])
        services.journals.append(journal, 0, 3, [entry])
        assert services.runs.get(run_id).data.params == {"p": "3", "q": "x"}
        found = services.journals.amendments(run_id)
        assert [(item.key, item.before, item.after) for item in found] == [
            ("p", "1", "2"),
            ("p", "2", "3"),
        ]
        assert all(item.timestamp > 0 for item in found)

    def test_the_same_value_amends_nothing(self, services: Services) -> None:
        run_id = new_run(services, params={"p": "1"}).info.run_id
        entry = RunEntry(run_id=run_id, params=[Param("p", "1"), Param("p", "1")])
        services.journals.append(new_id(), 0, 2, [entry])
        assert services.journals.amendments(run_id) == []

    def test_an_unknown_run_has_none(self, services: Services) -> None:
        with pytest.raises(NotFound):
            services.journals.amendments(new_id())
