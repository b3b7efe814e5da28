"""What a training read, as a run keeps it: name, shape, schema and a digest of the data."""

from __future__ import annotations

import hashlib
import json
import sys
from typing import TYPE_CHECKING, Any

from mltrack_jupyter.entities import Dataset, DatasetInput, Tag
from mltrack_jupyter.tracking import fluent

if TYPE_CHECKING:
    from mltrack_jupyter.models import ModelSignature

CONTEXT = "mlflow.data.context"
# A digest tells data apart; it need not read all of it. MLflow reads as many rows.
_MAX_ROWS = 10_000
EXAMPLE_ROWS = 5


def log_dataset(
    run_id: str, data: Any, targets: Any = None, *, context: str = "train", name: str = "dataset"
) -> None:
    """Record tabular data as an input of a run; nothing happens for data of an unknown kind."""
    described = describe(data, targets, name)
    if described is not None:
        entry = DatasetInput(dataset=described, tags=[Tag(CONTEXT, context)])
        fluent.services().runs.log_inputs(run_id, datasets=[entry])


def describe(data: Any, targets: Any = None, name: str = "dataset") -> Dataset | None:
    """Return what is known of a frame, an array, a sparse matrix or a list of rows."""
    # Models bring a parser of YAML with them, which switching on need not load.
    from mltrack_jupyter.models.inference import infer_schema

    table = as_table(data)
    if table is None:
        return None
    shape = [int(size) for size in table.shape]
    profile: dict[str, Any] = {"num_rows": shape[0], "num_elements": _product(shape)}
    if hasattr(table, "columns"):
        schema: dict[str, Any] = {"mlflow_colspec": json.loads(infer_schema(table).to_json())}
    else:
        dense = _rows(table, 1)
        profile = {"features_shape": shape, "features_size": _product(shape)}
        schema = {"mlflow_tensorspec": {"features": infer_schema(dense).to_json(), "targets": None}}
    digest = hashlib.sha256(repr(shape).encode())
    for part in (table, as_table(targets) if targets is not None else None):
        if part is not None:
            _feed(digest, _rows(part, _MAX_ROWS))
    return Dataset(
        name=name,
        digest=digest.hexdigest()[:8],
        source_type="code",
        source=json.dumps({"tags": {}}),
        schema=json.dumps(schema),
        profile=json.dumps(profile),
    )


def _product(sizes: list[int]) -> int:
    total = 1
    for size in sizes:
        total *= size
    return total


def as_table(data: Any) -> Any:
    """Return data with a shape, without copying what has one; ``None`` for what is no table."""
    if hasattr(data, "shape") and len(getattr(data, "shape", ())) > 0:
        return data
    numpy = sys.modules.get("numpy")
    if isinstance(data, list | tuple) and data and numpy is not None:
        found = numpy.asarray(data)
        return None if found.dtype == object else found
    return None


def _rows(table: Any, most: int) -> Any:
    """Return the first rows; of a sparse matrix as a dense array."""
    part = table.iloc[:most] if hasattr(table, "iloc") else table[:most]
    return part.toarray() if hasattr(part, "toarray") else part


def _feed(digest: Any, rows: Any) -> None:
    if hasattr(rows, "columns") or hasattr(rows, "index"):
        pandas = sys.modules["pandas"]
        digest.update(repr(list(getattr(rows, "columns", []))).encode())
        digest.update(pandas.util.hash_pandas_object(rows).to_numpy().tobytes())
    elif hasattr(rows, "detach"):
        _feed(digest, rows.detach().cpu().numpy())
    else:
        values = rows.astype(str) if getattr(rows.dtype, "kind", "") == "O" else rows
        digest.update(str(values.dtype).encode())
        digest.update(values.tobytes())


def example_of(data: Any) -> Any:
    """Return a copy of the first rows of some data, taken before a training can change them."""
    table = as_table(data)
    if table is None:
        return None
    rows = _rows(table, EXAMPLE_ROWS)
    return rows.copy() if hasattr(rows, "copy") else rows


def signature_of(model: Any, example: Any) -> ModelSignature | None:
    """Return the signature of a model, from what it makes of an example; ``None`` without one."""
    method = getattr(model, "predict", None) or getattr(model, "transform", None)
    if example is None or method is None:
        return None
    given = example.copy() if hasattr(example, "copy") else example
    return signature(example, method(given))


def signature(example: Any, output: Any) -> ModelSignature:
    """Return the signature of a model that took and gave such data."""
    from mltrack_jupyter.models import infer_signature

    return infer_signature(example, output)
