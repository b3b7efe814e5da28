"""MLflow on an SQLite store in the working directory."""

import sys

from benchmarks.adapters.common import Product, main
from benchmarks.filling import fill_mlflow

STORE = "sqlite:///mlflow.db"


def load():
    import mlflow

    mlflow.set_tracking_uri(STORE)
    return mlflow


def imported():
    import mlflow

    return mlflow


def fill(count, params, metrics):
    fill_mlflow("mlflow.db", count, params, metrics)


def log(run_id, points):
    from mlflow import MlflowClient
    from mlflow.entities import Metric

    MlflowClient().log_batch(run_id, metrics=[Metric(*point) for point in points])


def read(run_id, key):
    from mlflow import MlflowClient

    return MlflowClient().get_metric_history(run_id, key)


def server(port):
    command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1"]
    return [*command, "--port", str(port), "--backend-store-uri", STORE]


if __name__ == "__main__":
    main(Product(load, imported, fill, log, read, server))
