"""Stores full of runs, written straight into the tables of each product: a minute, not an hour.

Both get the same runs in the order in which they were made, as their own clients would have left them.
Run ``i`` has params ``p0`` … (``p0`` is ``i`` modulo 10), metrics ``m0`` … and two tags.
"""

from __future__ import annotations

import random
import sqlite3
import struct
from collections.abc import Iterator
from itertools import islice

NOW = 1_780_000_000_000
_BATCH = 2_000
_STAGED = {
    "param": "INSERT INTO params ({run}, key, value) VALUES (?, ?, ?)",
    "tag": "INSERT INTO tags ({run}, key, value) VALUES (?, ?, ?)",
}


def run_ids(count: int) -> Iterator[str]:
    """Ids as clients invent them, the same at every call."""
    chance = random.Random(1)
    for _ in range(count):
        yield f"{chance.getrandbits(128):032x}"


def bits(value: float) -> int:
    """The eight bytes of a float as ours keeps them; no value here is negative."""
    return struct.unpack("<q", struct.pack("<d", value))[0]


def fill_ours(path: str, count: int, params: int, metrics: int) -> None:
    """Fill a new store of ours."""
    import mltrack_jupyter

    mltrack_jupyter.set_tracking_uri(path)
    experiment = int(mltrack_jupyter.set_experiment("bench").experiment_id)
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA synchronous=OFF")
        connection.execute("PRAGMA cache_size=-400000")
        numbers = iter(enumerate(run_ids(count), 1))
        chance = random.Random(2)
        while batch := list(islice(numbers, _BATCH)):
            _ours(connection, experiment, batch, chance, params, metrics)
    connection.close()


def _ours(connection, experiment, batch, chance, params, metrics) -> None:
    connection.executemany(
        "INSERT INTO runs (id, run_id, experiment, name, user_id, status, start_time, end_time, "
        "artifact_uri, lifecycle_stage) VALUES (?, ?, ?, ?, 'me', 'FINISHED', ?, ?, ?, 'active')",
        [
            (i, run, experiment, f"run-{i}", NOW + i, NOW + i + 9, f"mlflow-artifacts:/1/{run}")
            for i, run in batch
        ],
    )
    connection.executemany(_STAGED["param"].format(run="run"), _params(batch, params, by_id=False))
    connection.executemany(_STAGED["tag"].format(run="run"), _tags(batch, by_id=False))
    values = [(i, f"m{k}", 9, NOW + i, chance.random()) for i, _ in batch for k in range(metrics)]
    connection.executemany(
        "INSERT INTO latest_metrics (run, key, step, timestamp, bits, value, min, max, count) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, 10)",
        [(*row[:4], bits(row[4]), row[4], 0.0, row[4]) for row in values],
    )


def fill_mlflow(path: str, count: int, params: int, metrics: int) -> None:
    """Fill a new store of MLflow's."""
    import mlflow

    mlflow.set_tracking_uri(f"sqlite:///{path}")
    experiment = int(mlflow.set_experiment("bench").experiment_id)
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA synchronous=OFF")
        connection.execute("PRAGMA cache_size=-400000")
        numbers = iter(enumerate(run_ids(count), 1))
        chance = random.Random(2)
        while batch := list(islice(numbers, _BATCH)):
            _mlflow(connection, experiment, batch, chance, params, metrics)
    connection.close()


def _mlflow(connection, experiment, batch, chance, params, metrics) -> None:
    connection.executemany(
        "INSERT INTO runs (run_uuid, experiment_id, name, user_id, source_type, source_name, "
        "entry_point_name, source_version, status, start_time, end_time, artifact_uri, "
        "lifecycle_stage) "
        "VALUES (?, ?, ?, 'me', 'UNKNOWN', '', '', '', 'FINISHED', ?, ?, ?, 'active')",
        [
            (run, experiment, f"run-{i}", NOW + i, NOW + i + 9, f"mlflow-artifacts:/1/{run}")
            for i, run in batch
        ],
    )
    connection.executemany(_STAGED["param"].format(run="run_uuid"), _params(batch, params, True))
    connection.executemany(_STAGED["tag"].format(run="run_uuid"), _tags(batch, True))
    connection.executemany(
        "INSERT INTO latest_metrics (run_uuid, key, step, timestamp, value, is_nan) "
        "VALUES (?, ?, 9, ?, ?, 0)",
        [(run, f"m{k}", NOW + i, chance.random()) for i, run in batch for k in range(metrics)],
    )


def _params(batch, count: int, by_id: bool) -> Iterator[tuple[object, str, str]]:
    for i, run in batch:
        for k in range(count):
            yield (run if by_id else i), f"p{k}", str(i % 10 if k == 0 else (i * k) % 997)


def _tags(batch, by_id: bool) -> Iterator[tuple[object, str, str]]:
    for i, run in batch:
        yield (run if by_id else i), "mlflow.runName", f"run-{i}"
        yield (run if by_id else i), "team", f"team-{i % 7}"
