"""How each product logs: begin a run, log, end it so that others can read it, read one metric."""

from __future__ import annotations

import csv
import json
import mmap
import os
import sqlite3
import struct
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar


class Product:
    """What a product is asked for; the run that is open is the product's own business."""

    module = ""
    hidden: ClassVar[tuple[str, ...]] = ()
    """What it shall not find: heavy packages of others that happen to be installed, and it can do without."""

    def load(self) -> Any:
        """Import it."""
        return __import__(self.module)

    def begin(self, name: str = "run") -> None: ...
    def log(self, key: str, value: float, step: int) -> None: ...

    def log_all(self, values: dict[str, float], step: int) -> None:
        for key, value in values.items():
            self.log(key, value, step)

    def describe(self, params: dict[str, int], tags: dict[str, str]) -> None: ...
    def end(self) -> None: ...

    def read(self, key: str) -> int:
        """Read a metric of the only run, in a process that did not write it; return its points."""
        raise NotImplementedError


class Ours(Product):
    module = "mltrack_jupyter"

    def load(self) -> Any:
        import mltrack_jupyter

        mltrack_jupyter.set_tracking_uri(".mltrack")
        self.api = mltrack_jupyter
        return mltrack_jupyter

    def begin(self, name: str = "run") -> None:
        self.run = self.api.start_run(run_name=name)
        self.log = self.api.log_metric

    def log_all(self, values: dict[str, float], step: int) -> None:
        self.api.log_metrics(values, step=step)

    def describe(self, params: dict[str, int], tags: dict[str, str]) -> None:
        self.api.log_params(params)
        self.api.set_tags(tags)

    def end(self) -> None:
        self.api.end_run()

    def settle(self) -> None:
        from mltrack_jupyter.tracking import surroundings

        surroundings.wait(self.run.run_id)  # the commit and the environment belong to the begin
        self.api.get_run(self.run.run_id)  # whoever reads hands over first

    def read(self, key: str) -> int:
        run_id = self.api.search_runs(output_format="list")[0].info.run_id
        return len(self.api.get_metric_history(run_id, key, output_format="columns")["value"])


