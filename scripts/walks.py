"""Count how far five walks go through the package: ``python scripts/walks.py [WALK ...]``.

A walk is gone twice before it is counted, so that imports, pools and caches are warm. Counted are the calls
of the package's functions in the thread that walks: a generator once, when it is made; comprehensions and
the bodies of modules and classes never. So that two counts are the same, the thread of the journal is kept
from starting: what it would do beside a walk, or not, is done by whoever waits for it; and the clock stands,
so that nothing that is done once a second falls into a walk.
"""

from __future__ import annotations

import argparse
import inspect
import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType, FrameType
from typing import TYPE_CHECKING
from unittest import mock
from uuid import uuid4

import mltrack_jupyter as mltrack

if TYPE_CHECKING:
    from mltrack_jupyter.services import Services

Walk = Callable[[], object]
_OURS = f"{Path(mltrack.__file__).parent}{os.sep}"
_INLINE = frozenset(("<listcomp>", "<dictcomp>", "<setcomp>", "<genexpr>"))
# No run of the walks fits it, so that no row is read.
_FILTER = (
    "metrics.accuracy > 0.9 and params.depth = '3' and tags.team != 'x' and status = 'FINISHED'"
)
_CELL = """\
%%track -n walked -q
depth = 3
model = DecisionTreeClassifier(max_depth=depth).fit(X, y)
accuracy = model.score(X, y)
"""


@dataclass
class Count:
    """What was called, and how often the database was asked.

    A switch is a call in another file than the call before it.
    """

    calls: int = 0
    switches: int = 0
    transactions: int = 0
    functions: set[CodeType] = field(default_factory=set)
    files: set[str] = field(default_factory=set)
    _begins: dict[CodeType, int] = field(default_factory=dict)
    _last: str = ""

    def profile(self, frame: FrameType, event: str, _: object) -> None:
        """Note a call, as :func:`sys.setprofile` tells of it."""
        code = frame.f_code
        file = code.co_filename
        if event != "call" or not file.startswith(_OURS) or code.co_name in _INLINE:
            return
        # Bodies of modules and classes are not optimized. A generator that goes on is not at its begin.
        is_function = code.co_flags & inspect.CO_OPTIMIZED
        if not is_function or self._begins.setdefault(code, frame.f_lasti) != frame.f_lasti:
            return
        self.calls += 1
        self.switches += file != self._last
        self._last = file
        self.functions.add(code)
        self.files.add(file)

    def begin_transaction(self, _: object) -> None:
        """Note a transaction, as SQLAlchemy tells of it."""
        self.transactions += 1

    @property
    def figures(self) -> tuple[int, ...]:
        """The columns of the table."""
        functions, files = len(self.functions), len(self.files)
        return self.calls, functions, files, self.switches, self.transactions


class Desk:
    """A store, and in it a run with a metric, a param and a model."""

    def __init__(self, folder: Path) -> None:
        from sklearn.datasets import load_iris
        from sklearn.tree import DecisionTreeClassifier

        self.folder = folder
        self.data = load_iris(return_X_y=True)
        self.tree = DecisionTreeClassifier
        mltrack.set_tracking_uri(str(folder / "store"))
        mltrack.set_experiment("walks")
        with mltrack.start_run() as run:
            mltrack.log_metric("accuracy", 0.5)
            mltrack.log_param("depth", 3)
            fitted = self.tree(max_depth=3).fit(*self.data)
            self.model_uri = mltrack.sklearn.log_model(fitted, name="model").model_uri
        self.run = mltrack.get_run(run.info.run_id).info

    @contextmanager
    def services(self) -> Iterator[Services]:
        """Open the store, as one that nobody else in this process has."""
        from mltrack_jupyter.store import open_store

        services = open_store(self.folder / "store")
        yield services
        services.close()


# Each walk prepares what it needs once, and yields what prepares one time that it is gone.


@contextmanager
def drain(desk: Desk) -> Iterator[Callable[[], Walk]]:
    """Hand a new run with a param, a tag and ten points over: from its journal to the commit."""
    from mltrack_jupyter.entities import NewRun, Param, RunEntry, Tag
    from mltrack_jupyter.store.journal import Keeper

    with desk.services() as services:
        keeper = Keeper(desk.folder / "journals", services.uri, lambda: services)

        def prepare() -> Walk:
            run_id, journal = uuid4().hex, keeper.journal
            new = NewRun(experiment_id=desk.run.experiment_id, start_time=1)
            journal.entry(RunEntry(run_id=run_id, new=new))
            journal.entry(RunEntry(run_id=run_id, params=[Param("a", "1")], tags=[Tag("b", "2")]))
            for step in range(10):
                journal.point(run_id, "loss", step, step, 0.5)
            return keeper.flush

        yield prepare
        keeper.close()


