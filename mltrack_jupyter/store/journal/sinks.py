"""Where journals are handed over to: a store of ours, or a server that knows MLflow's operations only."""

from __future__ import annotations

import logging
import os
import re
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol

from mltrack_jupyter.entities import Metric, NewRun, Param, Refusal, RunEntry, Tag, ViewType
from mltrack_jupyter.entities.journal import spelled_out
from mltrack_jupyter.errors import (
    EndpointNotFound,
    ForeignAnswer,
    InvalidParameter,
    MltrackError,
    NotFound,
    NotImplementedHere,
    ServerUnreachable,
    StoreUnreadable,
    TooManyRequests,
    Unavailable,
)
from mltrack_jupyter.store import rules
from mltrack_jupyter.store.journal.brought import bring
from mltrack_jupyter.store.journal.folder import Folder
from mltrack_jupyter.store.names import RUN_NAME, quoted
from mltrack_jupyter.store.uri import StoreUri

if TYPE_CHECKING:
    from mltrack_jupyter.services import Services

log = logging.getLogger("mltrack_jupyter")
_AMENDED = "mltrack.amended."
"""Before the name of a param, the tag with its newest value on a server that never changes one."""
_OF_MODEL = re.compile(r"\Amodels/m-[0-9a-f]{32}/")
"""How the paths of files of a model begin that was made while the store was away."""
_CHOSEN = "mltrack.run_id"
"""The tag with the id that a run was begun under while its server, which gives its own ids, was away."""

_MAX_TAG = 5_000


class Sink(Protocol):
    """Takes over batches of entries."""

    def position(self, journal_id: str) -> int:
        """Return how far a journal was taken over."""
        ...

    def append(
        self, journal_id: str, since: int, upto: int, entries: list[RunEntry]
    ) -> list[Refusal] | None:
        """Take over a batch and return what was refused; ``None`` if the journal is not at ``since``."""
        ...

    def upload(self, run_id: str, path: str, body: BinaryIO) -> None:
        """Take over an artifact."""
        ...

    def check(self, run_id: str) -> None:
        """Raise ``MltrackError`` if nothing can be asked about a run now."""
        ...

    def forget(self, journal_id: str) -> None:
        """Hear that a journal is complete."""
        ...

    def reap(self) -> None:
        """End the runs of processes that are gone."""
        ...


