"""Names, keys and limits: what the store accepts. The rules are MLflow's; lengths are kept whole.

Where MLflow cuts a long param or tag in silence we store it whole, up to 1 MB.
"""

from __future__ import annotations

import operator
import posixpath
import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, Protocol

from mltrack_jupyter.entities import Metric, Param, Points, RunStatus, Singles, Tag
from mltrack_jupyter.entities.registered_model import canonical_stage
from mltrack_jupyter.errors import InvalidParameter

MAX_KEY = 250
MAX_TEXT = 1_000_000
MAX_EXPERIMENT_NAME = 500
MAX_EXPERIMENT_TAG = 20_000
MAX_REGISTRY_TAG = 100_000
MAX_MODEL_NAME = 256
MAX_IDS = 30_000
"""How many ids a search may name: SQLite binds 32,766 values to a statement."""
MAX_BATCH = 1000
"""How many points, params and tags a batch may hold."""
MAX_PAIRS = 100
"""How many params, and how many tags, it may hold."""
MAX_INT64 = 2**63 - 1
MAX_ORDINAL = 2**31 - 1
MODEL_TAG = "mltrack.model"
"""The tag of a run with its newest model: where it is, of what class, and the digests of its files."""
HISTORY_TAG = "mlflow.log-model.history"
"""The tag of a run with the models that it made, in MLflow's JSON, by which its tools find them."""
MODEL_ID = re.compile(r"m-[0-9a-f]{32}\Z")
"""The id of a logged model."""
RESERVED = frozenset({MODEL_TAG})
"""Tags of runs that are set by the store alone."""
_KEY = re.compile(r"[\w\-. :/]+\Z")
_NO_KEY = re.compile(r"[^\w\-. :/]")
_RUN_ID = re.compile(r"[A-Za-z0-9][\w-]{0,255}\Z")
# A run's folder is named after it: not so that it would be that of a logged model, or be in another run's.
_NO_RUN_ID = re.compile(r"(?:m-[0-9a-f]{32}|artifacts|models)\Z", re.IGNORECASE)
_PLAIN_KEY = re.compile(
    r"(?=.{1,250}\Z)[A-Za-z0-9_-][A-Za-z0-9_. :-]*(?:/[A-Za-z0-9_-][A-Za-z0-9_. :-]*)*\Z"
)
"""Most names: so long at most, and no part of them begins with a period, so that none is ``.`` or ``..``."""
_ALIAS = re.compile(r"[\w-]{1,255}\Z")
_NO_LOGGED_NAME = re.compile(r"""[/:.%"']""")
_WHOLE = re.compile(r"-?[0-9]+\Z")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_is_plain = _PLAIN_KEY.match


class _Keyed(Protocol):
    @property
    def key(self) -> str: ...


def short(text: object) -> str:
    """Return the repr of a value, cut for a message."""
    shown = repr(text)
    return shown if len(shown) <= 80 else shown[:77] + "..."


def check_key(key: str, kind: str) -> str:
    """Check the name of a param, metric or tag."""
    if type(key) is str:
        return key if _is_plain(key) else _check_name(key, kind)
    if not isinstance(key, str):
        raise InvalidParameter(f"The name of a {kind} must be text, not {short(key)}.")
    return _check_name(str(key), kind)  # numpy's texts are no plain ones


@lru_cache(maxsize=4096)  # a training loop uses a few names, again and again
def _check_name(key: str, kind: str) -> str:
    if not key:
        raise InvalidParameter(f"The name of a {kind} must not be empty.")
    if len(key) > MAX_KEY:
        raise InvalidParameter(
            f"The {kind} name {short(key)} exceeds the maximum length of {MAX_KEY} characters."
        )
    if not _KEY.match(key):
        raise InvalidParameter(
            f"Invalid {kind} name {short(key)}: names may hold letters, digits, underscores, dashes, "
            "periods, spaces, colons and slashes."
        )
    if key != posixpath.normpath(key) or key == "." or key.startswith(("..", "/")):
        raise InvalidParameter(
            f"Invalid {kind} name {short(key)}: slashes must separate names, as in a relative path; "
            f"{short(posixpath.normpath(key).lstrip('/.') or 'name')} would be right."
        )
    return key


