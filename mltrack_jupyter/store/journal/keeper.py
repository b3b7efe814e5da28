"""A journal together with the thread that hands it over, and with those who wait for that."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from mltrack_jupyter.errors import MltrackError, Unavailable
from mltrack_jupyter.store.brief import brief_s, briefly
from mltrack_jupyter.store.journal.chain import Chain
from mltrack_jupyter.store.journal.draining import Drain
from mltrack_jupyter.store.journal.journal import Journal
from mltrack_jupyter.store.journal.prompt import prompt
from mltrack_jupyter.store.journal.pulse import Pulse
from mltrack_jupyter.store.journal.recovery import recover_all
from mltrack_jupyter.store.journal.sinks import Sink, StoreSink, is_absent, is_away, sink_of

if TYPE_CHECKING:
    from mltrack_jupyter.services import Services

log = logging.getLogger("mltrack_jupyter")
_PACE = 0.1
"""How long a record may wait before the thread looks for it, in seconds."""
_SHARE = 0.01
"""The most of the time that the thread takes from those who log: a batch costs milliseconds, not nothing."""
_LATEST = 1.0
"""How long a record may wait for that at most, in seconds."""
_SOON = 0.05
"""How long a run that has ended may wait for those that end with it, in seconds: each time costs a transaction."""
_IDLE = 30.0
_FORK = 60.0
"""How long a fork may wait for what is being handed over, in seconds."""
_LONGEST = 30.0
"""The longest pause between two tries to reach a store that is away, in seconds."""


class Keeper:
    """Keeps a journal for one store of this process. May be used from any thread.

    ``open_services`` opens the store; it is called by whoever first hands something over, which is the
    thread unless somebody reads before that. ``strict`` is noted for those who log: whether they wait;
    ``thread`` is for them to see whether one will hand over what they wrote, ``absent`` whether nobody
    answered when that was last tried, and ``reached`` whether anybody ever did.
    """

    def __init__(
        self,
        folder: Path,
        uri: str,
        open_services: Callable[[], Services],
        *,
        strict: bool = False,
    ) -> None:
        self.strict = strict
        self._chain = Chain(folder, uri)
        self.journal = self._chain.last
        self._open = open_services
        self._drains: dict[str, Drain] = {}
        self._draining = threading.RLock()
        self._handing = threading.Lock()
        self._drained = 0
        self._took = 0.0
        self._sink: Sink | None = None
        self.thread: threading.Thread | None = None
        self._wake = threading.Event()
        self._closing = threading.Event()
        self._until = 0.0
        self._done: bool | None = None
        self._told = False
        self.absent = self.reached = False
        self._look = self._unreaped = True
        self._pause = _PACE
        self._fork = threading.local()
        self.pulse = Pulse(open_services)
        self.gone = False

    def wrote(self) -> None:
        """Start the thread that drains the journal, unless it runs: something was written."""
        if self.thread is None:
            self._start()  # two who come at once start two, of which one goes home

    @property
    def pending(self) -> bool:
        """Whether something was written that the store does not have yet."""
        return self._chain.written != self._drained

    def flush(self) -> None:
        """Hand over everything that was written before. Raises ``MltrackError`` if the store is away."""
        if not self.pending:
            return
        if not self._draining.acquire(timeout=brief_s() or -1):
            raise Unavailable("The store has not answered yet what it was asked before.")
        try:
            if self._handing.locked():  # a signal handler asks, in the middle of this
                return
            # A lock and no flag: a second interrupt could keep a flag from being taken back.
            with self._handing, prompt:
                self._hand_over()
        finally:
            self._draining.release()

    def _hand_over(self) -> None:
        written = self._chain.written
        for journal in self._chain:
            journal.mend()
        if self._sink is None:
            self._sink = sink_of(self._open(), self.journal.folder)
        began = time.thread_time()
        self._chain.seal()
        for journal in self._chain:
            drain = self._drains.get(journal.journal_id)
            if drain is None:
                drain = Drain(journal.journal_id, journal.folder, journal.segments)
                self._drains[journal.journal_id] = drain
            drain.run(self._sink)
        self._took = time.thread_time() - began
        self._drained = written
        self._forget_those_over()
        self._pause = min(_LATEST, max(_PACE, self._took / _SHARE))
        self.absent, self.reached = False, True
        if self._told:
            self._told = False
            self._look = True
            self._wake.set()  # it may sleep for half a minute
            log.warning("mltrack: the store is there again; what was logged meanwhile is in it.")

    def _forget_those_over(self) -> None:
        """Leave the journals that a signal handler ended, and that are in the store."""
        self.journal = self._chain.last
        for journal in self._chain.drop():
            self._drained -= journal.written
            self._drains.pop(journal.journal_id, None)
            self._forget(journal)

    def _forget(self, journal: Journal) -> None:
        assert self._sink is not None
        try:
            with briefly(2.0):
                self._sink.forget(journal.journal_id)
        except MltrackError:
            pass  # it knows where the journal ended

    def close(self, wait: float = 10.0) -> bool:
        """Hand over what is left, for so many seconds at most, and end the thread.

        Return whether everything is in the store; if not, the files stay for whoever comes next.
        """
        self._until = time.monotonic() + wait
        self.gone = True
        for journal in self._chain:
            journal.seal()
        self._closing.set()  # not before: the thread removes sealed files, and is done then
        self._wake.set()
        # Not done here, if there is a thread: a store may take what it is asked, and never answer.
        thread, place = self.thread, -1
        if thread is not None and thread.ident and thread is not threading.current_thread():
            while thread.is_alive() and place < (place := _place(self._drains)):
                thread.join(wait)
            if thread.is_alive():
                self._done = False
                _say_what_is_left("it does not answer", self.journal.folder)
        with briefly(max(1.0, wait)):
            if self._done is None:
                self._finish()
        done = bool(self._done)
        for journal in self._chain:
            if done and self._sink is not None and not journal.segments:
                self._forget(journal)
            journal.close()
        return done

    def look_for_orphans(self) -> None:
        """Let the thread hand over what processes left that died since it last looked."""
        self._look = self._unreaped = True

    def before_fork(self) -> None:
        """Hand over what was logged, and let nothing be handed over meanwhile.

        A child must not inherit half of a transaction, and may log to a run that was just begun.
        """
        self._fork.held = False  # whoever waits may be interrupted
        self._fork.held = self._draining.acquire(timeout=_FORK)
        if self._fork.held and not self._told:
            try:
                self.flush()
            except MltrackError as error:
                self._tell(error)

    def after_fork_in_parent(self) -> None:
        """Go on."""
        if getattr(self._fork, "held", False):  # it may have come while another one got ready
            self._draining.release()

    def abandon(self) -> None:
        """Leave everything to the parent, in a forked child."""
        self.gone = True
        self._chain.abandon()

    def _finish(self) -> None:
        """Hand over the rest, and note whether that was done in the time that there is."""
        while self._done is None:
            try:
                with self._draining:
                    if not self._chain.is_empty:
                        self._drained = -1  # also a record that an interrupted call did not count
                    self.flush()
                self._done = True
            except MltrackError as error:
                if time.monotonic() + 1 > self._until:
                    self._done = False
                    _say_what_is_left(str(error), self.journal.folder)
                else:
                    time.sleep(0.5)

    def _start(self) -> None:
        thread = threading.Thread(target=self._run, name="mltrack-journal", daemon=True)
        self.thread = thread
        try:
            thread.start()
        except RuntimeError as error:  # what is in the journal is safe; the next record tries again
            self.thread = None
            if not self._told:
                self._told = True
                log.warning("mltrack: no thread hands over what is logged (%s).", error)
        except BaseException:
            if not thread.is_alive():
                self.thread = None
            raise

    def _run(self) -> None:
        try:
            self._watch()
            if self._closing.is_set():
                self._finish()
        finally:
            if self.thread is threading.current_thread():
                self.thread = None  # the next record begins a new one

    def _watch(self) -> None:
        quiet = time.monotonic()
        self._wake.wait(_PACE)
        while not self._closing.is_set() and self.thread is threading.current_thread():
            if self._look:
                self._look = False
                self._try_to_recover()
            if self.pending:
                quiet = time.monotonic()
                self._try()
            elif self.pulse.runs:
                quiet = time.monotonic()
            elif time.monotonic() - quiet > _IDLE:
                self.thread = None  # the next record begins a new one
                if not self.pending:
                    return
                self.thread = threading.current_thread()  # one came before it could see that
            # As all that this thread asks of a store: a fork waits for it.
            if isinstance(self._sink, StoreSink):
                with self._draining:
                    self.pulse.beat()
            # Runs that end one soon after another are handed over together.
            if not self._closing.wait(_SOON):
                self._wake.wait(self._pause - _SOON)
            self._wake.clear()

    def hurry(self) -> None:
        """Hand over soon: a run has ended."""
        self._wake.set()

    def _try(self) -> None:
        """Hand over what is there, and note how long to wait until the next time."""
        try:
            self.flush()
            if self._unreaped and self._sink is not None:
                self._unreaped = False
                with self._draining:
                    self._sink.reap()
        except MltrackError as error:
            self._pause = min(_LONGEST, max(0.5, self._pause * 2))
            self._tell(error)
        except Exception:
            # A fault of ours must not end the thread: what is in the journal would wait for ever.
            self._pause = _LONGEST
            log.exception("mltrack: handing over the journal failed; it is tried again.")

    def _tell(self, error: MltrackError) -> None:
        self.absent = is_absent(error)
        if self._told:
            return
        self._told = True
        kind = "is away" if is_away(error) else "takes nothing"
        log.warning(
            "mltrack: the store %s (%s). Logging goes on, in %s, and is handed over later.",
            kind, error, self.journal.folder,
        )  # fmt: skip

    def _try_to_recover(self) -> None:
        """Hand over what dead processes left for the same store, and end their runs."""
        try:
            with self._draining, prompt:
                recover_all(self.journal.uri, self._open, self.journal.folder)
        except MltrackError as error:
            if is_away(error):
                self._tell(error)
            else:
                log.warning("mltrack: what other processes left is not taken (%s).", error)
        except Exception:
            log.exception("mltrack: handing over what other processes left failed.")


def _place(drains: Mapping[str, Drain]) -> int:
    """Return how far a store has come with journals: a number that grows as long as it answers."""
    return sum(drain.position for drain in list(drains.values()))


def _say_what_is_left(why: str, folder: Path) -> None:
    log.warning(
        "mltrack: the store is away (%s). What was logged is kept in %s; `mltrack sync` hands it over.",
        why, folder,
    )  # fmt: skip
