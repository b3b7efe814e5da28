"""Run the tutorials with mlflow or with this package, and print what they left as one line of JSON."""

import contextlib
import importlib
import io
import json
import re
import sys
import warnings
from pathlib import Path

OURS = "mltrack_jupyter"
SCRIPTS = Path(__file__).parent / "tutorials"
# What differs by nature: names of people and scripts, invented ids, MLflow's own bookkeeping.
SKIPPED = re.compile(r"mlflow\.(user|source\..*|log-model\.history|datasets|runName)|mltrack\..*")


def source_of(script, library):
    text = (SCRIPTS / f"{script}.py").read_text()
    if library != OURS:
        return text
    # The one line that changes when somebody switches, in each of its forms.
    text = re.sub(r"^import mlflow$", f"import {OURS} as mlflow", text, flags=re.MULTILINE)
    text = re.sub(r"^import mlflow\.", f"import {OURS}.", text, flags=re.MULTILINE)
    return re.sub(r"^from mlflow\b", f"from {OURS}", text, flags=re.MULTILINE)


def run(script, library):
    printed = io.StringIO()
    code = compile(source_of(script, library), f"{script}.py", "exec")
    sys.argv = [f"{script}.py"]
    with contextlib.redirect_stdout(printed):
        exec(code, {"__name__": "__main__"})
    return printed.getvalue().splitlines()


def experiment_of(client, script):
    names = {"tables_and_images": "tables"}
    return client.get_experiment_by_name(names.get(script, script)).experiment_id


def left_behind(client, script):
    number = experiment_of(client, script)
    view = importlib.import_module(f"{type(client).__module__.partition('.')[0]}.entities").ViewType
    runs = {run.info.run_id: run for run in client.search_runs([number], "", view.ALL)}
    names = {run_id: run.info.run_name for run_id, run in runs.items()}
    return {
        "runs": {run.info.run_name: described(client, run, names) for run in runs.values()},
        "models": sorted(logged(model) for model in client.search_logged_models([number])),
    }


def described(client, run, names):
    run = client.get_run(run.info.run_id)
    tags = {key: value for key, value in run.data.tags.items() if not SKIPPED.fullmatch(key)}
    if "mlflow.parentRunId" in tags:
        tags["mlflow.parentRunId"] = names[tags["mlflow.parentRunId"]]
    return {
        "status": str(run.info.status),
        "stage": run.info.lifecycle_stage,
        "params": run.data.params,
        "metrics": {key: points_of(client, run, key) for key in sorted(run.data.metrics)},
        "tags": tags,
        "artifacts": sorted(set(files(client, run.info.run_id))),
        "inputs": sorted(
            (item.dataset.name, item.dataset.digest, sorted((t.key, t.value) for t in item.tags))
            for item in run.inputs.dataset_inputs
        ),
        "outputs": [item.step for item in run.outputs.model_outputs],
    }


def points_of(client, run, key):
    points = client.get_metric_history(run.info.run_id, key)
    # MLflow's evaluation logs each of its points twice.
    return list(dict.fromkeys((point.step, round(point.value, 6)) for point in points))


def files(client, run_id, folder=None):
    for item in client.list_artifacts(run_id, folder):
        # MLflow 3 keeps a model beside the run; regressors have a plot here that MLflow has not.
        if item.path in ("model", "iris_model", "residuals.png"):
            continue
        if item.is_dir:
            yield from files(client, run_id, item.path)
        else:
            yield re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "<uuid>", item.path)


def logged(model):
    tags = sorted(
        (key, value) for key, value in model.tags.items() if not key.startswith("mlflow.")
    )
    points = sorted({point.key for point in model.metrics or []})
    return [
        model.name,
        sorted(model.params.items()),
        tags,
        points,
        str(model.status).split(".")[-1][-5:],
    ]


def registered(client):
    return [
        [model.name, model.description or "", model.tags, sorted(model.aliases),
         [(int(found.version), found.description or "", found.tags)
          for found in client.search_model_versions(f"name = '{model.name}'", order_by=["version_number ASC"])]]
        for model in client.search_registered_models()
    ]  # fmt: skip


def main(library, *scripts):
    warnings.simplefilter("ignore")
    module = importlib.import_module(library)
    if library == "mlflow":
        # It would load each model again in a process of its own, to see what the model imports.
        module.models.infer_pip_requirements = lambda *_arguments, **_options: ["scikit-learn"]
    module.set_tracking_uri(f"sqlite:///{Path.cwd()}/store.db")
    found = {script: {"printed": run(script, library)} for script in scripts}
    client = module.MlflowClient()
    for script in scripts:
        found[script].update(left_behind(client, script))
    found["registered"] = registered(client)
    print(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
