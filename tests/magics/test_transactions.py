"""How often a tracked cell asks and changes the store on its user's thread: that is what it waits for."""

import pytest

pytestmark = pytest.mark.kernel

COUNT = """
import collections, contextlib, threading
from mltrack_jupyter.store.sql.database import Database
from mltrack_jupyter.tracking import session
counted = collections.Counter()
def count(name):
    real = getattr(Database, name)
    @contextlib.contextmanager
    def counting(self, **options):
        if self._joined.get() is None and threading.current_thread() is threading.main_thread():
            counted[name] += 1
        with real(self, **options) as connection:
            yield connection
    setattr(Database, name, counting)
count("read")
count("write")
from sklearn.datasets import load_iris
from sklearn.tree import DecisionTreeClassifier
X, y = load_iris(return_X_y=True, as_frame=True)
"""
MODEL = """%%track {options}
max_depth = 2
model = DecisionTreeClassifier(max_depth=max_depth).fit(X, y)
accuracy = model.score(X, y)
"""
VALUE = """%%track
accuracy = 0.5
"""


@pytest.fixture(scope="module")
def counting(kernel):
    """A kernel that counts the transactions of its main thread."""
    assert kernel.run(COUNT).status == "ok"
    return kernel


@pytest.mark.parametrize(
    ("cell", "writes", "reads"),
    [
        (VALUE, 1, 2),
        # The run and its values, the model, the end of the run; its experiment, and the run for the card.
        (MODEL.format(options=""), 3, 2),
        (MODEL.format(options="--register tree"), 4, 2),
        (MODEL.format(options="-e other"), 3, 2),
    ],
)
def test_the_transactions_of_a_cell(counting, cell, writes, reads):
    counting.run(cell)  # what opens a store, or makes an experiment, does so once
    counting.run("session.flush()\ncounted.clear()")
    reply = counting.run(cell)
    assert reply.status == "ok"
    # The journal's thread may be quicker, and is nobody's to wait for.
    assert int(counting.value("counted['write']")) in (writes, writes - 1)
    assert int(counting.value("counted['read']")) == reads
