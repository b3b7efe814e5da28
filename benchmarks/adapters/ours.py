"""mltrack_jupyter on its default SQLite store in the working directory."""

import sys

from benchmarks.adapters.common import Product, main
from benchmarks.filling import fill_ours


def load():
    import mltrack_jupyter

    mltrack_jupyter.set_tracking_uri(".mltrack")
    return mltrack_jupyter


def imported():
    import mltrack_jupyter

    return mltrack_jupyter


def fill(count, params, metrics):
    fill_ours(".mltrack/mltrack.db", count, params, metrics)


def log(run_id, points):
    from mltrack_jupyter import Client
    from mltrack_jupyter.entities import Metric

    Client().log_batch(run_id, metrics=[Metric(*point) for point in points])


def read(run_id, key):
    import mltrack_jupyter

    return mltrack_jupyter.get_metric_history(run_id, key, output_format="columns")["value"]


def server(port):
    command = [sys.executable, "-m", "mltrack_jupyter.cli", "server", "--port", str(port)]
    return [*command, "--no-auth", "--backend-store-uri", ".mltrack"]


if __name__ == "__main__":
    main(Product(load, imported, fill, log, read, server))
