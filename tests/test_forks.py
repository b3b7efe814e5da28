"""The one fork hook: its order, and that nobody is left out."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import mltrack_jupyter
from mltrack_jupyter import forks

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")

ORDER = """
import os
from mltrack_jupyter import forks
said = []
def part(kind, raising=False):
    def say(what):
        def call():
            said.append(f"{what} {kind.name}")
            if raising:
                raise ValueError("unheard of")
        return call
    forks.at_fork(kind, before=say("before"), in_parent=say("parent"), in_child=say("child"))
part(forks.Part.DATABASES)
part(forks.Part.THREADS)
part(forks.Part.JOURNALS, raising=%s)
child = os.fork()
if child:
    os.waitpid(child, 0)
print(*said, sep=", ", flush=True)
"""
READY = ["before THREADS", "before JOURNALS", "before DATABASES"]


@pytest.mark.parametrize("raising", [False, True])
def test_parts_get_ready_from_the_outermost_lock_inwards_and_go_on_the_other_way(raising):
    done = subprocess.run(
        [sys.executable, "-c", ORDER % raising], capture_output=True, text=True, check=True
    )
    child, parent = (line.split(", ") for line in done.stdout.splitlines())
    assert child == [*READY, "child DATABASES", "child JOURNALS", "child THREADS"]
    assert parent == [*READY, "parent DATABASES", "parent JOURNALS", "parent THREADS"]
    assert ("unheard of" in done.stderr) == raising


LATE = """
import os
from mltrack_jupyter import forks
def open_database():
    forks.at_fork(forks.Part.DATABASES, before=lambda: print("rests", flush=True))
forks.at_fork(forks.Part.JOURNALS, before=open_database)
os.waitpid(os.fork() or os._exit(0), 0)
"""


def test_a_part_that_comes_to_be_while_an_earlier_one_gets_ready_gets_ready_as_well():
    done = subprocess.run([sys.executable, "-c", LATE], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["rests"]


def test_nobody_hooks_forks_but_the_one_hook():
    package = Path(mltrack_jupyter.__file__).parent
    found = [path for path in package.rglob("*.py") if "register_at_fork" in path.read_text()]
    assert found == [Path(forks.__file__)]
