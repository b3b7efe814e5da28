"""Writing what was found out about a run beside its user: by its journal, whatever the store does meanwhile."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from mltrack_jupyter.entities import DatasetInput, Metric, Param, RunEntry, RunStatus, Tag
from mltrack_jupyter.tracking import active_model, fluent, scope
from mltrack_jupyter.tracking.artifacts import PathLike
from mltrack_jupyter.tracking.clock import now_ms
from mltrack_jupyter.tracking.logging import write_points
from mltrack_jupyter.tracking.scope import ActiveRun


class RunWriter:
    """Writes to a run that this process has, or had, open: what comes after its end is kept as well.

    ``MltrackError`` is raised for what no store takes, and in strict mode for what a store says.
    """

    def __init__(self, run: ActiveRun) -> None:
        self.run = run

    @property
    def _is_open(self) -> bool:
        return scope.find(self.run.run_id) is not None

    def params(self, values: Mapping[str, str]) -> None:
        """Write params."""
        if self._is_open:
            fluent.log_params(values, run_id=self.run.run_id)
        else:
            self._write(params=[Param(key, value) for key, value in values.items()])

    def metrics(
        self,
        values: Mapping[str, float],
        step: int | None = None,
        models: Collection[str] | None = None,
    ) -> None:
        """Add points, noted to the models that the run made at this step, or to some models that it made."""
        if self._is_open and models is not None and not active_model.get_active_model_id():
            write_points(self.run, values, now_ms(), step or 0, models)
        elif self._is_open:
            fluent.log_metrics(values, step=step, run_id=self.run.run_id)
        else:
            now = now_ms()
            self._write(noted=[Metric(key, value, now, step or 0) for key, value in values.items()])

    def tags(self, values: Mapping[str, str]) -> None:
        """Set tags."""
        if self._is_open:
            fluent.set_tags(values, run_id=self.run.run_id)
        else:
            self._write(tags=[Tag(key, value) for key, value in values.items()])

    def dataset(self, found: DatasetInput) -> None:
        """Record what the run read."""
        self._write(datasets=[found])

    def text(self, text: str, path: str) -> None:
        """Write a text file."""
        self.run.files.write_text(path, text)

    def folder(self, folder: PathLike, path: str) -> None:
        """Copy what is in a folder below a path."""
        self.run.files.add_content(folder, path)

    def end(self, status: RunStatus, why: Mapping[str, str]) -> None:
        """End the run, with the tags that say why; one that was ended inside its cell ends so after all."""
        if self._is_open:
            scope.finish_run(self.run.run_id, status.value, why)
        else:
            tags = [Tag(key, value) for key, value in why.items()]
            self._write(tags=tags, status=status, end_time=max(now_ms(), self.run.started))

    def _write(self, **fields: object) -> None:
        self.run.write(RunEntry(run_id=self.run.run_id, **fields))  # type: ignore[arg-type]
