"""A run that is being written, how it is found while it is open, and how it ends."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING

from msgspec.structs import replace

from mltrack_jupyter import config
from mltrack_jupyter.entities import (
    NewRun,
    Run,
    RunData,
    RunEntry,
    RunInfo,
    RunInputs,
    RunOutputs,
    RunStatus,
    Tag,
)
from mltrack_jupyter.errors import MltrackError
from mltrack_jupyter.store import rules
from mltrack_jupyter.store.brief import briefly
from mltrack_jupyter.store.journal import Keeper
from mltrack_jupyter.store.names import RUN_NAME
from mltrack_jupyter.store.process import present
from mltrack_jupyter.tracking import places, reasons, session, surroundings, tasks
from mltrack_jupyter.tracking.artifacts import RunFiles
from mltrack_jupyter.tracking.clock import now_ms
from mltrack_jupyter.tracking.scopes import Scopes

if TYPE_CHECKING:
    from mltrack_jupyter.services import Repository, Services

PARENT = "mlflow.parentRunId"


class ActiveRun:
    """A run that is being written; leaving its ``with`` block ends it with the true status.

    ``uri`` is the tracking URI of the store that it is in.
    """

    def __init__(
        self, run: Run, uri: str, parent: ActiveRun | None, experiment_name: str = ""
    ) -> None:
        self._run = run
        self._experiment_name = experiment_name
        self._keeper: Keeper | None = None
        self._root = ""
        self.run_id = run.info.run_id
        self.uri = uri
        self.notes_model = bool(config.setting("MLFLOW_ACTIVE_MODEL_ID"))
        self._pid = os.getpid()
        self._task = tasks.present()
        self.thread = threading.current_thread()
        self.started = run.info.start_time
        self.parent = parent
        self.closed = False
        self.in_with = False
        self.implicit = False
        self.logged: tuple[set[str], set[str]] = (set(), set())
        self.models: dict[int, list[str]] = {}  # the logged models that it made at each step
        self.tables: dict[str, bytes] = {}  # what this process last wrote to each
        self.resumed = False
        self.told = False
        self.on_end: list[Callable[[], None]] = []

    def share(self, outer: ActiveRun) -> None:
        """Know of the run what another scope of it knows, and let that know the rest."""
        self.logged, self.models = outer.logged, outer.models
        self.tables, self.resumed = outer.tables, outer.resumed

    @property
    def run_name(self) -> str:
        """The name that the run was started with."""
        return self._run.info.run_name

    @property
    def experiment(self) -> tuple[str, str]:
        """The id of the experiment, and its name where the id is not known yet."""
        return self._run.info.experiment_id, self._experiment_name

    @property
    def keeper(self) -> Keeper:
        """The keeper of the journal to which this process logs what happens to the run."""
        if self._keeper is None or self._keeper.gone:
            self._keeper = session.keeper(self.uri)
            if self._pid != os.getpid() and (begin := self.begin) is not None:
                self._keeper.journal.entry(begin)
        return self._keeper

    @property
    def begin(self) -> RunEntry | None:
        """The run's begin, to be told once more: another process may be heard before the one that began it is."""
        info = self._run.info
        if not info.start_time:
            return None
        new = NewRun(
            experiment_id=info.experiment_id,
            experiment_name=self._experiment_name,
            user_id=info.user_id,
            start_time=info.start_time,
        )
        tags = [Tag(RUN_NAME, info.run_name)] if info.run_name else []
        return RunEntry(run_id=self.run_id, new=new, tags=tags)

    @property
    def services(self) -> Services:
        """The services of the store that the run is in, whatever the tracking URI is now."""
        return session.services(self.uri)

    @property
    def files(self) -> RunFiles:
        """The artifacts of the run."""
        return RunFiles(self.run_id, self._reach_files, self.keeper)

    def _reach_files(self) -> Repository:
        services = self.services
        if not self._root:  # asked for once: it never changes, and a run has much else to tell
            self._root = services.runs.get(self.run_id).info.artifact_uri
        return services.files_at(self._root, self.run_id)

    def write(self, entry: RunEntry) -> None:
        """Leave an entry in the journal, also when the run has ended; whoever is strict waits for the store."""
        keeper = self.keeper
        keeper.journal.entry(entry)
        keeper.wrote()
        if keeper.strict:
            keeper.flush()

    @property
    def info(self) -> RunInfo:
        """What was known of the run when it was started, and where it is as soon as the store tells."""
        if not self._run.info.artifact_uri and not session.is_known_away(self.uri):
            found = places.find(self._run.info, self.uri)
            self._run = replace(self._run, info=found)
        return self._run.info

    @property
    def data(self) -> RunData:
        """Params, metrics and tags when it was started; ``get_run`` returns what is stored now."""
        return self._run.data

    @property
    def inputs(self) -> RunInputs:
        """What the run had read when it was started."""
        return self._run.inputs

    @property
    def outputs(self) -> RunOutputs:
        """What the run had made when it was started."""
        return self._run.outputs

    @property
    def is_ours(self) -> bool:
        """Whether this process started the run, and not the one that it was forked from."""
        return self._pid == os.getpid()

    @property
    def is_beside(self) -> bool:
        """Whether the run was started by a task that goes on beside the present one."""
        task = self._task() if self._task is not None else None
        return task is not None and not task.done() and self._task != tasks.present()

    def __enter__(self) -> ActiveRun:
        self.in_with = True
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        # A forked child leaves the block as well; the run belongs to the process that started it.
        block = self if not self.closed else _resumed_inside(self)
        if block is not None and block.is_ours:
            status, why = status_of(error), reasons.tags_of(error)
            for run in _ending_with(block, error):
                end(run, status, why)

    def __reduce__(self) -> tuple[type[Run], tuple[object, ...]]:
        # What is written to stays in this process; what is known of the run can go anywhere.
        info = self.info
        return Run, (info, self._run.data, self._run.inputs, self._run.outputs)

    def __repr__(self) -> str:
        state = "ended" if self.closed else "active"
        return f"<ActiveRun {self._run.info.run_name} {self.run_id} ({state})>"


