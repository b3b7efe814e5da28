"""How each product logs: begin a run, log, end it so that others can read it, read one metric.

``python -m benchmarks.adapters.logging <product> <work> <count>`` in an empty folder.
"""

from __future__ import annotations

import json
import os
import statistics
import struct
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar


class Product:
    """What a product is asked for; the run that is open is the product's own business."""

    module = ""
    name: ClassVar[str]

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
        self.api.get_run(self.run.run_id)  # whoever reads hands over first

    def read(self, key: str) -> int:
        from mltrack_jupyter.tracking import session

        services = session.services()
        run_id = self.api.search_runs(output_format="list")[0].info.run_id
        return len(services.metrics.history(run_id, key).items)


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


class Tensorboardx(Product):
    module = "tensorboardX"

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
    "ours": Ours, "mlflow": Mlflow, "trackio": Trackio, "wandb": Wandb, "aim": Aim,
    "tensorboardX": Tensorboardx,
}  # fmt: skip


def loaded(product: Product, count: int) -> dict[str, float]:
    begin, cpu = time.perf_counter(), time.process_time()
    __import__(product.module)
    if product.module == "mltrack_jupyter":  # its names are loaded when they are first used
        from mltrack_jupyter import log_metric, start_run  # noqa: F401
    return {"seconds": time.perf_counter() - begin, "cpu": time.process_time() - cpu}


def first(product: Product, count: int) -> dict[str, float]:
    product.load()
    product.begin()
    product.log("m", 1.0, 0)
    if not isinstance(product, Ours | Mlflow):  # they are durable when the call returns
        product.end()
    return {"cpu": time.process_time(), "at": time.time()}


def calls(product: Product, count: int) -> dict[str, float]:
    product.load()
    product.begin()
    product.log("warm", 0.0, 0)
    clock, log, times = time.perf_counter_ns, product.log, []
    for step in range(count):
        begin = clock()
        log("m", 1.0 / (step + 1), step)
        times.append((clock() - begin) / 1000)
    times.sort()
    return {"p50": statistics.median(times), "p99": times[int(count * 0.99)]}


def points(product: Product, count: int, width: int = 1) -> dict[str, float]:
    product.load()
    product.begin()
    product.log("warm", 0.0, 0)
    if isinstance(product, Ours):
        product.settle()
    begin, cpu = time.perf_counter(), time.process_time()
    for step in range(count):
        if width == 1:
            product.log("m", 1.0 / (step + 1), step)
        else:
            product.log_all({f"m{key}": step / (key + 1) for key in range(width)}, step)
    product.end()
    if isinstance(product, Ours):
        product.settle()
    return {"seconds": time.perf_counter() - begin, "cpu": time.process_time() - cpu}


def wide(product: Product, count: int) -> dict[str, float]:
    return points(product, count, 10)


def runs(product: Product, count: int) -> dict[str, float]:
    product.load()
    product.begin("warm")
    product.log("warm", 0.0, 0)
    product.end()
    begin, cpu = time.perf_counter(), time.process_time()
    for number in range(count):
        product.begin(f"run-{number}")
        product.describe(
            {f"param{i}": i * number for i in range(10)}, {f"tag{i}": str(number) for i in range(3)}
        )
        product.log_all({f"metric{i}": i / (number + 1) for i in range(5)}, 0)
        product.end()
    if isinstance(product, Ours):
        product.settle()
    seconds = time.perf_counter() - begin
    return {"rate": count / seconds, "cpu": (time.process_time() - cpu) / count}


def fill(product: Product, count: int) -> dict[str, float]:
    """Log many points as fast as the product can; how large is that on the disk?"""
    product.load()
    before = _size()
    if isinstance(product, Mlflow):
        from mlflow.entities import Metric

        run = product.api.start_run()
        for first in range(0, count, 1000):
            batch = [
                Metric("m", 0.1 * s, 1_780_000_000_000 + s, s) for s in range(first, first + 1000)
            ]
            product.api.MlflowClient().log_batch(run.info.run_id, metrics=batch)
        product.api.end_run()
    else:
        product.begin()
        for step in range(count):
            product.log("m", 0.1 * step, step)
        product.end()
        if isinstance(product, Ours):
            from mltrack_jupyter.tracking import session

            session.close()
    return {"bytes": (_size() - before) / count}


def read(product: Product, count: int) -> dict[str, float]:
    product.load()
    begin, cpu = time.perf_counter(), time.process_time()
    found = product.read("m")
    assert found == count, found
    return {"seconds": time.perf_counter() - begin, "cpu": time.process_time() - cpu}


def count_points(product: Product, count: int) -> dict[str, float]:
    product.load()
    return {"points": product.read("m")}


def for_ever(product: Product, count: int) -> dict[str, float]:
    """Log until killed, and say after each call that it returned."""
    product.load()
    product.begin()
    for step in range(10**9):
        product.log("m", 0.5, step)
        os.write(1, b"%d\n" % step)
    return {}


def _size() -> int:
    return sum(path.stat().st_size for path in Path().rglob("*") if path.is_file())


WORKS = {
    work.__name__: work
    for work in (loaded, first, calls, points, wide, runs, fill, read, count_points, for_ever)
}

if __name__ == "__main__":
    answer = WORKS[sys.argv[2]](PRODUCTS[sys.argv[1]](), int(sys.argv[3]))
    print(json.dumps(answer), flush=True)
