"""A tour of the client: experiments, runs, the registry, logged models, all by ids."""

import time
from pathlib import Path

from mlflow import MlflowClient
from mlflow.entities import Metric, Param, RunTag, ViewType
from mlflow.exceptions import MlflowException

client = MlflowClient()
number = client.create_experiment("client", tags={"version": "v1"})
client.set_experiment_tag(number, "team", "vision")
print(client.get_experiment_by_name("client").tags["team"], client.get_experiment(number).name)
client.rename_experiment(number, "client-tour")
client.rename_experiment(number, "client")

run = client.create_run(number, run_name="by hand", tags={"a": "1"})
run_id = run.info.run_id
now = int(time.time() * 1000)
client.log_batch(
    run_id,
    metrics=[Metric("loss", 1.0 / (step + 1), now + step, step) for step in range(3)],
    params=[Param("depth", "3"), Param("name", "Straße")],
    tags=[RunTag("b", "2")],
)
client.log_metric(run_id, "gain", 2.0, step=7)
client.log_param(run_id, "width", 5)
client.set_tag(run_id, "c", 3)
client.delete_tag(run_id, "a")
client.log_text(run_id, "hello", "notes/hello.txt")
client.log_dict(run_id, {"b": 1, "a": [1, 2]}, "settings.json")
client.log_dict(run_id, {"b": 1}, "settings.yaml")
client.update_run(run_id, name="renamed")
client.set_terminated(run_id, "FAILED")
found = client.get_run(run_id)
print(found.info.status == "FAILED", found.info.run_name, sorted(found.data.metrics.items()))
print(sorted(found.data.params.items()))
print([item.path for item in client.list_artifacts(run_id, "notes")])
print(Path(client.download_artifacts(run_id, "settings.json")).read_text().count("\n") > 0)
client.delete_run(run_id)
print(len(client.search_runs([number])), len(client.search_runs([number], "", ViewType.ALL)))
client.restore_run(run_id)

client.create_registered_model("tour", tags={"task": "none"}, description="a model")
for _ in range(2):
    version = client.create_model_version("tour", f"runs:/{run_id}/notes", run_id)
    print(version.version, version.status)
client.update_registered_model("tour", "another text")
client.update_model_version("tour", "1", "first")
client.set_registered_model_alias("tour", "champion", "2")
client.set_registered_model_tag("tour", "owner", "ada")
client.set_model_version_tag("tour", "2", "checked", "yes")
client.set_model_version_tag("tour", "1", "checked", "no")
client.delete_model_version_tag("tour", "1", "checked")
print(client.get_model_version_by_alias("tour", "champion").version)
print(
    sorted(client.get_registered_model("tour").aliases), client.get_model_version("tour", "2").tags
)
copied = client.copy_model_version("models:/tour/2", "tour-copy")
print(copied.name, copied.version)
print(
    [
        int(found.version)
        for found in client.search_model_versions("name = 'tour'", order_by=["version_number ASC"])
    ]
)
print([found.name for found in client.search_registered_models("name LIKE 'tour%'")])
client.delete_registered_model_alias("tour", "champion")
client.delete_model_version("tour", "1")
client.rename_registered_model("tour-copy", "tour-renamed")

model = client.create_logged_model(number, name="by-hand", source_run_id=run_id, params={"p": "1"})
client.log_model_params(model.model_id, {"q": "2"})
client.set_logged_model_tags(model.model_id, {"t": "1", "u": "2"})
client.delete_logged_model_tag(model.model_id, "u")
client.log_metric(
    run_id, "measured", 0.5, model_id=model.model_id, dataset_name="d", dataset_digest="1"
)
client.finalize_logged_model(model.model_id, "READY")
model = client.get_logged_model(model.model_id)
print(
    model.name,
    model.params,
    model.tags["t"],
    [(m.key, m.value, m.dataset_name) for m in model.metrics],
)
print([m.name for m in client.search_logged_models([number], "params.p = '1'")])
for call in (lambda: client.get_run("0" * 32), lambda: client.get_registered_model("nobody")):
    try:
        call()
    except MlflowException as error:
        print(error.error_code)
