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
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from mltrack_jupyter import config
from mltrack_jupyter.entities import Tag
from mltrack_jupyter.errors import MltrackError
from mltrack_jupyter.services import Services
from mltrack_jupyter.tracking import beside, environment
from mltrack_jupyter.tracking.artifacts import RunFiles
from mltrack_jupyter.tracking.git import GitState, read_diff, read_git
from mltrack_jupyter.tracking.redact import redact

DIFF = "source/uncommitted.diff"
LOCK = "environment/requirements.lock"
ENVIRONMENT = "environment/environment.json"
_SECONDS = 3.0


@dataclass(frozen=True)
class Moment:
    """A folder in a repository, and what its state belongs to: it is looked at once for each."""

    folder: Path
    what: object = "script"


def moment_of_script() -> Moment:
    """Return the folder of the script: Python read it once, and so is its repository."""
    script = Path(sys.argv[0]) if sys.argv and sys.argv[0] else None
    here = config.working_folder()
    return Moment((here / script).parent if script is not None and script.is_file() else here)


_moment: Callable[[], Moment] = moment_of_script
_known: tuple[Moment, GitState | None] | None = None
_looking = threading.Lock()
_threads: dict[str, threading.Thread] = {}


def set_moment_provider(provider: Callable[[], Moment]) -> None:
    """Choose who tells where git is asked: a script's folder, or a notebook's."""
    global _moment
    _moment = provider


def record(services: Services, run_id: str, *, whole: bool) -> None:
    """Begin to record what a run stands on; ``whole`` for its files as well, which children need not repeat."""
    arguments = (services, run_id, _moment(), whole)
    thread = threading.Thread(target=_write, args=arguments, name="mltrack-context", daemon=True)
    _threads[run_id] = thread
    thread.start()


def wait(run_id: str) -> None:
    """Wait until what a run stands on has been recorded, three seconds at most."""
    thread = _threads.pop(run_id, None)
    if thread is not None:
        thread.join(_SECONDS)


def _write(services: Services, run_id: str, moment: Moment, whole: bool) -> None:
    state = _state(moment)
    tags = [Tag(key, value) for key, value in state.tags.items()] if state is not None else []
    texts = _texts(state) if whole else {}
    try:
        with beside.inside:
            if tags:
                services.runs.log_batch(run_id, tags=tags)
            files = RunFiles(services, run_id)
            for path, text in texts.items():
                files.write(path, io.BytesIO(text.encode()))
    except MltrackError:
        # The run itself tells if its store is away; this is only what stands beside it.
        return


def _texts(state: GitState | None) -> dict[str, str]:
    texts = dict(_environment())
    if state is not None and state.dirty:
        texts[DIFF] = redact(read_diff(state.root))
    return texts


def _state(moment: Moment) -> GitState | None:
    global _known
    with _looking:
        if _known is None or _known[0] != moment:
            _known = moment, read_git(moment.folder)
        return _known[1]


def _environment() -> dict[str, str]:
    return _environment_of(tuple(_changed(place) for place in sys.path))


@lru_cache(maxsize=1)
def _environment_of(_version: tuple[int, ...]) -> dict[str, str]:
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