class StoreSink:
    """A store of ours, here or behind a server: a batch is one transaction."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._owed: list[RunEntry] = []

    def position(self, journal_id: str) -> int:
        """Ask the store."""
        return self._services.journals.position(journal_id).position

    def append(
        self, journal_id: str, since: int, upto: int, entries: list[RunEntry]
    ) -> list[Refusal] | None:
        """Write a batch in one transaction."""
        if is_remote(self._services):
            entries = spelled_out(entries)
        found = self._services.journals.append(journal_id, since, upto, entries)
        if found.position != upto:
            return None
        if found.missing:
            self._owed += [entry for entry in entries if entry.shared]
        self._bring()
        return found.refused

    def _bring(self) -> None:
        """Bring shared files that the store has lost; what cannot be brought now is tried with the next batch."""
        while self._owed:
            entry = self._owed[0]
            try:
                lost = bring(self._services.run_artifacts, entry)
            except MltrackError as error:
                if is_away(error):
                    return
                lost = list(entry.shared)
            if lost:
                log.warning(
                    "mltrack: the store has no files %s of the run %s any more, and nobody can bring them.",
                    ", ".join(lost), entry.run_id,
                )  # fmt: skip
            del self._owed[0]

    def upload(self, run_id: str, path: str, body: BinaryIO) -> None:
        """Write a file into the artifacts of its run."""
        uri = self._services.runs.get(run_id).info.artifact_uri
        self._services.files_at(uri, run_id).write(path, body)

    def check(self, run_id: str) -> None:
        """Ask for the run."""
        self._services.runs.get(run_id)

    def forget(self, journal_id: str) -> None:
        """Tell the store."""
        self._services.journals.forget(journal_id)

    def reap(self) -> None:
        """Let the store look for the processes that it was told of."""
        self._services.leases.reap()


class MlflowSink:
    """A genuine MLflow server. Its operations change nothing the second time, but it chooses run ids itself."""

    def __init__(self, services: Services, folder: Path) -> None:
        self._services = services
        self._folder = folder
        self._ids: dict[str, str] = {}

    def position(self, journal_id: str) -> int:
        """Read what was noted beside the journal."""
        try:
            with Folder.open(self._folder) as folder, open(folder.take(_note(journal_id))) as file:
                return int(file.read(40))
        except (FileNotFoundError, ValueError):
            return 0
        except OSError as error:
            raise StoreUnreadable(f"How far a journal was read cannot be told: {error}.") from error

    def append(
        self,
        journal_id: str,
        since: int,  # noqa: ARG002 - there is nobody to ask
        upto: int,
        entries: list[RunEntry],
    ) -> list[Refusal] | None:
        """Write a batch run by run, then note beside the journal how far that is."""
        refused = []
        for entry in spelled_out(entries):
            refused += [Refusal(entry.run_id, reason) for reason in self._write(entry)]
        new = f"{uuid.uuid4().hex}.new"
        with Folder.open(self._folder, make=True) as folder:
            with open(folder.create(new, os.O_WRONLY), "w") as file:
                file.write(str(upto))
            folder.rename(new, _note(journal_id))
        return refused

    def upload(self, run_id: str, path: str, body: BinaryIO) -> None:
        """Write a file into the artifacts of its run."""
        uri = self._services.runs.get(self._id(run_id)).info.artifact_uri
        # There a model that was made meanwhile is where it was logged to: ids are the server's to give.
        self._services.files_at(uri, run_id).write(_OF_MODEL.sub("", path), body)

    def check(self, run_id: str) -> None:
        """Ask for the run."""
        self._services.runs.get(self._id(run_id))

    def forget(self, journal_id: str) -> None:
        """Remove the note."""
        try:
            with Folder.open(self._folder) as folder:
                handle = folder.take(_note(journal_id))
                try:
                    folder.remove(_note(journal_id), handle)
                finally:
                    os.close(handle)
        except OSError:
            pass  # it is gone, or not ours

    def reap(self) -> None:
        """Leave the runs as they are: such a server knows nothing of processes."""

    def _write(self, entry: RunEntry) -> Iterator[str]:
        """Write an entry in parts; yield why a part was refused."""
        runs = self._services.runs
        try:
            run_id = self._create(entry) if entry.new is not None else self._id(entry.run_id)
        except MltrackError as error:
            if is_away(error):
                raise
            yield error.message
            return
        named = [Tag(rules.MODEL_TAG, made.record.to_tag()) for made in entry.made]
        yield from self._write_parts(run_id, "metrics", [*_points(entry), *entry.noted], 1000)
        yield from self._write_parts(run_id, "tags", _last([*entry.tags, *named]), 100)
        yield from self._write_params(run_id, entry.params)
        if entry.datasets or entry.models:
            yield from self._newer(
                run_id, lambda: runs.log_inputs(run_id, entry.datasets, entry.models)
            )
        for made in entry.outputs:  # one by one: the server refuses all of them for one that it has
            if made not in runs.get(run_id).outputs.model_outputs:
                yield from self._newer(run_id, lambda made=made: runs.log_outputs(run_id, [made]))
        if entry.status is not None:
            status, end = entry.status, entry.end_time
            yield from _refusal(lambda: runs.update(run_id, status=status, end_time=end))

    def _write_parts(
        self, run_id: str, kind: str, items: Sequence[Any], size: int
    ) -> Iterator[str]:
        """Write points or tags in batches; one that is refused must not lose the others of its batch."""
        log = self._services.runs.log_batch
        for part in _parts(items, size):
            try:
                yield from _refusal(lambda part=part: log(run_id, **{kind: part}), InvalidParameter)
            except InvalidParameter:
                for item in part:
                    yield from _refusal(lambda item=item: log(run_id, **{kind: [_short(item)]}))

    def _newer(self, run_id: str, call: Any) -> Iterator[str]:
        """Call what old servers do not have: they say so in the words of any proxy."""
        why = ""
        for _ in range(2):
            try:
                yield from _refusal(call)
            except EndpointNotFound as error:
                self._services.runs.get(
                    run_id
                )  # or raises the same, where nobody is behind the proxy
                why = error.message
            else:
                return
        yield why

    def _write_params(self, run_id: str, params: Sequence[Param]) -> Iterator[str]:
        """Write params; one that has another value already, which there never changes, goes into a tag."""
        log = self._services.runs.log_batch
        for param in params:
            refused = list(_refusal(lambda param=param: log(run_id, params=[param])))
            tag = Tag(f"{_AMENDED}{param.key}"[: rules.MAX_KEY], param.value)
            if refused and list(_refusal(lambda tag=tag: log(run_id, tags=[tag]))):
                yield from refused

    def _create(self, entry: RunEntry) -> str:
        assert entry.new is not None
        try:
            return self._id(entry.run_id)
        except NotFound:
            pass
        names = {tag.key: tag.value for tag in entry.tags}
        run = self._services.runs.create(
            experiment_id=self._experiment(entry.new),
            user_id=entry.new.user_id,
            start_time=entry.new.start_time,
            run_name=names.get(RUN_NAME, ""),
            tags=[Tag(_CHOSEN, entry.run_id)],
        )
        self._ids[entry.run_id] = run.info.run_id
        return run.info.run_id

    def _experiment(self, new: NewRun) -> str:
        experiments = self._services.experiments
        if not new.experiment_name:
            return new.experiment_id
        try:
            return experiments.get_by_name(new.experiment_name).experiment_id
        except NotFound:
            pass
        if new.experiment_id:
            try:  # it was given another name meanwhile
                return experiments.get(new.experiment_id).experiment_id
            except NotFound:
                pass
        return experiments.create(new.experiment_name)

    def _id(self, chosen: str) -> str:
        """Return the id that the server gave a run. Raises ``NotFound``."""
        if chosen not in self._ids:
            try:
                self._ids[chosen] = self._services.runs.get(chosen).info.run_id
            except NotFound:
                self._ids[chosen] = self._search(chosen)
        return self._ids[chosen]

    def _search(self, chosen: str) -> str:
        experiments = self._services.experiments.search(1000, view_type=ViewType.ALL).items
        found = self._services.runs.search(
            [item.experiment_id for item in experiments],
            f"tags.`{_CHOSEN}` = {quoted(chosen)}",
            ViewType.ALL,
            1,
        )
        for run in found:
            return run.info.run_id
        raise NotFound(f"Run with id={chosen} not found.")


def _note(journal_id: str) -> str:
    """Return the name of the file that says how far a journal was read."""
    return f"{journal_id}.position"


def _refusal(call: Any, *raised: type[MltrackError]) -> Iterator[str]:
    try:
        call()
    except MltrackError as error:
        if is_away(error) or isinstance(error, raised):
            raise
        yield error.message


def _points(entry: RunEntry) -> list[Metric]:
    return [
        Metric(points.key, value, timestamp, step)
        for points in entry.points
        for step, timestamp, value in zip(
            points.steps, points.timestamps, points.values, strict=True
        )
    ]


def _short(item: Any) -> Any:
    """Return a tag no longer than MLflow's servers take it, and anything else as it is."""
    if isinstance(item, Tag) and len(item.value) > _MAX_TAG:
        return Tag(item.key, item.value[: _MAX_TAG - 1] + "…")
    return item


