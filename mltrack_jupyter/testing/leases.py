"""The contract of leases: a run ends with its process, and a living one is never touched."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from mltrack_jupyter.entities import Process, Run, RunEntry, RunStatus, Tag
from mltrack_jupyter.errors import InvalidParameter, NotFound
from mltrack_jupyter.services import Services
from mltrack_jupyter.store.process import present
from mltrack_jupyter.testing.making import NOW, new_run, unique

REASON = "mltrack.status_reason"


def process(**changes: object) -> Process:
    """Describe a process like this one, but for what is named."""
    here = present()
    known = {name: getattr(here, name) for name in ("host", "boot_id", "pid", "started")}
    return Process(**{"process_id": unique("process"), **known, **changes})


def ended() -> Process:
    """Describe a process that lived on this machine."""
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    return process(pid=child.pid)


def leased(services: Services, holder: Process) -> str:
    """Create a run that a process writes, and return its id."""
    run_id = new_run(services).info.run_id
    services.leases.take(run_id, holder)
    return run_id


class TestLeases:
    """Who writes a run, and what happens when that process is gone."""

    def run(self, services: Services, run_id: str) -> Run:
        """Return a run as it is stored."""
        return services.runs.get(run_id)

    def test_a_dead_process_ends_its_runs(self, services: Services) -> None:
        run_id = leased(services, ended())
        assert run_id in services.leases.reap()
        run = self.run(services, run_id)
        assert run.info.status is RunStatus.KILLED
        assert run.info.end_time is not None
        assert run.data.tags[REASON] == "The process that wrote the run died."
        assert run_id not in services.leases.reap()

    def test_a_living_one_keeps_them(self, services: Services) -> None:
        run_id = leased(services, process())
        for _ in range(3):
            assert run_id not in services.leases.reap()
        assert self.run(services, run_id).info.status is RunStatus.RUNNING

    def test_a_number_that_is_used_again_is_another_process(self, services: Services) -> None:
        run_id = leased(services, process(started=present().started - 1))
        assert run_id in services.leases.reap()

    @pytest.mark.parametrize("elsewhere", [{"host": "elsewhere"}, {"boot_id": "another boot"}])
    def test_what_cannot_be_looked_for_has_a_minute(
        self, services: Services, elsewhere: dict[str, str]
    ) -> None:
        run_id = leased(services, process(pid=os.getpid(), **elsewhere))
        assert run_id not in services.leases.reap()
        assert self.run(services, run_id).info.status is RunStatus.RUNNING

    def test_a_run_without_a_lease_is_never_touched(self, services: Services) -> None:
        run_id = new_run(services).info.run_id
        services.leases.reap()
        assert self.run(services, run_id).info.status is RunStatus.RUNNING

    @pytest.mark.parametrize("status", ["FINISHED", "FAILED", "KILLED"])
    def test_a_final_status_ends_the_lease(self, services: Services, status: str) -> None:
        holder = ended()
        run_id = leased(services, holder)
        services.runs.update(run_id, status=RunStatus(status))
        assert services.leases.renew(holder.process_id) == []
        assert run_id not in services.leases.reap()
        assert self.run(services, run_id).info.status.value == status

    def test_renewing_names_the_runs(self, services: Services) -> None:
        holder = process()
        runs = {leased(services, holder) for _ in range(3)}
        assert set(services.leases.renew(holder.process_id)) == runs
        assert services.leases.renew("nobody") == []

    def test_a_lease_passes_to_who_takes_it(self, services: Services) -> None:
        run_id = leased(services, ended())
        services.leases.take(run_id, process())
        assert run_id not in services.leases.reap()

    def test_a_run_that_goes_on_has_no_reason_any_more(self, services: Services) -> None:
        run_id = leased(services, ended())
        services.leases.reap()
        services.runs.update(run_id, status=RunStatus.RUNNING)
        run = self.run(services, run_id)
        assert (run.info.status, REASON in run.data.tags) == (RunStatus.RUNNING, False)

    def test_the_end_of_a_kernel_ends_its_runs(self, services: Services) -> None:
        kernel = unique("kernel")
        one = leased(services, process(kernel_id=kernel, host="elsewhere"))
        other = leased(services, process(kernel_id=unique("kernel"), host="elsewhere"))
        assert services.leases.end_kernel(kernel, "The kernel died.") == [one]
        run = self.run(services, one)
        assert (run.info.status, run.data.tags[REASON]) == (RunStatus.KILLED, "The kernel died.")
        assert self.run(services, other).info.status is RunStatus.RUNNING
        assert services.leases.end_kernel(kernel, "The kernel died.") == []

    def test_what_the_new_process_of_a_kernel_writes_goes_on(self, services: Services) -> None:
        kernel = unique("kernel")
        run_id = leased(services, process(kernel_id=kernel))
        assert services.leases.end_kernel(kernel, "The kernel was restarted.") == []
        assert self.run(services, run_id).info.status is RunStatus.RUNNING

    def leave(self, services: Services, run_id: str, leaver: Process) -> Run:
        """Let a process tell the end of a run by its journal, and return the run."""
        why = [Tag(REASON, "ValueError: x"), Tag("mltrack.error", "Traceback"), Tag("t", "1")]
        entry = RunEntry(
            run_id=run_id, process=leaver, status=RunStatus.FAILED, end_time=NOW + 5, tags=why
        )
        assert services.journals.append(unique("journal"), 0, 1, [entry]).refused == []
        return self.run(services, run_id)

    def test_who_joined_a_run_does_not_end_it(self, services: Services) -> None:
        owner, joined = process(), process(host="elsewhere")
        run_id = leased(services, owner)
        services.leases.take(run_id, joined)
        run = self.leave(services, run_id, joined)
        assert (run.info.status, run.info.end_time) == (RunStatus.RUNNING, None)
        assert run.data.tags.keys() & {REASON, "mltrack.error", "t"} == {"t"}
        assert services.leases.renew(owner.process_id) == [run_id]
        assert services.leases.renew(joined.process_id) == []
        run = self.leave(services, run_id, owner)
        assert (run.info.status, run.info.end_time) == (RunStatus.FAILED, NOW + 5)
        assert run.data.tags[REASON] == "ValueError: x"

    def test_who_joined_a_run_ends_it_where_its_owner_is_gone(self, services: Services) -> None:
        run_id = leased(services, ended())
        assert self.leave(services, run_id, process()).info.status is RunStatus.FAILED

    def test_a_run_that_was_given_up_goes_on_in_who_joined_it(self, services: Services) -> None:
        run_id, joined = leased(services, ended()), process()
        services.leases.reap()
        services.leases.take(run_id, joined)
        run = self.run(services, run_id)
        assert (run.info.status, run.info.end_time) == (RunStatus.RUNNING, None)
        assert REASON not in run.data.tags
        assert services.leases.renew(joined.process_id) == [run_id]

    def test_what_somebody_ended_stays_ended(self, services: Services) -> None:
        run_id, joined = leased(services, process()), process()
        services.runs.update(run_id, status=RunStatus.KILLED)
        services.leases.take(run_id, joined)
        assert self.run(services, run_id).info.status is RunStatus.KILLED
        assert services.leases.renew(joined.process_id) == []

    def test_what_is_wrong_is_refused(self, services: Services) -> None:
        with pytest.raises(NotFound):
            services.leases.take("0" * 32, process())
        run_id = new_run(services).info.run_id
        with pytest.raises(InvalidParameter, match="host"):
            services.leases.take(run_id, process(host="h" * 300))
        with pytest.raises(InvalidParameter, match="process_id"):
            services.leases.take(run_id, process(process_id=""))
        with pytest.raises(InvalidParameter, match="KILLED"):
            services.leases.end_kernel("k", "x", RunStatus.RUNNING)
