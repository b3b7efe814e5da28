"""Where data came from: the code that made it, a file, a web address, an object store, a table."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, ClassVar

from mltrack_jupyter.errors import InvalidParameter
from mltrack_jupyter.plain import file_uri_path, path_text
from mltrack_jupyter.tracking import session

_STORES = ("s3", "gs", "wasbs", "abfss", "hdfs", "dbfs", "ftp", "sftp", "mlflow-artifacts", "runs")


class DatasetSource:
    """Where data came from. ``to_dict`` is what is stored, in MLflow's words.

    A class of one's own derives from it and gives ``_get_source_type``, ``_can_resolve``, ``_resolve``,
    ``to_dict``, ``from_dict`` and ``load``, as for MLflow; :func:`register_dataset_source` makes it known.
    """

    source_type: ClassVar[str] = ""

    @classmethod
    def _get_source_type(cls) -> str:
        return cls.source_type

    @staticmethod
    def _can_resolve(raw_source: Any) -> bool:  # noqa: ARG004 - MLflow's signature
        return False

    @classmethod
    def _resolve(cls, raw_source: Any) -> Any:
        raise NotImplementedError

    def to_dict(self) -> dict[str, Any]:
        """Return what is stored of the source."""
        raise NotImplementedError

    def to_json(self) -> str:
        """Return what is stored of the source, as JSON text."""
        return json.dumps(self.to_dict())

    @classmethod
    def from_dict(cls, source_dict: Mapping[str, Any]) -> Any:
        """Return the source of what is stored of it."""
        return cls(**source_dict)

    @classmethod
    def from_json(cls, source_json: str) -> Any:
        """Return the source of what is stored of it, as JSON text."""
        return cls.from_dict(json.loads(source_json))

    def load(self, dst_path: str | None = None) -> Any:
        """Return a local path of the data. Raises ``InvalidParameter`` where there is none to give."""
        raise InvalidParameter(
            f"Data of a source of the type {type_of(self)!r} is not loaded from here; "
            f"its description is {self.to_json()}."
        )


@dataclass(frozen=True)
class CodeSource(DatasetSource):
    """The notebook or script that made the data."""

    source_type: ClassVar[str] = "code"
    tags: Mapping[str, str] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return the tags of the code."""
        return {"tags": dict(self.tags)}


@dataclass(frozen=True)
class UriSource(DatasetSource):
    """A file of this machine, or a folder or file of an object store."""

    source_type: ClassVar[str] = "local"
    uri: str = ""
    kind: str = "local"

    def to_dict(self) -> dict[str, Any]:
        """Return the address."""
        return {"uri": self.uri}

    def load(self, dst_path: str | None = None) -> str:
        """Return the local path. Raises ``InvalidParameter`` for what is elsewhere."""
        if self.kind != "local":
            return str(super().load(dst_path))
        return file_uri_path(self.uri)[1] if self.uri.startswith("file:") else self.uri


@dataclass(frozen=True)
class HTTPDatasetSource(DatasetSource):
    """A file at a web address."""

    source_type: ClassVar[str] = "http"
    url: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return the address."""
        return {"url": self.url}


@dataclass(frozen=True)
class StoredSource(DatasetSource):
    """A source as it was read from a store, of whatever type."""

    kind: str = ""
    content: Mapping[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return what was stored."""
        return dict(self.content)


def type_of(source: Any) -> str:
    """Return the name of a source's type, for ours and for MLflow's own sources."""
    if isinstance(source, UriSource | StoredSource):
        return str(source.kind)
    # MLflow's sources have no other name for it.
    return str(source._get_source_type())  # noqa: SLF001


_registered: list[type[Any]] = []


def register_dataset_source(source: type[Any]) -> None:
    """Make a class of sources known: it is asked about what a dataset comes from, and what is stored."""
    _registered.append(source)


def get_registered_sources() -> list[type[Any]]:
    """Return the classes of sources that were made known, here or by packages that are installed."""
    return [*_of_packages(), *_registered]


@cache
def _of_packages() -> tuple[type[Any], ...]:
    from importlib.metadata import entry_points

    return tuple(point.load() for point in entry_points(group="mlflow.dataset_source"))


def _resolve_registered(raw: Any) -> Any:
    """Return the source that a registered class makes of something, the last one first; else ``None``."""
    for kind in reversed(get_registered_sources()):
        if kind._can_resolve(raw):  # noqa: SLF001 - MLflow's name
            return kind._resolve(raw)  # noqa: SLF001
    return None


def resolve_source(source: Any) -> Any:
    """Return the source that a caller named: a path, an address, a source, or ``None`` for the code."""
    if source is None:
        return CodeSource(session.host().tags())
    if hasattr(source, "to_json"):
        return source
    found = _resolve_registered(source)
    if found is not None:
        return found
    if not isinstance(source, str | os.PathLike):
        raise InvalidParameter(
            f"source must be a path, an address or a dataset source, not a {type(source).__name__}."
        )
    text = path_text(source, "source")
    scheme = text.partition("://")[0].lower() if "://" in text else ""
    if scheme in ("http", "https"):
        return HTTPDatasetSource(text)
    if scheme in _STORES:
        return UriSource(text, scheme)
    if scheme not in ("", "file"):
        raise InvalidParameter(
            f"The source {text[:80]!r} has the scheme {scheme!r}; known are file, http, https, "
            f"{', '.join(_STORES)}, and those of register_dataset_source(...)."
        )
    return UriSource(text)


resolve_dataset_source = resolve_source


def get_dataset_source_from_json(source_json: str, source_type: str) -> Any:
    """Return a source as it is stored, by MLflow's name; see :func:`parse_source`."""
    return parse_source(source_type, source_json)


def parse_source(source_type: str, text: str) -> Any:
    """Return a source as it is stored. Raises ``InvalidParameter`` if the text is no JSON object."""
    try:
        content = json.loads(text)
    except ValueError as error:
        raise InvalidParameter(f"The stored source of the dataset is corrupt: {error}.") from error
    if not isinstance(content, dict):
        raise InvalidParameter("The stored source of the dataset is corrupt: it is no object.")
    for kind in reversed(get_registered_sources()):
        if kind._get_source_type() == source_type:  # noqa: SLF001 - MLflow's name
            return kind.from_dict(content)
    if source_type == "code":
        return CodeSource(content.get("tags") or {})
    if source_type == "http" and isinstance(content.get("url"), str):
        return HTTPDatasetSource(content["url"])
    if isinstance(content.get("uri"), str):
        return UriSource(content["uri"], source_type)
    return StoredSource(source_type, content)
