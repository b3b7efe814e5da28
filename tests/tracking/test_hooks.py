"""What a process has of ours while a run is open, and that it is put back as it was found."""

import sys
import threading

import pytest

HOOKED = {
    "excepthook": (sys, "excepthook"),
    "excepthook of threads": (threading, "excepthook"),
    "sys.exit": (sys, "exit"),
    "exit()": (type(exit), "__call__"),
}


@pytest.fixture(params=HOOKED)
def hook(request, mltrack):
    """A function of the process that is hooked: read and set it."""
    owner, name = HOOKED[request.param]
    if request.param == "exit()" and owner.__name__ != "Quitter":
        pytest.skip("no exit() here")
    found = getattr(owner, name)

    class Hook:
        def __call__(self):
            return getattr(owner, name)

        def set(self, value):
            setattr(owner, name, value)

    yield Hook()
    setattr(owner, name, found)


def test_nothing_is_hooked_unless_a_run_is_open(hook, mltrack):
    before = hook()
    mltrack.search_runs()
    assert hook() is before
    with mltrack.start_run():
        assert hook() is not before
        with mltrack.start_run(nested=True):
            pass
        assert hook() is not before
    assert hook() is before


def test_runs_that_begin_and_end_leave_no_chain(hook, mltrack):
    before = hook()
    for _ in range(3):
        mltrack.start_run()
        mltrack.end_run()
    assert hook() is before


def test_what_another_library_set_meanwhile_survives(hook, mltrack):
    def theirs(*arguments):
        return ours(*arguments)

    with mltrack.start_run():
        ours = hook()
        hook.set(theirs)
    assert hook() is theirs
    with mltrack.start_run():  # a next one is heard all the same, and gives theirs back
        assert hook() not in (theirs, ours)
    assert hook() is theirs


def test_what_another_library_took_from_us_and_gives_back_later_is_ours_again(hook, mltrack):
    before = hook()
    with mltrack.start_run():
        ours = hook()
        hook.set(lambda *_: None)
    hook.set(ours)  # as a context manager of theirs does
    with mltrack.start_run():
        assert hook() is ours
    assert hook() is before


OTHERS = """
import sys, mltrack_jupyter as mltrack
with mltrack.start_run(run_name="first"):
    ours = sys.excepthook
    def theirs(*error):
        print("theirs heard", error[1])
        ours(*error)
    sys.excepthook = theirs
mltrack.start_run(run_name="second")
{end}
"""


@pytest.mark.parametrize(
    ("end", "status"), [("raise ValueError('x')", "FAILED"), ("sys.exit(3)", "FAILED"), ("", "FINISHED")]
)  # fmt: skip
def test_both_hear_how_the_process_ends(run_script, end, status):
    done = run_script(OTHERS.format(end=end), check=False)
    assert ("theirs heard x" in done.stdout) == ("ValueError" in end)
    code = "import mltrack_jupyter as m\nfor r in m.search_runs(output_format='list'): print(r.info.run_name, r.info.status.value)"
    found = dict(line.split() for line in run_script(code).stdout.splitlines())
    assert found == {"first": "FINISHED", "second": status}


def test_an_error_while_no_run_is_open_says_nothing_of_the_next(run_script):
    done = run_script(
        """
import sys, mltrack_jupyter as mltrack
with mltrack.start_run():
    ours = sys.excepthook
try:
    1 / 0
except ZeroDivisionError as error:
    ours(type(error), error, None)  # whoever kept our hook still calls it
mltrack.start_run(run_name="next")
mltrack.end_run()
print([run.info.status.value for run in mltrack.search_runs(output_format="list")])
mltrack.start_run(run_name="open")
""",
    )
    assert done.stdout.strip() == "['FINISHED', 'FINISHED']"
    code = "import mltrack_jupyter as m; print(*[r.info.status.value for r in m.search_runs(output_format='list')])"
    assert run_script(code).stdout.split() == ["FINISHED"] * 3
