"""What a run stands on, recorded beside it: the commit, what was changed since, and the environment.

A thread looks and writes, so that whoever starts a run does not wait; the end of the run does, for at
most three seconds.
"""

from __future__ import annotations

import io
import json
import os
import sys
import threading
import time
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from mltrack_jupyter import config
from mltrack_jupyter.entities import RunEntry, Tag
from mltrack_jupyter.errors import MltrackError
from mltrack_jupyter.store.journal import Keeper
from mltrack_jupyter.tracking import beside
from mltrack_jupyter.tracking.artifacts import RunFiles
from mltrack_jupyter.tracking.redact import redact

if TYPE_CHECKING:
    from mltrack_jupyter.tracking.git import GitState

DIFF = "source/uncommitted.diff"
LOCK = "environment/requirements.lock"
ENVIRONMENT = "environment/environment.json"
_OFF = ("0", "false", "no", "off")
SAME = "mltrack.environment.run_id"
"""The tag with the id of the run of the same process that has the same files."""
_SECONDS = 3.0
_PAUSE = 0.3
"""How long to let whoever starts a run go ahead, in seconds: looking at the packages is work."""


@dataclass(frozen=True)
class Moment:
    """A folder in a repository, and what its state belongs to: it is looked at once for each."""

    folder: Path
    what: object = "script"


def moment_of_script() -> Moment:
    """Return the folder of the script: Python read it once, and so is its repository."""
    return _moment_of(sys.argv[0] if sys.argv else "", config.working_folder())


@lru_cache(maxsize=1)
def _moment_of(script: str, here: Path) -> Moment:
    place = here / script
    return Moment(place.parent if script and place.is_file() else here)


_moment: Callable[[], Moment] = moment_of_script
_known: tuple[Moment, GitState | None] | None = None
_looking = threading.Lock()
_threads: dict[str, tuple[threading.Thread, threading.Event]] = {}
_holders: dict[Hashable, str] = {}


def set_moment_provider(provider: Callable[[], Moment]) -> None:
    """Choose who tells where git is asked: a script's folder, or a notebook's."""
    global _moment
    _moment = provider


class Recorded(Protocol):
    """A run of this process, as far as it matters here."""

    run_id: str
    uri: str

    @property
    def keeper(self) -> Keeper:
        """The keeper of the journal that the run is logged to."""
        ...

    @property
    def files(self) -> RunFiles:
        """The artifacts of the run."""
        ...


def record(run: Recorded, *, whole: bool) -> None:
    """Begin to record what a run stands on; ``whole`` for its files as well, which children need not repeat.

    Runs of one process that stand on the same have the files once, and name the run that has them.
    """
    whole = whole and config.setting("MLTRACK_RECORD_ENVIRONMENT").lower() not in _OFF
    moment = _moment()
    known = _known
    if known is not None and known[0] == moment:
        _tag(run, known[1].tags if known[1] is not None else {})
        if not whole or _is_told(run, known[1]):
            return
    go = threading.Event()
    thread = threading.Thread(
        target=_write, args=(run, moment, whole, go), name="mltrack-context", daemon=True
    )
    _threads[run.run_id] = thread, go
    thread.start()


def wait(run_id: str) -> None:
    """Wait until what a run stands on has been recorded, three seconds at most."""
    thread, go = _threads.pop(run_id, (None, None))
    if thread is not None and go is not None:
        go.set()
        thread.join(_SECONDS)


def _tag(run: Recorded, tags: Mapping[str, str]) -> None:
    if tags:
        pairs = [Tag(key, value) for key, value in tags.items()]
        run.keeper.journal.entry(RunEntry(run_id=run.run_id, tags=pairs))
        run.keeper.wrote()


def _is_told(run: Recorded, state: GitState | None) -> bool:
    """Tag a run with the one that has the same files, if there is one already."""
    other = _holders.get(_files_of(run.uri, state))
    if other is None:
        return False
    _tag(run, {SAME: other})
    return True


def _files_of(uri: str, state: GitState | None) -> Hashable:
    source = (state.root, state.tags.get("mlflow.source.git.commit")) if state is not None else ()
    changed = id(state) if state is not None and state.dirty else 0
    return uri, source, changed, _versions()


def _write(run: Recorded, moment: Moment, whole: bool, go: threading.Event) -> None:
    go.wait(_PAUSE)
    new = _known is None or _known[0] != moment
    state = _state(moment)
    try:
        if new and state is not None:
            _tag(run, state.tags)
        if whole and not _is_told(run, state):
            files = run.files
            with beside.inside:
                for path, text in _texts(state).items():
                    files.write(path, io.BytesIO(text.encode()))
            _holders[_files_of(run.uri, state)] = run.run_id
    except MltrackError:
        # The run itself tells if its store is away; this is only what stands beside it.
        return


def _texts(state: GitState | None) -> dict[str, str]:
    texts = dict(_environment())
    if state is not None and state.dirty:
        from mltrack_jupyter.tracking.git import read_diff

        texts[DIFF] = redact(read_diff(state.root))
    return texts


def _state(moment: Moment) -> GitState | None:
    global _known
    from mltrack_jupyter.tracking.git import read_git

    with _looking:
        if _known is None or _known[0] != moment:
            _known = moment, read_git(moment.folder)
        return _known[1]


def _environment() -> dict[str, str]:
    return _environment_of(_versions())


def _versions() -> tuple[int, ...]:
    """Return when the folders of packages changed; looked at once a second at most."""
    return _versions_at(tuple(sys.path), int(time.monotonic()))


@lru_cache(maxsize=1)
def _versions_at(places: tuple[str, ...], _second: int) -> tuple[int, ...]:
    return tuple(map(_changed, places))


@lru_cache(maxsize=1)
def _environment_of(_version: tuple[int, ...]) -> dict[str, str]:
    from mltrack_jupyter.tracking import environment  # reads what is installed: work for the thread

    described = json.dumps(environment.describe(), indent=2)
    return {LOCK: "\n".join([*environment.packages(), ""]), ENVIRONMENT: described}


def _changed(place: str) -> int:
    """Return when packages were last put into a folder (ns), 0 if it is none."""
    try:
        return Path(place).stat().st_mtime_ns
    except OSError:
        return 0


def _forget_after_fork() -> None:
    # The threads of the parent do not run in its child, and may have held the lock.
    global _looking
    _looking = threading.Lock()
    _threads.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_after_fork)
