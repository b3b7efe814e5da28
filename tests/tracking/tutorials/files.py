"""Files, figures, searching, tags of experiments, resuming, the trash."""

import io
import tempfile
from pathlib import Path

import mlflow
from matplotlib.figure import Figure

experiment = mlflow.set_experiment("files")
mlflow.set_experiment_tag("owner", "ada")
mlflow.set_experiment_tags({"field": "text", "gone": "x"})
mlflow.delete_experiment_tag("gone")
print(mlflow.get_experiment_by_name("files").tags["owner"], mlflow.get_experiment_by_name("no"))

folder = Path(tempfile.mkdtemp())
(folder / "sub").mkdir()
(folder / "a.txt").write_text("A")
(folder / "sub" / "b.txt").write_text("B")
with mlflow.start_run(run_name="files", tags={"x": "1"}) as run:
    mlflow.log_artifact(str(folder / "a.txt"), artifact_path="one")
    mlflow.log_artifacts(str(folder), artifact_path="all")
    mlflow.log_artifacts(folder)
    mlflow.log_text("<p>ü</p>", "page.html")
    mlflow.log_dict({"k": [1, 2]}, "config.yml")
    mlflow.log_dict({"k": [1, 2]}, "config.json")
    mlflow.log_stream(io.BytesIO(b"bytes"), "raw.bin")
    figure = Figure()
    figure.subplots().plot([1, 2])
    mlflow.log_figure(figure, "plots/line.png")
    uri = mlflow.get_artifact_uri("plots/line.png")
    print(uri.endswith("/artifacts/plots/line.png"))
    print(mlflow.log_param("p", 1), mlflow.log_metric("m", 1.0), mlflow.set_tag("y", 2))
    mlflow.log_metric("m", 2.0, step=1, synchronous=False).wait()
    mlflow.log_params({"q": None, "r": [1]}, synchronous=False).wait()
    mlflow.set_tags({"z": True})
    mlflow.delete_tag("x")
    mlflow.flush_async_logging()

base = f"runs:/{run.info.run_id}"
print(
    mlflow.artifacts.load_text(f"{base}/page.html"),
    mlflow.artifacts.load_dict(f"{base}/config.json"),
)
print(
    [
        item.path
        for item in mlflow.artifacts.list_artifacts(run_id=run.info.run_id, artifact_path="all")
    ]
)
place = mlflow.artifacts.download_artifacts(artifact_uri=f"{base}/all", dst_path=tempfile.mkdtemp())
print(sorted(str(item.relative_to(place)) for item in Path(place).rglob("*")))
place = mlflow.artifacts.download_artifacts(run_id=run.info.run_id, artifact_path="one/a.txt")
print(Path(place).read_text(), Path(place).name)

with mlflow.start_run(run_id=run.info.run_id) as again:
    mlflow.log_metric("m", 3.0, step=2)
    print(again.info.run_id == run.info.run_id)
try:
    with mlflow.start_run(run_name="fails"):
        raise ValueError("on purpose")
except ValueError:
    print(mlflow.last_active_run().info.status)
mlflow.start_run(run_name="open")
mlflow.end_run("KILLED")

frame = mlflow.search_runs(order_by=["attributes.start_time ASC"])
print(
    frame["status"].tolist(),
    sorted(c for c in frame.columns if c.startswith(("metrics", "params"))),
)
found = mlflow.search_runs(
    experiment_names=["files"],
    filter_string="metrics.m > 2 and params.p = '1'",
    output_format="list",
)
print([item.info.run_name for item in found])
print(
    len(
        mlflow.search_runs(
            search_all_experiments=True, filter_string="attributes.run_name = 'fails'"
        )
    )
)
other = mlflow.create_experiment("files-2", tags={"a": "b"})
mlflow.delete_experiment(other)
print(
    mlflow.get_experiment(other).lifecycle_stage,
    [e.name for e in mlflow.search_experiments(filter_string="name LIKE 'files%'")],
)
mlflow.delete_run(run.info.run_id)
print(mlflow.get_run(run.info.run_id).info.lifecycle_stage)

model = mlflow.create_external_model(name="outside", params={"a": "1"}, model_type="agent")
mlflow.set_active_model(model_id=model.model_id)
print(mlflow.get_active_model_id() == model.model_id)
with mlflow.start_run(run_name="measured"):
    mlflow.log_metric("score", 0.5)
mlflow.log_model_params({"b": "2"})
mlflow.clear_active_model()
print(mlflow.get_active_model_id())
model = mlflow.get_logged_model(model.model_id)
print(model.params, [(metric.key, metric.value) for metric in model.metrics], model.model_type)
listed = mlflow.search_logged_models(filter_string="name = 'outside'", output_format="list")
print([item.name for item in listed], mlflow.search_logged_models()["name"].tolist())
