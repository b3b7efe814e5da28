"""Metrics of a library's own names in an evaluation, and metrics that name the data they were measured on."""

import mlflow
import numpy as np
import pandas as pd
from mlflow.metrics import mae, make_metric, max_error, rmse
from mlflow.models.evaluation import MetricThreshold
from sklearn.datasets import load_diabetes
from sklearn.linear_model import Ridge

mlflow.set_experiment("measures")
frame = load_diabetes(as_frame=True).frame.round(4)
train, test = frame[:300], frame[300:]
model = Ridge(alpha=0.5).fit(train.drop(columns="target"), train["target"])
scored = test.assign(guess=model.predict(test.drop(columns="target")).round(3))
for metric in (mae(), rmse(), max_error(), mlflow.metrics.r2_score()):
    found = metric.eval_fn(scored["guess"], scored["target"])
    print(metric, {key: round(value, 6) for key, value in found.aggregate_results.items()})

near = make_metric(
    eval_fn=lambda predictions, targets: np.mean(np.abs(predictions - targets) < 50),
    greater_is_better=True,
    name="near",
)
with mlflow.start_run(run_name="measured"):
    result = mlflow.models.evaluate(
        data=scored, targets="target", predictions="guess", extra_metrics=[mae(), rmse(), near]
    )
print({key: round(float(value), 6) for key, value in sorted(result.metrics.items())})
print(MetricThreshold(threshold=0.5, greater_is_better=True).threshold)

known = mlflow.data.from_pandas(pd.DataFrame(test), name="test", targets="target")
with mlflow.start_run(run_name="named"):
    mlflow.log_metrics({"mae": 1.5, "rmse": 2.5}, dataset=known)
read = mlflow.last_active_run().inputs.dataset_inputs
print([(item.dataset.name, item.dataset.digest) for item in read])
