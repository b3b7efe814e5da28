"""A store that several users share: each has journals of their own, which nobody else takes over."""

import os
import tempfile
from pathlib import Path

import pytest

as_root = pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root is several users"
)

SHARED = """
import os, sys, mltrack_jupyter as mltrack
from mltrack_jupyter.tracking import session
shared, warm = sys.argv[1:]
mltrack.set_tracking_uri(warm)  # what is loaded later cannot be read by other users, perhaps
with mltrack.start_run() as run:
    mltrack.log_metric("m", 1.0)
mltrack.search_runs(output_format="list"); session.close()

def user(uid, name, dies):
    pid = os.fork()
    if pid:
        return os.waitpid(pid, 0)
    os.environ["MLTRACK_STATE_DIR"] = f"{shared}/state{uid}"
    os.umask(0o002); os.setegid(4321); os.setgroups([]); os.seteuid(uid)
    mltrack.set_tracking_uri(f"{shared}/.mltrack")
    mltrack.start_run(run_name=name); mltrack.log_metric("m", 1.0)
    if dies:
        os._exit(0)
    mltrack.end_run()
    print(*sorted(run.info.run_name for run in mltrack.search_runs(output_format="list")), flush=True)
    session.close()
    os._exit(0)

user(4001, "a", False)
for name in ("mltrack.db", "mltrack.db.turn"):
    os.chmod(f"{shared}/.mltrack/{name}", 0o660)
user(4001, "lost-by-a", True)
user(4002, "lost-by-b", True)
user(4002, "b", False)
user(4001, "a2", False)
print(*sorted(f"{path}:{os.stat(f'{shared}/.mltrack/{path}').st_mode & 0o777:o}"
              for path in os.listdir(f"{shared}/.mltrack") if path.startswith("journals")))
"""


@as_root
def test_users_of_a_shared_store_have_journals_of_their_own(run_script, tmp_path):
    with tempfile.TemporaryDirectory() as shared:
        os.chown(shared, -1, 4321)
        Path(shared).chmod(0o2775)
        done = run_script(SHARED, shared, str(tmp_path / "warm"))
    assert done.stdout.splitlines() == [
        "a",
        "a b lost-by-b",
        "a a2 b lost-by-a lost-by-b",
        "journals-4002:700 journals:700",
    ], done.stderr