@lru_cache(maxsize=4096)
def valid_key(text: str) -> str:
    """Return a name for a param, metric or tag that is as near as can be to one that no store takes."""
    parts = [part for part in _NO_KEY.sub("_", text).split("/") if part]
    key = "/".join(part if part not in (".", "..") else "_" for part in parts)
    if key.startswith(".."):
        key = f"_{key[2:]}"
    return key[:MAX_KEY].rstrip("/") or "_"


def check_text(value: str, kind: str, limit: int = MAX_TEXT, *, key: str = "") -> str:
    """Check a text of any length that is sensible: the value of a param or tag, a description."""
    if len(value) <= limit and "\x00" not in value and (value.isascii() or is_unicode(value)):
        return value
    if key:
        kind = f"{kind} {short(key)}"
    if len(value) > limit:
        raise InvalidParameter(
            f"The value of the {kind} has {len(value)} characters, which exceeds the maximum length of "
            f"{limit} characters; log it as an artifact with log_text(...) instead."
        )
    if "\x00" in value:
        raise InvalidParameter(f"The value of the {kind} holds a NUL character.")
    raise InvalidParameter(f"The value of the {kind} is not Unicode: {short(value)}.")


def is_unicode(text: str) -> bool:
    """Tell whether a text can be written as UTF-8; half a surrogate pair cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def check_int64(value: int, name: str) -> int:
    """Check that an integer fits into 64 bits, as every database holds it."""
    if not -MAX_INT64 - 1 <= value <= MAX_INT64:
        raise InvalidParameter(
            f"Invalid value {short(value)} for parameter {name!r}: it does not fit into 64 bits."
        )
    return value


def check_pairs(pairs: Sequence[Tag] | Sequence[Param], kind: str, limit: int = MAX_TEXT) -> None:
    """Check the names and values of params or tags."""
    for pair in pairs:
        check_key(pair.key, kind)
        check_text(pair.value, kind, limit, key=pair.key)


def check_run_tags(pairs: Sequence[Tag]) -> None:
    """Check the tags that a caller gives a run. Raises ``InvalidParameter`` for one that only the store sets."""
    for pair in pairs:
        check_free(pair.key)
    check_pairs(pairs, "tag")


def check_free(key: str) -> str:
    """Refuse the name of a tag that is reserved: what it says is set by what it is about, and by nobody."""
    if key in RESERVED:
        raise InvalidParameter(
            f"The tag {key!r} is reserved: it is set when a model is logged, and by nothing else. Leave it "
            "out, or choose another name."
        )
    return key


def check_unique(pairs: Sequence[_Keyed], kind: str) -> None:
    """Refuse a key that is given twice."""
    seen: set[str] = set()
    for pair in pairs:
        if pair.key in seen:
            raise InvalidParameter(f"Duplicate {kind} keys are not allowed: {short(pair.key)}.")
        seen.add(pair.key)


def check_metric(point: Metric) -> None:
    """Check the name, the numbers and the time of a point."""
    check_key(point.key, "metric")
    if type(point.step) is not int or type(point.timestamp) is not int:
        raise InvalidParameter(
            f"The step and the timestamp of metric {short(point.key)} must be whole numbers, not "
            f"{short(point.step)} and {short(point.timestamp)}."
        )
    if not isinstance(point.value, float | int):
        raise InvalidParameter(
            f"The metric {short(point.key)} needs a number, not {short(point.value)}."
        )
    check_int64(point.step, "step")
    if check_int64(point.timestamp, "timestamp") < 0:
        raise InvalidParameter(
            f"Invalid value {point.timestamp} for parameter 'timestamp' of metric {short(point.key)}: "
            "it must be milliseconds since 1970, not negative."
        )
    if not 0 <= point.ordinal <= MAX_ORDINAL:
        raise InvalidParameter(
            f"Invalid value {short(point.ordinal)} for parameter 'ordinal' of metric {short(point.key)}: "
            f"it must be from 0 to {MAX_ORDINAL}."
        )


def check_singles(singles: Singles) -> None:
    """Check the names of many metrics that have one point each, and that their columns are of one length."""
    lengths = {len(getattr(singles, name)) for name in singles.__struct_fields__}
    if len(lengths) > 1:
        raise InvalidParameter("The points of many metrics have columns of different lengths.")
    if not all(map(_is_plain, singles.keys)):
        for key in singles.keys:
            check_key(key, "metric")


def check_points(points: Points) -> None:
    """Check the name of a metric and the columns of its points."""
    check_key(points.key, "metric")
    if not len(points.steps) == len(points.timestamps) == len(points.values):
        raise InvalidParameter(
            f"The points of the metric {short(points.key)} have columns of different lengths."
        )
    if points.steps:
        check_int64(min(points.steps), "step")
        check_int64(max(points.steps), "step")
        if (first := min(points.timestamps)) < 0:
            check_metric(Metric(points.key, 0.0, first))
        check_int64(max(points.timestamps), "timestamp")


def check_batch(metrics: Sequence[Metric], params: Sequence[Param], tags: Sequence[Tag]) -> None:
    """Check the sizes, names and values of a batch, before anything of it is written."""
    sizes = (
        ("metrics", metrics, MAX_BATCH),
        ("params", params, MAX_PAIRS),
        ("tags", tags, MAX_PAIRS),
    )
    for name, items, most in sizes:
        if len(items) > most:
            raise InvalidParameter(
                f"A batch may hold at most {most} {name}, not {len(items)}; send several batches."
            )
    if len(metrics) + len(params) + len(tags) > MAX_BATCH:
        raise InvalidParameter(
            f"A batch may hold at most {MAX_BATCH} metrics, params and tags in total."
        )
    for point in metrics:
        check_metric(point)
    check_pairs(params, "param")
    check_unique(params, "param")
    check_run_tags(tags)


def check_experiment_name(name: str) -> str:
    """Check the name of an experiment."""
    if not isinstance(name, str) or not name.strip():
        raise InvalidParameter("The name of an experiment must be text, not empty and not blank.")
    if len(name) > MAX_EXPERIMENT_NAME:
        raise InvalidParameter(
            f"The experiment name {short(name)} exceeds the maximum length of "
            f"{MAX_EXPERIMENT_NAME} characters."
        )
    return check_text(name, "experiment name")


def id_text(value: Any, name: str) -> str:
    """Return an id as the text that it is; MLflow's users write those of experiments and versions as numbers too."""
    if isinstance(value, str):
        return value
    if hasattr(value, "__index__") and not (isinstance(value, bool) or hasattr(value, "__len__")):
        return str(operator.index(value))  # numpy's whole numbers as well, and no arrays
    raise InvalidParameter(
        f"Invalid value {short(value)} for parameter '{name}' supplied: it is a decimal number, as text or "
        "as a whole number, such as '0'."
    )