def status_of(error: BaseException | None) -> RunStatus:
    """Return the status that a block deserves which was left with this exception."""
    if reasons.is_good(error):
        return RunStatus.FINISHED
    killed = isinstance(error, KeyboardInterrupt) or tasks.is_cancellation(error)
    return RunStatus.KILLED if killed else RunStatus.FAILED


scopes: Scopes[ActiveRun] = session.default.scopes
current = scopes.current
active_run = scopes.active
own_run = scopes.own
surrounding_block = scopes.surrounding_block
open_runs = scopes.opened
last_run_id = scopes.last_run_id
find = scopes.find
push = scopes.push


def finish_run(run_id: str, status: str = "FINISHED", why: Mapping[str, str] | None = None) -> None:
    """End a run, and what is still open inside it, with a status and the tags that say why."""
    known = rules.final_status(status)
    found = find(run_id)
    if found is None or found.told:
        runs = session.services().runs
        ended = max(now_ms(), runs.get(run_id).info.start_time)
        runs.update(run_id, status=known, end_time=ended)
    for run in open_runs():
        if any(outer.run_id == run_id for outer in scopes.inside(run)):
            end(run, known, why)


def leave(scope: ActiveRun, status: str = "FINISHED") -> None:
    """End an open run, and what is still open inside it, unless another block of this process is in it."""
    known = rules.final_status(status)
    for run in scopes.ending_with(scope):
        end(run, known)


def _ending_with(block: ActiveRun, error: BaseException | None) -> list[ActiveRun]:
    """Return the runs that end with a block that was left with this exception.

    Whose a run is that was left open while a generator waited cannot be told when the generator is closed.
    """
    return [block] if isinstance(error, GeneratorExit) else scopes.ending_with(block)


def _resumed_inside(block: ActiveRun) -> ActiveRun | None:
    """Return where the run of a block goes on that was ended inside it, if that has no block of its own."""
    again = find(block.run_id)
    return again if again is not None and not again.in_with else None


def end(run: ActiveRun, status: RunStatus, why: Mapping[str, str] | None = None) -> None:
    """End one run, with the tags that say why, and leave its scope."""
    # What watches the run writes its last words while the run is open.
    try:
        while run.on_end:
            run.on_end.pop()()
        surroundings.wait(run.run_id)
    finally:  # who is tired of waiting, and interrupts it, wants the end no less
        _close(run, status, why)


def _close(run: ActiveRun, status: RunStatus, why: Mapping[str, str] | None) -> None:
    # Closed first: whatever the store says, the scope is left and cannot be entered again by accident.
    if not scopes.close(run):
        return
    tags = [Tag(key, value) for key, value in (why or {}).items()]
    entry = RunEntry(
        run_id=run.run_id,
        tags=tags,
        process=present(),  # where another one owns the run, the end is for that one to tell
        status=status,
        end_time=max(now_ms(), run.started),  # a clock may be set back
    )
    keeper = run.keeper
    keeper.journal.entry(entry)
    keeper.pulse.runs.discard(run.run_id)
    keeper.wrote()
    keeper.hurry()
    if session.is_strict():
        keeper.flush()
    elif session.is_worker() and not session.is_known_away(run.uri):
        with suppress(MltrackError), briefly(session.HANDING_OVER):
            keeper.flush()  # who is handed the worker's result looks for its run


def end_implicit(status: str, why: Mapping[str, str] | None = None) -> None:
    """End the runs that a log call opened by itself; a notebook does so after each cell."""
    run = active_run()
    while run is not None:
        if run.implicit:
            finish_run(run.run_id, status, why)
        run = scopes.innermost(run.parent)
