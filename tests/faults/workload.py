"""A small piece of work whose system calls fail: ``workload.py <work>``. It says what each call came to.

Whatever is raised that is none of our errors ends it with a traceback.
"""

import json
import os
import sys
from pathlib import Path

import mltrack_jupyter as mltrack
from mltrack_jupyter.errors import MltrackError

FILE = "0123456789abcdef" * 20_000


def say(*what):
    os.write(1, (json.dumps(what) + "\n").encode())


def attempt(what, call, *arguments, **options):
    """Call, and say whether that was acknowledged or which message the user read."""
    try:
        result = call(*arguments, **options)
    except MltrackError as error:
        say("error", what, str(error))
        return None
    say("done", what)
    return result


def begin():
    run = attempt("run", mltrack.start_run)
    if run is None:  # it goes on, as a notebook does
        run = attempt("run", mltrack.start_run)
    say("id", run.run_id)
    return run


def first():
    begin()
    for step in range(3):
        attempt(f"m{step}", mltrack.log_metric, "m", step, step=step)
    attempt("end", mltrack.end_run)


def batches():
    run = begin()
    for step in range(3):
        attempt(f"m{step}", mltrack.log_metrics, {"m": step, "n": -step}, step=step)
        attempt(f"p{step}", mltrack.log_params, {f"p{step}": step})
        attempt(f"t{step}", mltrack.set_tags, {f"t{step}": step})
        attempt("read", mltrack.get_run, run.run_id)
    attempt("end", mltrack.end_run)


def files():
    begin()
    attempt("f0", mltrack.log_text, FILE, "f0.txt")
    Path("f1.txt").write_text(FILE)
    attempt("f1", mltrack.log_artifact, "f1.txt")
    attempt("m0", mltrack.log_metric, "m", 0, step=0)
    attempt("end", mltrack.end_run)


def many():
    begin()
    for part in range(20):
        for step in range(part * 1000, part * 1000 + 999):
            try:
                mltrack.log_metric("m", step, step=step)
            except MltrackError as error:
                say("error", f"m{step}", str(error))
        attempt(f"m{part * 1000 + 999}", mltrack.log_metric, "m", 0, step=part * 1000 + 999)
    attempt("end", mltrack.end_run)


def experiments():
    attempt("experiment", mltrack.set_experiment, "mine")
    run = begin()
    attempt("m0", mltrack.log_metric, "m", 0, step=0)
    client = mltrack.Client()
    attempt("p0", client.log_param, run.run_id, "p0", 0)
    attempt("t0", client.set_tag, run.run_id, "t0", 0)
    attempt("end", mltrack.end_run)
    attempt("search", mltrack.search_runs, search_all_experiments=True, output_format="list")


if __name__ == "__main__":
    {work.__name__: work for work in (first, batches, files, many, experiments)}[sys.argv[1]]()
    print(json.dumps(["finished"]), flush=True)
