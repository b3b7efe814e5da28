"""The thread that hands a journal over, and a fork of its process."""

import threading

import pytest

from mltrack_jupyter.store.journal.keeper import Keeper
from mltrack_jupyter.store.journal.pulse import Pulse
from mltrack_jupyter.store.journal.sinks import StoreSink


@pytest.mark.parametrize(("kind", "question"), [(StoreSink, "reap"), (Pulse, "beat")])
def test_a_fork_waits_for_what_the_thread_asks_of_the_store(desk, monkeypatch, kind, question):
    """A child would take the locks of a question that is half answered for its own, and write beside its parent."""
    asking, answered, ready = threading.Event(), threading.Event(), threading.Event()

    def ask(_self):
        asking.set()
        answered.wait(30)

    monkeypatch.setattr(kind, question, ask)
    keeper = Keeper(desk.folder, desk.services.uri, lambda: desk.services)
    desk.begin(keeper.journal)
    keeper.wrote()
    assert asking.wait(30)

    def fork():
        keeper.before_fork()
        ready.set()
        keeper.after_fork_in_parent()

    thread = threading.Thread(target=fork)
    thread.start()
    assert not ready.wait(0.2)
    answered.set()
    assert ready.wait(30)
    thread.join()
    assert keeper.close()
