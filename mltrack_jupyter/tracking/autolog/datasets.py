"""What a training read, as a run keeps it: name, shape, schema and a digest of the data."""

from __future__ import annotations

import hashlib
import json
import sys
from typing import TYPE_CHECKING, Any

from mltrack_jupyter.entities import Dataset, DatasetInput, Tag
from mltrack_jupyter.errors import InvalidParameter

if TYPE_CHECKING:
    from mltrack_jupyter.models import ModelSignature
    from mltrack_jupyter.tracking.writer import RunWriter

CONTEXT = "mlflow.data.context"
# A digest tells data apart; it need not read all of it. MLflow reads as many rows.
_MAX_ROWS = 10_000
EXAMPLE_ROWS = 5
# What stores take.
_MAX_SCHEMA = 1_048_575


def log_dataset(
    writer: RunWriter,
    data: Any,
    targets: Any = None,
    *,
    context: str = "train",
    name: str = "dataset",
) -> None:
    """Record tabular data as an input of a run; nothing happens for data of an unknown kind."""
    described = describe(data, targets, name)
    if described is not None:
        writer.dataset(DatasetInput(dataset=described, tags=[Tag(CONTEXT, context)]))


def describe(data: Any, targets: Any = None, name: str = "dataset") -> Dataset | None:
    """Return what is known of a frame, an array, a sparse matrix or a list of rows."""
    table = as_table(data)
    if table is None:
        return None
    shape = [int(size) for size in table.shape]
    profile: dict[str, Any] = {"num_rows": shape[0], "num_elements": _product(shape)}
    if not hasattr(table, "columns"):
        profile = {"features_shape": shape, "features_size": _product(shape)}
    digest = hashlib.sha256(repr(shape).encode())
    for part in (table, as_table(targets) if targets is not None else None):
        if part is not None:
            _feed(digest, _rows(part, _MAX_ROWS))
    return Dataset(
        name=name,
        digest=digest.hexdigest()[:8],
        source_type="code",
        source=json.dumps({"tags": {}}),
        schema=_schema(table),
        profile=json.dumps(profile),
    )


def _schema(table: Any) -> str:
    """Return the schema of a table in MLflow's JSON; nothing for types that it has no name for."""
    # Models bring a parser of YAML with them, which switching on need not load.
    from mltrack_jupyter.models.inference import infer_schema

    try:
        if hasattr(table, "columns"):
            found: dict[str, Any] = {"mlflow_colspec": json.loads(infer_schema(table).to_json())}
        else:
            features = infer_schema(_few(table, 1)).to_json()
            found = {"mlflow_tensorspec": {"features": features, "targets": None}}
    except (InvalidParameter, ValueError):  # the latter for columns of the same name
        return ""
    text = json.dumps(found)
    return text if len(text) <= _MAX_SCHEMA else ""


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
    if not isinstance(data, list | tuple) or not data or numpy is None:
        return None
    try:
        # An array of texts takes the memory of the longest for each of them.
        found = None if isinstance(data[0], str) else numpy.asarray(data)
        if found is None or found.dtype.kind in "US":  # numbers among texts are to stay numbers
            return numpy.array(data, dtype=object)
    except ValueError:  # rows of several lengths
        return None
    return None if found.dtype == object else found


def _rows(table: Any, most: int) -> Any:
    """Return the first rows."""
    if hasattr(table, "tocsr"):  # not every kind of a sparse matrix has rows to ask for
        return table.tocsr()[:most]
    if hasattr(table, "detach"):
        return table[:most].detach().cpu().numpy()
    return table.iloc[:most] if hasattr(table, "iloc") else table[:most]


def _few(table: Any, most: int) -> Any:
    """Return a copy of some rows to look at: dense, and texts as an array of texts."""
    rows = _rows(table, most)
    if hasattr(rows, "toarray"):
        return rows.toarray()
    if getattr(getattr(rows, "dtype", None), "kind", "") == "O" and hasattr(rows, "flat"):
        return rows.astype(str) if all(isinstance(item, str) for item in rows.flat) else rows.copy()
    return rows.copy() if hasattr(rows, "copy") else rows


def _feed(digest: Any, rows: Any) -> None:
    if hasattr(rows, "indptr"):
        # As dense rows they may not fit into memory.
        ordered = rows.sorted_indices()
        for part in (ordered.indptr, ordered.indices, ordered.data):
            digest.update(part.tobytes())
    elif hasattr(rows, "iloc"):
        pandas = sys.modules["pandas"]
        digest.update(repr(list(getattr(rows, "columns", []))).encode())
        try:
            hashes = pandas.util.hash_pandas_object(rows)
        except TypeError:  # cells such as lists have no hash, but a text
            hashes = pandas.util.hash_pandas_object(rows.astype(str))
        digest.update(hashes.to_numpy().tobytes())
    elif hasattr(rows, "to_numpy"):  # another library's frame
        digest.update(repr(list(getattr(rows, "columns", []))).encode())
        _feed(digest, rows.to_numpy())
    elif getattr(rows.dtype, "kind", "") == "O":
        for item in rows.flat:
            digest.update(f"{item}\0".encode(errors="surrogatepass"))
    else:
        digest.update(str(rows.dtype).encode())
        digest.update(rows.tobytes())


def example_of(data: Any) -> Any:
    """Return a copy of the first rows of some data, taken before a training can change them."""
    table = as_table(data)
    return None if table is None else _few(table, EXAMPLE_ROWS)


def signature_of(model: Any, example: Any) -> ModelSignature | None:
    """Return the signature of a model, from what it makes of an example; ``None`` without one."""
    method = getattr(model, "predict", None) or getattr(model, "transform", None)
    if example is None or method is None:
        return None
    given = example.copy() if hasattr(example, "copy") else example
    return signature(example, method(given))


def signature(example: Any, output: Any) -> ModelSignature | None:
    """Return the signature of a model that took and gave such data; ``None`` for data that have none."""
    from mltrack_jupyter.models import infer_signature

    try:
        return infer_signature(example, output)
    except InvalidParameter:
        return None
