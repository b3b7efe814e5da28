"""A search over settings: a parent run, a child run for each setting, the best one registered."""

import itertools

import mlflow
from sklearn.datasets import load_diabetes
from sklearn.linear_model import ElasticNet
from sklearn.metrics import mean_squared_error
from sklearn.model_selection import train_test_split

mlflow.set_experiment("children")
X, y = load_diabetes(return_X_y=True, as_frame=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)

with mlflow.start_run(run_name="search", tags={"kind": "grid"}) as parent:
    mlflow.log_param("estimator", "ElasticNet")
    for number, (alpha, ratio) in enumerate(itertools.product([0.01], [0.2, 0.8])):
        with mlflow.start_run(run_name=f"trial-{number}", nested=True):
            mlflow.log_params({"alpha": alpha, "l1_ratio": ratio})
            model = ElasticNet(alpha=alpha, l1_ratio=ratio).fit(X_train, y_train)
            for step, share in enumerate((0.5, 1.0)):
                rows = int(len(X_test) * share)
                error = mean_squared_error(y_test[:rows], model.predict(X_test[:rows]))
                mlflow.log_metric("mse", error, step=step)
            mlflow.sklearn.log_model(model, name="model")
    print(mlflow.active_run().info.run_name)

best = mlflow.search_runs(
    filter_string=f"tags.mlflow.parentRunId = '{parent.info.run_id}'",
    order_by=["metrics.mse ASC"],
    max_results=1,
)
print(best[["params.alpha", "params.l1_ratio", "status"]].to_dict("list"))
run_id = best.loc[0, "run_id"]
print(mlflow.get_parent_run(run_id).info.run_name, mlflow.get_parent_run(parent.info.run_id))
version = mlflow.register_model(f"runs:/{run_id}/model", "diabetes")
print(version.name, version.version)
history = mlflow.MlflowClient().get_metric_history(run_id, "mse")
print([(point.step, round(point.value, 6)) for point in history])