def id_texts(values: Any, name: str) -> list[str]:
    """Return several ids as texts; a single one stands for itself."""
    several = isinstance(values, Iterable) and not isinstance(values, str)
    return [id_text(value, name) for value in (values if several else [values])]


def parse_experiment_ids(texts: Sequence[str]) -> list[int]:
    """Return the numbers of several experiment ids."""
    return [parse_experiment_id(text) for text in check_ids(texts, "experiment_ids")]


def check_ids(ids: Sequence[str], name: str) -> Sequence[str]:
    """Check how many ids a search names."""
    if len(ids) > MAX_IDS:
        raise InvalidParameter(
            f"At most {MAX_IDS} {name} can be asked for at once, not {len(ids)}."
        )
    return ids


def parse_experiment_id(text: str) -> int:
    """Return the number of an experiment id; one that none can have is -1."""
    return _number(text, 18, "experiment_id", "it is a decimal number, such as '0'.")


def final_status(status: str) -> RunStatus:
    """Return a status that a run can end with, by its name."""
    known = RunStatus.__members__.get(status)
    if known is None or not known.is_terminated():
        raise InvalidParameter(
            f"{short(status)} is no status that a run can end with; right are FINISHED, FAILED and KILLED."
        )
    return known


def check_run_id(run_id: str) -> str:
    """Check the shape of a run id."""
    if not isinstance(run_id, str) or not _RUN_ID.match(run_id) or _NO_RUN_ID.match(run_id):
        raise InvalidParameter(
            f"Invalid value {short(run_id)} for parameter 'run_id' supplied: a run id has letters, "
            "digits, '-' and '_' (32 hexadecimal digits as a rule), and is not the id of a logged model. A run "
            "has it in run.info.run_id."
        )
    return run_id


