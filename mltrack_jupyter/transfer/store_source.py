"""Any store or server as a source: ours, or an MLflow server, through the same services."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TypeVar

from msgspec.structs import replace

from mltrack_jupyter.entities import (
    Amendment,
    Experiment,
    Metric,
    ModelVersion,
    Page,
    RegisteredModel,
    Run,
    ViewType,
)
from mltrack_jupyter.errors import EndpointNotFound, InvalidParameter, NotImplementedHere
from mltrack_jupyter.services import Services
from mltrack_jupyter.store import StoreUri
from mltrack_jupyter.store.artifacts import PROXY, RunServed, scheme_of
from mltrack_jupyter.transfer.files import Files, files_at, not_copied
from mltrack_jupyter.transfer.source import Broken, ModelRecord, RegisteredRecord, RunRecord

T = TypeVar("T")
_POINTS = 25_000
_PROMPTS = "tags.`mlflow.prompt.is_prompt` = 'true'"


class StoreSource:
    """A source that is asked through services. ``place`` is the file of a database that is read here."""

    place = ""

    def __init__(self, services: Services) -> None:
        self._services = services
        self.notes: list[str] = []
        self.left: list[Broken] = []

    def experiments(self) -> Iterator[Experiment | Broken]:
        """Return every experiment, deleted ones too."""
        search = self._services.experiments.search
        yield from _pages(
            lambda token: search(max_results=1000, page_token=token, view_type=ViewType.ALL)
        )

    def logged_models(self, experiment: Experiment) -> Iterator[ModelRecord | Broken]:
        """Return the logged models of an experiment; old servers have none."""
        search = self._services.logged_models.search
        ids = [experiment.experiment_id]
        try:
            for model in _pages(lambda token: search(ids, max_results=50, page_token=token)):
                uri = model.info.artifact_uri
                here = scheme_of(uri) in (PROXY, "", "file")
                what = f"logged model {model.info.model_id}"
                files = self._reached(uri, what) if here else None
                if files is None and not (self.left and self.left[-1].what == what):
                    self.notes.append(
                        f"logged model {model.info.model_id}: its files stay at {uri}"
                    )
                yield ModelRecord(model, files)
        except (EndpointNotFound, NotImplementedHere):
            return

    def runs(self, experiment: Experiment) -> Iterator[RunRecord | Broken]:
        """Return the runs of an experiment, deleted ones too."""
        search = self._services.runs.search
        ids = [experiment.experiment_id]
        for run in _pages(
            lambda token: search(ids, run_view_type=ViewType.ALL, max_results=500, page_token=token)
        ):
            files, amendments = self._files(run), self._amendments(run)
            yield RunRecord(run, self._whole(run), self._points(run), files, amendments)

    def _whole(self, run: Run) -> Callable[[], Run]:
        # Searches leave out which models a run read.
        return lambda: self._services.runs.get(run.info.run_id)

    def _amendments(self, run: Run) -> Callable[[], list[Amendment]]:
        def read() -> list[Amendment]:
            try:
                return self._services.journals.amendments(run.info.run_id)
            except (EndpointNotFound, NotImplementedHere):  # an MLflow server
                return []

        return read

    def _points(self, run: Run) -> Callable[[], Iterator[Metric]]:
        def read() -> Iterator[Metric]:
            for key in run.data.metrics:
                yield from _pages(partial(_history, self._services, run.info.run_id, key))

        return read

    def _files(self, run: Run) -> Files | None:
        uri = run.info.artifact_uri
        if scheme_of(uri) in (PROXY, "", "file"):
            if self.place and self._reached(uri, f"run {run.info.run_id}") is None:
                return None
            if not StoreUri.of(self._services.uri).is_server:
                # Without its models, which come by themselves.
                return self._services.files_at(uri, "")
            return RunServed(self._services.run_artifacts, run.info.run_id)
        self.notes.append(f"run {run.info.run_id}: its artifacts stay at {uri}")
        return None

    def _reached(self, uri: str, what: str) -> Files | None:
        """Return the files at a place of the store; none where nobody but a row in it names the place."""
        try:
            return files_at(self._services, uri)
        except InvalidParameter:
            self.left.append(Broken(what, not_copied(uri, self.place or self._services.uri)))
            return None

    def registered_models(self) -> Iterator[RegisteredRecord | Broken]:
        """Return every registered model, prompts included."""
        for wanted in ("", _PROMPTS):
            for model in _pages(partial(_registered, self._services, wanted)):
                yield RegisteredRecord(model, self._versions(model))

    def _versions(self, model: RegisteredModel) -> list[ModelVersion]:
        search = self._services.model_versions.search
        quote = '"' if "'" in model.name else "'"
        wanted = f"name = {quote}{model.name}{quote}"
        found = _pages(lambda token: search(wanted, max_results=1000, page_token=token))
        return [with_aliases(version, model) for version in found]

    def close(self) -> None:
        """Close the store."""
        self._services.close()


def with_aliases(version: ModelVersion, model: RegisteredModel) -> ModelVersion:
    """Return a version with the aliases by which its model points at it."""
    names = [alias for alias, number in model.aliases.items() if number == version.version]
    return replace(version, aliases=sorted({*names, *version.aliases}))


def _history(services: Services, run_id: str, key: str, token: str) -> Page[Metric]:
    return services.metrics.history(run_id, key, page_token=token, max_results=_POINTS)


def _registered(services: Services, wanted: str, token: str) -> Page[RegisteredModel]:
    return services.registered_models.search(wanted, max_results=1000, page_token=token)


def _pages(ask: Callable[[str], Page[T]]) -> Iterator[T]:
    token = ""
    while True:
        page = ask(token)
        yield from page.items
        token = page.next_page_token
        if not token:
            return