def _last(tags: Sequence[Tag]) -> list[Tag]:
    return list({tag.key: tag for tag in tags}.values())


def _parts(items: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    for first in range(0, len(items), size):
        yield items[first : first + size]


def is_away(error: MltrackError) -> bool:
    """Tell whether an error says that the store cannot take anything now, rather than not this.

    What is no tracking server, or none at this address, has not judged what it was sent. A store that
    forbids something has: it forbids that, and takes everything else.
    """
    if isinstance(error, NotImplementedHere):  # a server that hands no artifacts on never will
        return False
    foreign = isinstance(error, ForeignAnswer | EndpointNotFound)
    return foreign or error.status >= 500 or error.status in (401, 408, 429)


def is_absent(error: MltrackError) -> bool:
    """Tell whether an error says that nobody answers at present: reason to wait, not to think again."""
    return isinstance(error, ServerUnreachable | TooManyRequests) or type(error) is Unavailable


def is_remote(services: Services) -> bool:
    """Tell whether a store is behind a server."""
    return StoreUri.of(services.uri).is_server


def sink_of(services: Services, folder: Path) -> Sink:
    """Return the sink of a store: ours, unless the server there knows MLflow's operations only."""
    if is_remote(services):
        try:
            services.workspace.info()
        except (EndpointNotFound, NotFound):
            if _is_mlflow(services):
                return MlflowSink(services, folder)
    return StoreSink(services)


def _is_mlflow(services: Services) -> bool:
    """Tell whether a server knows MLflow's operations and none of ours, and is not a proxy that knows none.

    Raises ``EndpointNotFound`` where neither is answered.
    """
    services.experiments.search(1)
    try:
        services.workspace.info()
    except (EndpointNotFound, NotFound):
        return True
    return False


__all__ = ["MlflowSink", "Sink", "StoreSink", "is_absent", "is_away", "sink_of"]
