"""MLflow's SQLite database as a source: read with plain SQL, whatever MLflow wrote it, never written."""

from __future__ import annotations

import math
import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from mltrack_jupyter.entities import (
    Dataset,
    DatasetInput,
    Experiment,
    Metric,
    ModelInput,
    ModelOutput,
    Param,
    Run,
    RunData,
    RunInfo,
    RunInputs,
    RunOutputs,
    Tag,
)
from mltrack_jupyter.store.artifacts import PROXY, LocalFiles, local_path, scheme_of
from mltrack_jupyter.transfer import mlflow_database_models
from mltrack_jupyter.transfer.files import Files, is_there, not_copied
from mltrack_jupyter.transfer.reading import UnreadableError, old_tags, status_of
from mltrack_jupyter.transfer.rows import Rows, number, text
from mltrack_jupyter.transfer.snapshots import Snapshot
from mltrack_jupyter.transfer.source import Broken, ModelRecord, RegisteredRecord, RunRecord

_LARGEST = 1.7976931348623157e308


class MlflowDatabaseSource:
    """An SQLite database of an MLflow server or script.

    Artifacts are read from the folders that the user named, and from the folder of the database where they
    lie as MLflow puts them: a path in a foreign database is a claim, not a permission.
    """

    def __init__(self, snapshot: Snapshot, artifacts: Sequence[Path] = ()) -> None:
        self.notes: list[str] = []
        self.left: list[Broken] = []
        self._snapshot = snapshot
        self._rows = Rows(snapshot.connect())
        self._home = Path(os.path.realpath(snapshot.source)).parent
        self._named = [Path(os.path.realpath(folder)) for folder in artifacts]
        self._proxied = self._named[0] if self._named else self._home / "mlartifacts"

    def experiments(self) -> Iterator[Experiment | Broken]:
        """Return every experiment, deleted ones too."""
        for row in self._rows.all("experiments", order="experiment_id"):
            try:
                yield self._experiment(row)
            except UnreadableError as error:
                yield Broken(f"experiment {text(row, 'name')!r}", str(error))

    def _experiment(self, row: dict[str, Any]) -> Experiment:
        tags = self._rows.where("experiment_tags", experiment_id=row["experiment_id"])
        return Experiment(
            experiment_id=str(number(row, "experiment_id")),
            name=text(row, "name"),
            artifact_location=text(row, "artifact_location"),
            lifecycle_stage=text(row, "lifecycle_stage") or "active",
            creation_time=number(row, "creation_time"),
            last_update_time=number(row, "last_update_time"),
            tag_list=[Tag(text(tag, "key"), text(tag, "value")) for tag in tags],
        )

    def runs(self, experiment: Experiment) -> Iterator[RunRecord | Broken]:
        """Return the runs of an experiment, deleted ones too."""
        try:
            found = self._rows.where("runs", experiment_id=int(experiment.experiment_id))
        except UnreadableError as error:
            yield Broken(f"the runs of experiment {experiment.name!r}", str(error))
            return
        ids = [text(row, "run_uuid") for row in found]
        for run_id in ids:
            try:
                run = self._run(run_id)
            except UnreadableError as error:
                yield Broken(f"run {run_id}", str(error))
                continue
            files = self.files(run.info.artifact_uri, f"run {run_id}")
            yield RunRecord(run, _same(run), self._points(run_id), files)

    def _run(self, run_id: str) -> Run:
        row = self._rows.where("runs", run_uuid=run_id)[0]
        tags = {text(item, "key"): text(item, "value") for item in self._of_run("tags", run_id)}
        return Run(
            info=RunInfo(
                run_id=run_id,
                run_name=text(row, "name"),
                experiment_id=text(row, "experiment_id"),
                user_id=text(row, "user_id"),
                status=status_of(row.get("status") or "RUNNING"),
                start_time=number(row, "start_time"),
                end_time=None if row.get("end_time") is None else number(row, "end_time"),
                artifact_uri=text(row, "artifact_uri"),
                lifecycle_stage=text(row, "lifecycle_stage") or "active",
            ),
            data=RunData(
                metric_list=self._last_points(run_id),
                param_list=[
                    Param(text(item, "key"), text(item, "value"))
                    for item in self._of_run("params", run_id)
                ],
                tag_list=[Tag(key, value) for key, value in (old_tags(row) | tags).items()],
            ),
            inputs=self._inputs(run_id),
            outputs=self._outputs(run_id),
        )

    def _of_run(self, table: str, run_id: str) -> list[dict[str, Any]]:
        return self._rows.where(table, run_uuid=run_id)

    def _points(self, run_id: str) -> Callable[[], Iterator[Metric]]:
        return lambda: self._readable(run_id, self._of_run("metrics", run_id))

    def _readable(self, run_id: str, rows: list[dict[str, Any]]) -> Iterator[Metric]:
        for row in rows:
            try:
                yield _point(row)
            except UnreadableError as error:
                self.notes.append(
                    f"run {run_id}: a point of {text(row, 'key')!r} is left out: {error}"
                )

    def _last_points(self, run_id: str) -> list[Metric]:
        """Return enough to notice that a history has grown: before 2019 only how long each one is."""
        if "latest_metrics" in self._rows.tables:
            return list(self._readable(run_id, self._of_run("latest_metrics", run_id)))
        lengths = Counter(text(row, "key") for row in self._of_run("metrics", run_id))
        return [Metric(key, float(count), 0) for key, count in sorted(lengths.items())]

    def _inputs(self, run_id: str) -> RunInputs:
        datasets: list[DatasetInput] = []
        for link in self._rows.where("inputs", destination_id=run_id):
            if link["source_type"] == "DATASET":
                found = self._rows.where("datasets", dataset_uuid=link["source_id"])
                tags = self._rows.where("input_tags", input_uuid=link["input_uuid"])
                labels = [Tag(text(tag, "name"), text(tag, "value")) for tag in tags]
                datasets += [DatasetInput(dataset=_dataset(row), tags=labels) for row in found]
        models = [
            ModelInput(text(link, "destination_id"))
            for link in self._rows.where("inputs", source_id=run_id)
            if link["destination_type"] == "MODEL_INPUT"
        ]
        return RunInputs(dataset_inputs=datasets, model_inputs=models)

    def _outputs(self, run_id: str) -> RunOutputs:
        made = [
            ModelOutput(text(link, "destination_id"), number(link, "step"))
            for link in self._rows.where("inputs", source_id=run_id)
            if link["destination_type"] == "MODEL_OUTPUT"
        ]
        return RunOutputs(model_outputs=made)

    def logged_models(self, experiment: Experiment) -> Iterator[ModelRecord | Broken]:
        """Return the logged models of an experiment (MLflow 3)."""
        found = self._rows.where("logged_models", experiment_id=int(experiment.experiment_id))
        for row in found:
            if row.get("lifecycle_stage", "active") == "active":
                what = f"logged model {text(row, 'model_id')}"
                try:
                    model = mlflow_database_models.logged_model(self._rows, row)
                except UnreadableError as error:
                    yield Broken(what, str(error))
                    continue
                yield ModelRecord(model, self.files(model.info.artifact_uri, what))

    def registered_models(self) -> Iterator[RegisteredRecord | Broken]:
        """Return every registered model."""
        yield from mlflow_database_models.registered_models(self._rows)

    def files(self, uri: str, what: str) -> Files | None:
        """Return the files behind an artifact URI, if they are where this source may read."""
        scheme = scheme_of(uri)
        if not uri:
            return None
        if scheme == PROXY:
            place = self._proxied / uri.partition(":")[2].strip("/")
        elif scheme in ("", "file"):
            place = self._home / local_path(uri)  # a relative path begins at the database
        else:
            self.notes.append(f"{what}: its artifacts stay at {uri}")
            return None
        for root in (*self._named, self._home):
            if root == self._home and not uri.endswith(f"/{what.rpartition(' ')[2]}/artifacts"):
                continue  # no place where MLflow puts a run's artifacts
            for way in (place, Path(os.path.realpath(place))):
                if way.is_relative_to(root) and ".." not in way.parts:
                    return LocalFiles(way, root, self._skipped(what))
        reason = not_copied(uri, self._snapshot.source)
        if is_there(uri):
            self.left.append(Broken(what, reason))
        else:
            self.notes.append(f"{what}: {reason}")
        return None

    def _skipped(self, what: str) -> Callable[[str], None]:
        return lambda text: self.notes.append(f"{what}: left out: {text}")

    def close(self) -> None:
        """Close the database, and remove the copy of it."""
        self._rows.close()
        self._snapshot.close()


def _point(row: dict[str, Any]) -> Metric:
    try:
        value = math.nan if row.get("is_nan") else float(row["value"])
    except (TypeError, ValueError) as error:
        raise UnreadableError(f"its value is no number: {row['value']!r}") from error
    if abs(value) == _LARGEST:  # MLflow writes an infinity as the largest float
        value = math.copysign(math.inf, value)
    return Metric(text(row, "key"), value, number(row, "timestamp"), number(row, "step"))


def _dataset(row: dict[str, Any]) -> Dataset:
    return Dataset(
        name=text(row, "name"),
        digest=text(row, "digest"),
        source_type=text(row, "dataset_source_type"),
        source=text(row, "dataset_source"),
        schema=text(row, "dataset_schema"),
        profile=text(row, "dataset_profile"),
    )


def _same(run: Run) -> Callable[[], Run]:
    return lambda: run
