"""A process that logs until it is killed, and says what it was told is logged: ``writer.py <mode>``.

Each line goes out in one system call after the log call has returned. The first is the id of the run.
"""

import hashlib
import json
import os
import random
import sys
import time
from pathlib import Path

import mltrack_jupyter as mltrack


def say(*what):
    os.write(1, (json.dumps(what) + "\n").encode())


def content(step):
    """Return what the file of a step holds, from a few bytes to some megabytes."""
    size = random.Random(step).choice([10, 5_000, 300_000, 3_000_000])
    return hashlib.sha256(str(step).encode()).hexdigest() * (size // 64 + 1)


def single(step):
    mltrack.log_metric("m", step * 0.5, step=step)
    say("m", step)


def batch(step):
    mltrack.log_metrics({"a": step * 0.5, "b": -step, "c": 1e300}, step=step)
    say("abc", step)
    mltrack.log_params({f"p{step}": step, f"q{step}": "ü" * 50})
    say("params", step)
    mltrack.set_tags({f"t{step}": step, "newest": step})
    say("tags", step)


def artifact(step):
    if step % 2:
        mltrack.log_text(content(step), f"files/{step}.txt")
    else:
        place = Path(f"{os.getpid()}-{step}.txt")
        place.write_text(content(step))
        mltrack.log_artifact(place, f"files/{step}")
    say("file", step)


def remote(step):
    single(step)
    if step % 20 == 0:
        batch(step)
    if step % 100 == 99:
        mltrack.log_text("x" * 70_000, f"files/{step}.txt")
        say("text", step)
    time.sleep(0.001)


def main():
    work = {"single": single, "batch": batch, "artifact": artifact, "remote": remote}[sys.argv[1]]
    run = mltrack.start_run()
    say("run", run.run_id)
    step = 0
    while not os.path.exists("stop"):
        work(step)
        step += 1
    mltrack.end_run()


if __name__ == "__main__":
    main()