class Bare(Product):
    """The limit: a file that is appended to, then tables of SQLite, with nothing between them.

    No names, checks, threads, processes or settings: what any tracker in Python has to do at least.
    """

    module = "sqlite3"
    _POINT, _RECORD = struct.Struct("<Iqqd"), struct.Struct("<4xIqqd")

    def load(self) -> Any:
        self.database = sqlite3.connect("bare.db", isolation_level=None)
        self.database.executescript(
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;"
            "CREATE TABLE IF NOT EXISTS runs (id INTEGER PRIMARY KEY, name TEXT);"
            "CREATE TABLE IF NOT EXISTS pairs (run, kind, key, value, PRIMARY KEY (run, kind, key)) "
            "WITHOUT ROWID;"
            "CREATE TABLE IF NOT EXISTS metrics (run, key, step, timestamp, value, "
            "PRIMARY KEY (run, key, step, timestamp, value)) WITHOUT ROWID"
        )
        self.handle = os.open("bare.journal", os.O_RDWR | os.O_CREAT)
        os.posix_fallocate(self.handle, 0, 1 << 24)
        self.pages, self.size, self.keys = mmap.mmap(self.handle, 1 << 24), 0, {}
        return self

    def begin(self, name: str = "run") -> None:
        self.name, self.pairs, self.start = name, [], self.size

    def log(self, key: str, value: float, step: int) -> None:
        number = self.keys.setdefault(key, len(self.keys))
        content = self._POINT.pack(number, step, time.time_ns() // 1_000_000, value)
        end = self.size + self._RECORD.size
        self.pages[self.size : end] = struct.pack("<I", zlib.crc32(content)) + content
        self.size = end

    def describe(self, params: dict[str, int], tags: dict[str, str]) -> None:
        self.pairs += [("param", key, str(value)) for key, value in params.items()]
        self.pairs += [("tag", key, value) for key, value in tags.items()]

    def end(self) -> None:
        names, execute = list(self.keys), self.database.execute
        execute("BEGIN IMMEDIATE")
        run = execute("INSERT INTO runs (name) VALUES (?)", (self.name,)).lastrowid
        rows = [(run, *pair) for pair in self.pairs]
        self.database.executemany("INSERT INTO pairs VALUES (?, ?, ?, ?)", rows)
        found = self._RECORD.iter_unpack(self.pages[self.start : self.size])
        points = [(run, names[number], *point) for number, *point in found]
        self.database.executemany("INSERT OR IGNORE INTO metrics VALUES (?, ?, ?, ?, ?)", points)
        execute("COMMIT")

    def read(self, key: str) -> int:
        query = "SELECT step, timestamp, value FROM metrics WHERE key = ?"
        return len(self.database.execute(query, (key,)).fetchall())


class Mlflow(Product):
    module = "mlflow"

    def load(self) -> Any:
        import mlflow

        mlflow.set_tracking_uri("sqlite:///mlflow.db")
        self.api = mlflow
        return mlflow

    def begin(self, name: str = "run") -> None:
        self.api.start_run(run_name=name)

    def log(self, key: str, value: float, step: int) -> None:
        self.api.log_metric(key, value, step=step)

    def log_all(self, values: dict[str, float], step: int) -> None:
        self.api.log_metrics(values, step=step)

    def describe(self, params: dict[str, int], tags: dict[str, str]) -> None:
        self.api.log_params(params)
        self.api.set_tags(tags)

    def end(self) -> None:
        self.api.end_run()

    def read(self, key: str) -> int:
        run = self.api.search_runs(output_format="list")[0]
        return len(self.api.MlflowClient().get_metric_history(run.info.run_id, key))


class Trackio(Product):
    module = "trackio"

    def load(self) -> Any:
        os.environ["TRACKIO_DIR"] = str(Path("trackio").absolute())
        import trackio

        self.api = trackio
        return trackio

    def begin(self, name: str = "run") -> None:
        self.api.init(project="bench", name=name, embed=False)

    def log(self, key: str, value: float, step: int) -> None:
        self.api.log({key: value}, step=step)

    def log_all(self, values: dict[str, float], step: int) -> None:
        self.api.log(values, step=step)

    def end(self) -> None:
        self.api.finish()

    def read(self, key: str) -> int:
        from trackio.sqlite_storage import SQLiteStorage

        return sum(key in row for row in SQLiteStorage.get_logs("bench", "run"))


class Wandb(Product):
    module = "wandb"

    def load(self) -> Any:
        os.environ |= {"WANDB_MODE": "offline", "WANDB_SILENT": "true"}
        import wandb

        self.api = wandb
        return wandb

    def begin(self, name: str = "run") -> None:
        self.run = self.api.init(project="bench", name=name, dir=".")

    def log(self, key: str, value: float, step: int) -> None:
        self.run.log({key: value}, step=step)

    def log_all(self, values: dict[str, float], step: int) -> None:
        self.run.log(values, step=step)

    def describe(self, params: dict[str, int], tags: dict[str, str]) -> None:
        self.run.config.update({**params, **tags})

    def end(self) -> None:
        self.run.finish()

    def read(self, key: str) -> int:
        from wandb.proto import wandb_internal_pb2

        (path,) = Path("wandb").glob("offline-run-*/*.wandb")
        found = 0
        for data in _records(path.read_bytes()):
            record = wandb_internal_pb2.Record()
            record.ParseFromString(data)
            found += any(key in (item.key, *item.nested_key) for item in record.history.item)
        return found


def _records(data: bytes) -> Iterator[bytes]:
    """Yield the records of a LevelDB log: blocks of 32 KiB, records in one piece or several."""
    place, whole = 7, b""
    while place + 7 < len(data):
        if 32768 - place % 32768 < 7:
            place += 32768 - place % 32768
            continue
        _, length, kind = struct.unpack_from("<IHB", data, place)
        if kind == 0 or place + 7 + length > len(data):
            return
        whole += data[place + 7 : place + 7 + length]
        place += 7 + length
        if kind in (1, 4):
            yield whole
            whole = b""


class Aim(Product):
    module = "aim"

    def load(self) -> Any:
        import aim

        self.api = aim
        return aim

    def begin(self, name: str = "run") -> None:
        self.run = self.api.Run(repo=".", system_tracking_interval=None)

    def log(self, key: str, value: float, step: int) -> None:
        self.run.track(value, name=key, step=step)

    def describe(self, params: dict[str, int], tags: dict[str, str]) -> None:
        self.run["params"] = params
        for key, value in tags.items():
            self.run.add_tag(f"{key}={value}")

    def end(self) -> None:
        self.run.close()

    def read(self, key: str) -> int:
        repo = self.api.Repo(".")
        (run,) = list(repo.iter_runs())
        metric = next(item for item in run.metrics() if item.name == key)
        return len(metric.values.sparse_numpy()[0])


class Dvclive(Product):
    module = "dvclive"

    def begin(self, name: str = "run") -> None:
        from dvclive import Live

        place = f"dvclive/{name}"
        self.live = Live(place, save_dvc_exp=False, dvcyaml=None, monitor_system=False)

    def log(self, key: str, value: float, step: int) -> None:
        self.live.step = step
        self.live.log_metric(key, value)

    def describe(self, params: dict[str, int], tags: dict[str, str]) -> None:
        self.live.log_params({**params, **tags})

    def end(self) -> None:
        self.live.end()

    def read(self, key: str) -> int:
        path = Path("dvclive/run/plots/metrics", f"{key}.tsv")
        with path.open(newline="") as file:
            return sum(1 for row in csv.DictReader(file, delimiter="\t") if float(row[key]) > -1)


class Tensorboardx(Product):
    module = "tensorboardX"
    hidden = ("torch", "tensorflow")  # which it imports where they are, and logs numbers without

    def load(self) -> Any:
        import tensorboardX

        self.api = tensorboardX
        return tensorboardX

    def begin(self, name: str = "run") -> None:
        self.writer = self.api.SummaryWriter(f"logs/{name}")

    def log(self, key: str, value: float, step: int) -> None:
        self.writer.add_scalar(key, value, step)

    def describe(self, params: dict[str, int], tags: dict[str, str]) -> None:
        self.writer.add_text("params", json.dumps({**params, **tags}))

    def end(self) -> None:
        self.writer.close()

    def read(self, key: str) -> int:
        from tensorboardX.proto.event_pb2 import Event

        found = 0
        for path in Path("logs/run").iterdir():
            data, place = path.read_bytes(), 0
            while place + 12 < len(data):
                (length,) = struct.unpack_from("<Q", data, place)
                if place + 16 + length > len(data):
                    break
                event = Event()
                event.ParseFromString(data[place + 12 : place + 12 + length])
                found += any(value.tag == key for value in event.summary.value)
                place += 16 + length
        return found


PRODUCTS = {
    "ours": Ours, "bare": Bare, "mlflow": Mlflow, "trackio": Trackio, "wandb": Wandb, "aim": Aim,
    "dvclive": Dvclive, "tensorboardX": Tensorboardx,
}  # fmt: skip
