"""What a dataset is: a name, a digest, a source, a schema and a profile; never the data itself."""

from __future__ import annotations

import json
from typing import Any

from mltrack_jupyter.data.sources import resolve_source, type_of
from mltrack_jupyter.entities import Dataset as StoredDataset
from mltrack_jupyter.errors import InvalidParameter
from mltrack_jupyter.models import Schema
from mltrack_jupyter.models.inference import infer_schema


class Dataset:
    """Data that a run read or was measured on, as :func:`mltrack_jupyter.log_input` takes it.

    Parameters
    ----------
    source
        A path, an address or a source; the code that runs now if absent.
    name
        ``"dataset"`` if absent.
    digest
        Computed as MLflow does if absent.
    """

    def __init__(
        self, source: Any = None, name: str | None = None, digest: str | None = None
    ) -> None:
        # Under these names, and behind properties: a class of one's own may give them anew.
        self._source = resolve_source(source)
        self._name = name
        self._digest = digest or self._compute_digest()

    def _compute_digest(self) -> str:
        raise NotImplementedError

    @property
    def source(self) -> Any:
        """Where the data came from."""
        return self._source

    @property
    def name(self) -> str:
        """What the data is called."""
        return "dataset" if self._name is None else self._name

    @property
    def digest(self) -> str:
        """What tells the data apart from others of its name."""
        return self._digest

    @property
    def schema(self) -> Any:
        """What the data looks like, or ``None``."""
        return None

    @property
    def profile(self) -> dict[str, Any] | None:
        """How much data there is, or ``None``."""
        return None

    def _schema_content(self) -> dict[str, Any] | None:
        return None

    def to_dict(self) -> dict[str, str | None]:
        """Return what is stored of the dataset, as texts."""
        schema, profile = self._schema_content(), self.profile
        return {
            "name": self.name,
            "digest": self.digest,
            "source": self.source.to_json(),
            "source_type": type_of(self.source),
            "schema": None if schema is None else json.dumps(schema),
            "profile": None if profile is None else json.dumps(profile),
        }

    def to_json(self) -> str:
        """Return what is stored of the dataset, as JSON text."""
        return json.dumps(self.to_dict())

    def to_entity(self) -> StoredDataset:
        """Return what is stored of the dataset."""
        return StoredDataset(**{key: value or "" for key, value in self.to_dict().items()})

    _to_mlflow_entity = to_entity

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name} {self.digest}>"


def schema_or_none(data: Any) -> Schema | None:
    """Return the schema of some data; data that has none is still a dataset."""
    try:
        return infer_schema(data)
    except InvalidParameter:
        return None


def schema_list(schema: Schema) -> list[dict[str, Any]]:
    """Return a schema as MLflow's JSON list."""
    return [spec.to_dict() for spec in schema]
