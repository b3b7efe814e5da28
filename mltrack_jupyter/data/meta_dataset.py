"""A dataset that is known by its description alone."""

from __future__ import annotations

from typing import Any

from mltrack_jupyter.data.dataset import Dataset, schema_list
from mltrack_jupyter.data.digest import description_digest
from mltrack_jupyter.data.sources import type_of
from mltrack_jupyter.models import Schema


class MetaDataset(Dataset):
    """Data that is elsewhere, such as an archive in the web: its source, and maybe its schema."""

    def __init__(
        self,
        source: Any,
        name: str | None = None,
        digest: str | None = None,
        schema: Schema | None = None,
    ) -> None:
        self._schema = schema
        super().__init__(source, name, digest)

    def _compute_digest(self) -> str:
        return description_digest(
            {
                "name": self.name,
                "source": self.source.to_json(),
                "source_type": type_of(self.source),
                "schema": schema_list(self._schema) if self._schema else "",
            }
        )

    @property
    def schema(self) -> Schema | None:
        """What the data looks like, or ``None``."""
        return self._schema

    def _schema_content(self) -> dict[str, Any] | None:
        return None if self._schema is None else {"mlflow_colspec": schema_list(self._schema)}