def check_model_name(name: str) -> str:
    """Check the name of a registered model."""
    if not isinstance(name, str):
        raise InvalidParameter(f"The name of a model must be text, not {short(name)}.")
    if not name.strip():
        raise InvalidParameter(
            "Missing value for required parameter 'name': a registered model needs a name."
        )
    if len(name) > MAX_MODEL_NAME or _CONTROL.search(name):
        raise InvalidParameter(
            f"The model name {short(name)} exceeds the maximum length of {MAX_MODEL_NAME} characters, "
            "or holds control characters."
        )
    if "/" in name or ":" in name or "%2f" in name.lower() or name in (".", ".."):
        raise InvalidParameter(
            f"Invalid model name {short(name)}: it must not hold '/' or ':', because model URIs such as "
            f"models:/name/1 are made of it; {short(_model_name(name))} would be right."
        )
    return name


def _model_name(text: str) -> str:
    found = re.sub("[/:]|%2f", "-", text, flags=re.IGNORECASE).strip("-. ")
    return found or "model"


def check_logged_name(name: str) -> str:
    """Check the name of a logged model."""
    if _NO_LOGGED_NAME.search(name) or len(name) > MAX_EXPERIMENT_NAME:
        raise InvalidParameter(
            f"Invalid model name {short(name)}: it must not hold any of / : . % \" ' and may "
            f"have at most {MAX_EXPERIMENT_NAME} characters."
        )
    return name


def logged_name(path: str) -> str:
    """Return the name of the logged model at a path of a run: the path, without what names cannot hold."""
    return _NO_LOGGED_NAME.sub("-", path)


def parse_version(text: str) -> int:
    """Return the number of a model version; one that none can have is -1."""
    return _number(text, 9, "version", "it is a whole number, such as '1'.")


def _number(text: str, digits: int, name: str, what: str) -> int:
    if not _WHOLE.match(text):
        raise InvalidParameter(
            f"Invalid value {short(text)} for parameter '{name}' supplied: {what}"
        )
    return int(text) if text.isdigit() and len(text) <= digits else -1


parse_stage = canonical_stage


def check_alias(alias: str) -> str:
    """Check the name of an alias."""
    check_alias_name(alias)
    if alias.lower() == "latest" or re.match(r"[vV]\d+\Z", alias):
        raise InvalidParameter(
            f"The alias {short(alias)} is reserved: 'latest' and names such as 'v3' are versions."
        )
    return alias


def check_alias_name(alias: str) -> str:
    """Check the letters of an alias, also of one that is to be removed."""
    if not isinstance(alias, str) or not _ALIAS.match(alias):
        raise InvalidParameter(
            f"Invalid alias {short(alias)}: it may hold letters, digits, '_' and '-', 255 at most."
        )
    return alias


def check_page_size(size: int, most: int, *, least: int = 1) -> int:
    """Check how many results a page is asked to hold."""
    if not least <= size <= most:
        raise InvalidParameter(
            f"Invalid value {size} for parameter 'max_results' supplied: it must be from {least} to {most}."
        )
    return size
