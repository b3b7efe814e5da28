"""The file ``MLmodel``: what a model's folder says of itself, in MLflow's words (2018 to 3.x)."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import yaml

from mltrack_jupyter.errors import InvalidParameter, NotFound
from mltrack_jupyter.models.folder import ModelFolder
from mltrack_jupyter.models.signature import ModelSignature, Schema
from mltrack_jupyter.plain import plain
from mltrack_jupyter.store.artifacts import reading
from mltrack_jupyter.store.yaml_text import MAX_BYTES, parse_mapping

FILE_NAME = "MLmodel"
GENERIC = "python_function"
"""The flavor that every model has: an object with ``predict``."""


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")


@dataclass(frozen=True)
class ModelMetadata:
    """What a model's folder says of itself.

    Parameters
    ----------
    flavors
        Name of a library to the settings with which it reads the model.
    extra
        Every other key of the file, kept as it is.
    """

    flavors: Mapping[str, Mapping[str, Any]]
    signature: ModelSignature | None = None
    run_id: str = ""
    artifact_path: str = ""
    model_id: str = ""
    model_uuid: str = field(default_factory=lambda: uuid.uuid4().hex)
    utc_time_created: str = field(default_factory=_now)
    metadata: Mapping[str, Any] = field(default_factory=dict)
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def ours(self) -> Mapping[str, Any]:
        """What this package added: the model's class, and the digests and seals of its files."""
        block = self.metadata.get("mltrack", {})
        return block if isinstance(block, Mapping) else {}

    @property
    def seals(self) -> Mapping[str, str]:
        """File to the signature by which the user's key vouches for it; anybody may have written anything."""
        found = self.ours.get("seals")
        pairs = found.items() if isinstance(found, Mapping) else ()
        return {str(name): seal for name, seal in pairs if isinstance(seal, str)}

    def with_ours(self, **values: Any) -> ModelMetadata:
        """Return it with more of what this package adds; ``None`` takes something away."""
        ours = {key: item for key, item in {**self.ours, **values}.items() if item is not None}
        return replace(self, metadata={**self.metadata, "mltrack": ours})

    def get_input_schema(self) -> Schema | None:
        """Return what goes into the model, by MLflow's name."""
        return self.signature.inputs if self.signature else None

    def get_output_schema(self) -> Schema | None:
        """Return what comes out of it."""
        return self.signature.outputs if self.signature else None

    def to_dict(self) -> dict[str, Any]:
        """Return the content of the file."""
        named = {
            "run_id": self.run_id,
            "artifact_path": self.artifact_path,
            "model_id": self.model_id,
            "signature": self.signature.to_dict() if self.signature else None,
            "metadata": dict(self.metadata),
        }
        return {
            **self.extra,
            "flavors": {name: dict(config) for name, config in self.flavors.items()},
            "model_uuid": self.model_uuid,
            "utc_time_created": self.utc_time_created,
            **{key: value for key, value in named.items() if value},
        }

    def to_yaml(self) -> str:
        """Return the text of the file."""
        return yaml.safe_dump(plain(self.to_dict()), allow_unicode=True, sort_keys=True)

    @classmethod
    def from_dict(cls, content: Mapping[str, Any], name: str = FILE_NAME) -> ModelMetadata:
        """Read the content of the file. Raises ``InvalidParameter`` if it is no model's."""
        rest = dict(content)
        flavors = rest.pop("flavors", None)
        if not isinstance(flavors, dict) or not flavors:
            raise InvalidParameter(f"{name} is corrupt: it names no flavors.")
        for flavor, config in flavors.items():
            if not isinstance(flavor, str) or not isinstance(config, dict):
                raise InvalidParameter(f"{name} is corrupt: its flavor {flavor!r} has no settings.")
        signature = rest.pop("signature", None)
        metadata = rest.pop("metadata", None)
        texts = ("run_id", "artifact_path", "model_id", "model_uuid", "utc_time_created")
        # Null, numbers and dates (old files leave the time unquoted) are read as text.
        found = {key: str(rest.pop(key, None) or "") for key in texts}
        return cls(
            flavors=flavors,
            signature=ModelSignature.from_dict(signature) if signature else None,
            metadata=metadata if isinstance(metadata, dict) else {},
            extra=rest,
            **found,
        )


def read_metadata(folder: ModelFolder) -> ModelMetadata:
    """Read the file ``MLmodel`` of a folder.

    Raises
    ------
    NotFound
        The folder has no such file, so it is no model.
    InvalidParameter
        The file is corrupt, too large or hostile.
    """
    with reading(folder.root):
        is_there = (folder.root / FILE_NAME).is_file()
    if not is_there:
        raise NotFound(f"'{folder.root}' is not a model: it has no file '{FILE_NAME}'.")
    name = f"The file '{FILE_NAME}' in '{folder.root}'"
    try:
        text = folder.read(FILE_NAME, MAX_BYTES).decode("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidParameter(f"{name} is corrupt: it is not UTF-8 text.") from error
    return ModelMetadata.from_dict(parse_mapping(text, name), name)
