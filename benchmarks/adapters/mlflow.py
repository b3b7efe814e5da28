"""MLflow on an SQLite store in the working directory."""

from benchmarks.adapters.common import main


def load():
    import mlflow

    mlflow.set_tracking_uri("sqlite:///mlflow.db")
    return mlflow


def imported():
    import mlflow

    return mlflow


if __name__ == "__main__":
    main(load, imported)
