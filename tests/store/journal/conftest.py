"""Journals over an empty SQLite store, without the fluent API on top."""

import time
import uuid

import pytest

from mltrack_jupyter.entities import NewRun, Param, RunEntry, Tag
from mltrack_jupyter.store.journal.journal import Journal
from mltrack_jupyter.store.journal.recovery import recover
from mltrack_jupyter.store.names import RUN_NAME

NOW = 1_760_000_000_000


class Desk:
    """A store, the folder of its journals, and one run that a journal has begun."""

    def __init__(self, services, folder):
        self.services = services
        self.folder = folder
        self.run_id = uuid.uuid4().hex

    def journal(self):
        """A journal in which the run is begun."""
        journal = Journal(self.folder, self.services.uri)
        self.begin(journal)
        return journal

    def begin(self, journal, run_id=""):
        new = NewRun(experiment_id="0", start_time=NOW)
        begin = RunEntry(run_id=run_id or self.run_id, new=new, tags=[Tag(RUN_NAME, "first")])
        journal.entry(begin)

    def param(self, journal, key, value):
        journal.entry(RunEntry(run_id=self.run_id, params=[Param(key, value)]))

    def die(self, journal):
        """Leave the files of a journal as a killed process does."""
        for segment in list(journal.segments):
            segment.close()

    def recover(self):
        return recover(self.folder, lambda: self.services, self.services.uri)

    def steps(self, key="m"):
        return [point.step for point in self.services.metrics.history(self.run_id, key)]

    def params(self):
        return self.services.runs.get(self.run_id).data.params

    def files(self):
        return sorted(path.name.partition(".")[2] for path in self.folder.glob("*"))


@pytest.fixture
def desk(store, tmp_path):
    return Desk(store, tmp_path / "journals")


@pytest.fixture
def journal(desk):
    journal = desk.journal()
    yield journal
    desk.die(journal)


@pytest.fixture
def until():
    """Wait until something is so."""

    def wait(holds, seconds=20.0):
        end = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < end, "it did not come true"
            time.sleep(0.02)

    return wait
