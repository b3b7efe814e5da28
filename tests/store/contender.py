"""One of several who write the same things at the same moment; run as a script by test_one_of_each.py."""

import json
import os
import sys
import time
from pathlib import Path

from mltrack_jupyter.errors import AlreadyExists
from mltrack_jupyter.store import open_store
from mltrack_jupyter.testing.making import NOW

ROUNDS, CONTENDERS = 6, 8


def write(services, index, run_id, model):
    """Write to one metric, tag, run, alias, stage, and to names that only one can make; say what came of it."""
    said = {"versions": [], "experiments": [], "made": []}
    for turn in range(ROUNDS):
        step = turn * CONTENDERS + index
        services.runs.log_metric(run_id, "one", float(index), NOW, step)
        services.runs.set_tag(run_id, "last", f"{index} {turn}")
        found = services.model_versions.create(model, f"runs:/{run_id}/model", run_id=run_id)
        said["versions"].append(found.version)
        services.registered_models.set_alias(model, "champion", found.version)
        services.model_versions.transition_stage(model, found.version, "Production", True)
        try:
            number = services.experiments.create(f"round {turn}")
            said["made"].append(f"experiment {turn}")
        except AlreadyExists:
            number = services.experiments.get_by_name(f"round {turn}").experiment_id
        said["experiments"].append(number)
        try:
            services.registered_models.create(f"model {turn}")
            said["made"].append(f"model {turn}")
        except AlreadyExists:
            services.registered_models.get(f"model {turn}")
    return said


def log(index, run_id):
    """Go on with one run and log to one metric, param and file, by the fluent functions."""
    import mltrack_jupyter as mltrack

    experiment = mltrack.set_experiment("of all")
    with mltrack.start_run(run_id):
        for turn in range(50):
            mltrack.log_metric("one", float(index), step=turn * CONTENDERS + index)
        mltrack.log_param("one", "the same")
        mltrack.set_tag(f"was-{index}", "here")
        mltrack.log_text(f"by {index}", "one.txt")
    return {"experiment": experiment.experiment_id}


if __name__ == "__main__":
    folder, what, index = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    (folder / f"ready{index}").touch()
    while not (folder / "go").exists():
        time.sleep(0.001)
    if what == "write":
        opened = open_store(os.environ["MLTRACK_TRACKING_URI"])
        told = write(opened, index, *sys.argv[4:])
        opened.close()
    else:
        told = log(index, *sys.argv[4:])
    sys.stdout.write(json.dumps(told))
