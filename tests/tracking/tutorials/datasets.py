"""Datasets that runs read: where they are from, what is in them, in which role."""

import mlflow
import numpy as np
import pandas as pd
from mlflow.data.pandas_dataset import PandasDataset

mlflow.set_experiment("datasets")
frame = pd.DataFrame(
    {"age": [31, 45, 28], "city": ["Köln", "Oslo", "Rome"], "income": [1.5, 2.0, np.nan],
     "ok": [True, False, True], "when": pd.to_datetime(["2020-01-01", "2021-01-01", "2022-01-01"])}
)  # fmt: skip
people: PandasDataset = mlflow.data.from_pandas(
    frame, source="https://example.org/people.csv", name="people", targets="income"
)
arrays = mlflow.data.from_numpy(np.arange(12.0).reshape(4, 3), targets=np.array([0, 1, 0, 1]))
named = mlflow.data.from_numpy(
    {"b": np.ones((2, 2)), "a": np.zeros(3, dtype=np.int32)}, name="both"
)
source = mlflow.data.http_dataset_source.HTTPDatasetSource(url="https://example.org/data.tar.gz")
described = mlflow.data.meta_dataset.MetaDataset(source, name="archive")
for dataset in (people, arrays, named, described):
    print(dataset.name, dataset.digest, dataset.profile)

with mlflow.start_run(run_name="reads"):
    mlflow.log_input(people, context="training", tags={"split": "a"})
    mlflow.log_input(arrays, context="testing")
    mlflow.log_inputs(
        datasets=[named, described], contexts=["eval", None], tags_list=[None, {"x": "1"}]
    )
    mlflow.log_metric("loss", 0.5, dataset=people)
    mlflow.log_metrics({"loss": 0.25, "gain": 1.0}, step=3, dataset=people)

run = mlflow.get_run(mlflow.last_active_run().info.run_id)
for found in sorted(run.inputs.dataset_inputs, key=lambda found: found.dataset.name):
    dataset = found.dataset
    print(
        dataset.name,
        dataset.digest,
        dataset.source_type,
        dataset.schema or "",
        dataset.profile or "",
    )
    print(sorted((tag.key, tag.value) for tag in found.tags))
people_again = next(d for d in run.inputs.dataset_inputs if d.dataset.name == "people")
print(mlflow.data.get_source(people_again).url)