@contextmanager
def search(desk: Desk) -> Iterator[Callable[[], Walk]]:
    """Ask for the runs that fit a filter of four clauses, in an order."""
    ids, order = [desk.run.experiment_id], ["metrics.accuracy DESC"]
    with desk.services() as services:
        yield lambda: lambda: services.runs.search(ids, _FILTER, order_by=order)


@contextmanager
def cell(desk: Desk) -> Iterator[Callable[[], Walk]]:
    """Run a cell of IPython under ``%%track`` that fits a model."""
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    shell = InteractiveShell.instance(config=Config(HistoryManager={"enabled": False}))
    mltrack.load_ipython_extension(shell)
    shell.user_ns.update(zip("Xy", desk.data, strict=True), DecisionTreeClassifier=desk.tree)
    yield lambda: lambda: shell.run_cell(_CELL).raise_error()
    mltrack.unload_ipython_extension(shell)


@contextmanager
def load(desk: Desk) -> Iterator[Callable[[], Walk]]:
    """Load a run's model by its URI."""
    yield lambda: lambda: mltrack.sklearn.load_model(desk.model_uri)


@contextmanager
def upload(desk: Desk) -> Iterator[Callable[[], Walk]]:
    """Log a file to an open run."""
    file = desk.folder / "notes.txt"
    file.write_text("notes")
    with mltrack.start_run():
        yield lambda: lambda: mltrack.log_artifact(str(file))


WALKS: dict[str, tuple[str, Callable[[Desk], AbstractContextManager[Callable[[], Walk]]]]] = {
    "drain": ("journal to the commit", drain),
    "search": ("filter text to SQL", search),
    "cell": ("a %%track cell with a model", cell),
    "load": ("load_model", load),
    "upload": ("artifact upload", upload),
}


def isolate(folder: Path) -> None:
    """Let this process see no store, journal or setting of its user, and start no thread of a journal."""
    start = threading.Thread.start

    def start_others(thread: threading.Thread) -> None:
        if thread.name != "mltrack-journal":
            start(thread)

    for name in [name for name in os.environ if name.startswith(("MLTRACK_", "MLFLOW_"))]:
        del os.environ[name]
    os.environ.update(
        MLTRACK_STATE_DIR=str(folder / "state"),
        MLTRACK_RECORD_ENVIRONMENT="0",
        IPYTHONDIR=str(folder / "ipython"),
    )
    os.chdir(folder)
    threading.Thread.start = start_others  # type: ignore[method-assign]


def count(name: str, desk: Desk) -> Count:
    """Go a walk twice, and a third time to count it."""
    from sqlalchemy import Engine, event

    found, now = Count(), time.monotonic()
    with WALKS[name][1](desk) as prepare, mock.patch("time.monotonic", return_value=now):
        for _ in range(2):
            prepare()()
        walk = prepare()
        event.listen(Engine, "begin", found.begin_transaction)
        sys.setprofile(found.profile)
        try:
            walk()
        finally:
            sys.setprofile(None)
            event.remove(Engine, "begin", found.begin_transaction)
    return found


def main(names: Sequence[str]) -> None:
    """Print the table."""
    columns = ("walk", "calls", "functions", "files", "switches of file", "transactions")
    print(f"| {' | '.join(columns)} |\n|{'---|' * len(columns)}")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as temporary:
        folder = Path(temporary).resolve()
        isolate(folder)
        desk = Desk(folder)
        for name in names:
            figures = " | ".join(f"{figure:,}" for figure in count(name, desk).figures)
            print(f"| {WALKS[name][0]} | {figures} |", flush=True)
        os.chdir(tempfile.gettempdir())


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("walks", nargs="*", help=f"of {', '.join(WALKS)}; all of them if absent")
    asked = parser.parse_args().walks
    if unknown := set(asked) - set(WALKS):
        parser.error(f"there is no walk {', '.join(sorted(unknown))}; there are {', '.join(WALKS)}")
    main(asked or list(WALKS))
