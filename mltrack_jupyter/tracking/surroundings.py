"""What a run stands on, recorded beside it: the commit, what was changed since, and the environment.

A thread looks and writes, so that whoever starts a run does not wait; the end of the run does, for at
most three seconds.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Hashable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from mltrack_jupyter import config, forks
from mltrack_jupyter.entities import RunEntry, Tag
from mltrack_jupyter.errors import MltrackError
from mltrack_jupyter.tracking import beside, session
from mltrack_jupyter.tracking.host import Moment
from mltrack_jupyter.tracking.sharing import Sharing, share, share_again

if TYPE_CHECKING:
    from mltrack_jupyter.tracking.git import GitState

DIFF = "source/uncommitted.diff"
LOCK = "environment/requirements.lock"
ENVIRONMENT = "environment/environment.json"
_CUT = "\n# … cut here\n"
_OFF = ("0", "false", "no", "off")
_SECONDS = 3.0
_PAUSE = 0.3
"""How long to let whoever starts a run go ahead, in seconds: looking at the packages is work."""


_known: tuple[Moment, GitState | None] | None = None
_looking = threading.Lock()
_threads: dict[str, tuple[threading.Thread, threading.Event]] = {}
_texts_known: tuple[Hashable, Mapping[str, str]] | None = None


def record(run: Sharing, *, whole: bool) -> None:
    """Begin to record what a run stands on; ``whole`` for its files as well, which children need not repeat.

    The store keeps a file once, however many runs have it.
    """
    whole = whole and config.setting("MLTRACK_RECORD_ENVIRONMENT").lower() not in _OFF
    moment = session.host().moment()
    known = _known
    if known is not None and known[0] == moment:
        tags = known[1].tags if known[1] is not None else {}
        if whole and share_again(run, _what(known[1]), tags):
            return
        _tag(run, tags)
        if not whole:
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


def _tag(run: Sharing, tags: Mapping[str, str]) -> None:
    if tags:
        pairs = [Tag(key, value) for key, value in tags.items()]
        run.keeper.journal.entry(RunEntry(run_id=run.run_id, tags=pairs))
        run.keeper.wrote()


def _write(run: Sharing, moment: Moment, whole: bool, go: threading.Event) -> None:
    go.wait(_PAUSE)
    _load(whole)
    new = _known is None or _known[0] != moment
    state = _state(moment)
    try:
        if new and state is not None:
            _tag(run, state.tags)
        if whole:
            what, texts = _what(state), _texts(state)
            with beside.inside:
                share(run, what, texts)
    except MltrackError:
        # The run itself tells if its store is away; this is only what stands beside it.
        return


def _load(whole: bool) -> None:
    """Import what the thread needs, with no fork meanwhile: its child would have half of a module for ever."""
    with beside.inside:
        from mltrack_jupyter.tracking import git, repository  # noqa: F401

        if whole:
            import psutil  # noqa: F401

            from mltrack_jupyter.tracking import environment  # noqa: F401


def _texts(state: GitState | None) -> Mapping[str, str]:
    """Return the files of a run that stands on a state; looked for once for each state."""
    global _texts_known
    what = _what(state)
    if _texts_known is None or _texts_known[0] != what:
        _texts_known = what, _found_texts(state)
    return _texts_known[1]


def _what(state: GitState | None) -> Hashable:
    """Return what the files of a run tell of: a look at a repository, and the installed packages."""
    # The state is kept, so that no other one has its identity.
    return id(state), state, _versions()


def _found_texts(state: GitState | None) -> Mapping[str, str]:
    texts = dict(_environment())
    if state is not None and state.dirty is not False:
        with beside.inside:  # no fork meanwhile: its child would have half of a module
            from mltrack_jupyter.privacy.redact import redact_cut
            from mltrack_jupyter.tracking.git import MAX_DIFF, read_diff

        texts[DIFF] = redact_cut(read_diff(state.root), MAX_DIFF, mark=_CUT)
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


forks.at_fork(forks.Part.STATE, in_child=_forget_after_fork)
