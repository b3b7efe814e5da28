"""Evaluating a classifier, a regressor, and a metric of one's own."""

import mlflow
from mlflow.models import MetricThreshold, infer_signature, make_metric
from sklearn.datasets import load_breast_cancer, load_diabetes, load_wine
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

mlflow.set_experiment("evaluation")
quiet = {"log_model_explainability": False}


def rounded(metrics):
    return {name: round(float(value), 6) for name, value in sorted(metrics.items())}


X, y = load_breast_cancer(return_X_y=True, as_frame=True)
model = make_pipeline(StandardScaler(), LogisticRegression()).fit(X, y)
with mlflow.start_run(run_name="binary"):
    info = mlflow.sklearn.log_model(model, name="model", signature=infer_signature(X, y))
    result = mlflow.models.evaluate(
        info.model_uri, X.assign(label=y), targets="label", model_type="classifier",
        evaluators="default", evaluator_config=quiet,
    )  # fmt: skip
    print(rounded(result.metrics), sorted(result.artifacts))
    other = mlflow.models.evaluate(
        info.model_uri, X.assign(label=y), targets="label", model_type="classifier",
        evaluator_config={**quiet, "pos_label": 0, "metric_prefix": "zero_"},
    )  # fmt: skip
    print(rounded(other.metrics))

X, y = load_wine(return_X_y=True, as_frame=True)
model = make_pipeline(StandardScaler(), LogisticRegression()).fit(X, y)
dataset = mlflow.data.from_pandas(X.assign(kind=y), targets="kind", name="wine")
with mlflow.start_run(run_name="three"):
    info = mlflow.sklearn.log_model(model, name="model")
    result = mlflow.models.evaluate(
        info.model_uri, dataset, model_type="classifier", evaluator_config=quiet
    )
    print(rounded(result.metrics), sorted(result.artifacts))
    table = result.artifacts["per_class_metrics"].content
    print(table.round(6).to_dict("list"))

X, y = load_diabetes(return_X_y=True, as_frame=True)
X["label"], X["guess"] = y, LinearRegression().fit(X, y).predict(X).round(3)


def over(predictions, targets, metrics):
    return float((predictions > targets).mean())


share = make_metric(eval_fn=over, greater_is_better=False, name="share_over")
with mlflow.start_run(run_name="numbers"):
    result = mlflow.models.evaluate(
        data=X, targets="label", predictions="guess", model_type="regressor", extra_metrics=[share]
    )
    print(rounded(result.metrics))
thresholds = {"r2_score": MetricThreshold(threshold=0.3, greater_is_better=True)}
print(mlflow.validate_evaluation_results(thresholds, result))
try:
    thresholds = {"r2_score": MetricThreshold(threshold=0.9, greater_is_better=True)}
    mlflow.validate_evaluation_results(thresholds, result)
except mlflow.MlflowException as error:
    print(error.error_code)
