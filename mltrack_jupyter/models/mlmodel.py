"""The file ``MLmodel``: what a model's folder says of itself, in MLflow's words (2018 to 3.x)."""

from __future__ import annotations

import importlib
import json
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import yaml

from mltrack_jupyter.entities import LoggedModel, ModelVersion
from mltrack_jupyter.errors import InvalidParameter, NotFound
from mltrack_jupyter.models.example import read_example
from mltrack_jupyter.models.folder import ModelFolder
from mltrack_jupyter.models.params import ParamSchema
from mltrack_jupyter.models.schema import Schema
from mltrack_jupyter.models.signature import ModelSignature
from mltrack_jupyter.plain import plain
from mltrack_jupyter.store.artifacts import reading
from mltrack_jupyter.store.yaml_text import MAX_BYTES, parse_mapping

T = TypeVar("T")
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

    @property
    def saved_input_example_info(self) -> dict[str, Any] | None:
        """What the file says of the example that was saved with the model."""
        return self.extra.get("saved_input_example_info")

    @property
    def mlflow_version(self) -> str | None:
        """Which MLflow saved the model, if one did."""
        return self.extra.get("mlflow_version")

    @property
    def model_size_bytes(self) -> int | None:
        """How large the folder is, if whoever saved it said so."""
        return self.extra.get("model_size_bytes")

    def get_model_info(self) -> ModelInfo:
        """Return what is known of the model, with the URI that loads it."""
        # Of a model with an id: what is logged to the same path of the run later is another one.
        uri = (
            f"models:/{self.model_id}"
            if self.model_id
            else f"runs:/{self.run_id}/{self.artifact_path}"
        )
        return ModelInfo(uri, self.run_id, self.artifact_path, self, model_id=self.model_id)

    @classmethod
    def load(cls, path: str | Path) -> ModelMetadata:
        """Return what a folder, its file ``MLmodel``, or the model at a URI says of itself."""
        return _read_at(path, read_metadata)

    def load_input_example(self, path: str | Path | None = None) -> Any:
        """Return the example that was saved with the model, ``None`` if there is none.

        ``path`` is the folder or URI; that of :meth:`get_model_info` if absent.
        """
        about = self.saved_input_example_info
        if not about:
            return None
        place = path or self.get_model_info().model_uri
        return _read_at(place, lambda folder: read_example(folder, about))

    def get_input_schema(self) -> Schema | None:
        """Return what goes into the model, by MLflow's name."""
        return self.signature.inputs if self.signature else None

    def get_output_schema(self) -> Schema | None:
        """Return what comes out of it."""
        return self.signature.outputs if self.signature else None

    def get_params_schema(self) -> ParamSchema | None:
        """Return the settings of a call of it."""
        return self.signature.params if self.signature else None

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

    def to_json(self) -> str:
        """Return the content of the file as JSON text."""
        return json.dumps(self.to_dict())

    def save(self, path: str | Path) -> None:
        """Write the file to a path."""
        Path(path).write_text(self.to_yaml(), encoding="utf-8")

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


@dataclass(frozen=True)
class ModelInfo:
    """A model that was logged to a run, or is elsewhere; ``model_uri`` loads it again."""

    model_uri: str
    run_id: str
    artifact_path: str
    about: ModelMetadata
    registered_version: ModelVersion | None = None
    model_id: str = ""
    logged: LoggedModel | None = None

    @property
    def name(self) -> str:
        """The name of the model, which is where it is in the run."""
        return self.artifact_path

    @property
    def metadata(self) -> dict[str, Any] | None:
        """What a user noted of the model when it was saved."""
        return {key: item for key, item in self.about.metadata.items() if key != "mltrack"} or None

    @property
    def registered_model_version(self) -> str | None:
        """The number of the version that was registered, by MLflow's name."""
        return self.registered_version.version if self.registered_version else None

    @property
    def flavors(self) -> Mapping[str, Mapping[str, Any]]:
        """Name of a library to the settings with which it reads the model."""
        return self.about.flavors

    @property
    def signature(self) -> ModelSignature | None:
        """What goes into the model and what comes out."""
        return self.about.signature

    @property
    def signature_dict(self) -> dict[str, str | None] | None:
        """The signature as it stands in the file."""
        return self.signature.to_dict() if self.signature else None

    @property
    def model_uuid(self) -> str:
        """An identifier of this very folder."""
        return self.about.model_uuid

    @property
    def utc_time_created(self) -> str:
        """When the model was saved, as text."""
        return self.about.utc_time_created

    @property
    def mlflow_version(self) -> str | None:
        """Which MLflow saved the model, if one did."""
        return self.about.mlflow_version

    @property
    def saved_input_example_info(self) -> dict[str, Any] | None:
        """What is known of the example that was saved with the model."""
        return self.about.saved_input_example_info

    @property
    def params(self) -> dict[str, str]:
        """Params of the logged model."""
        return self.logged.params if self.logged else {}

    @property
    def tags(self) -> dict[str, str]:
        """Tags of the logged model."""
        return self.logged.tags if self.logged else {}

    @property
    def creation_timestamp(self) -> int | None:
        """When the logged model was created, in milliseconds."""
        return self.logged.creation_timestamp if self.logged else None


def _read_at(path: str | Path, read: Callable[[ModelFolder], T]) -> T:
    place = Path(path).expanduser()
    if place.exists():
        return read(ModelFolder.open(place.parent if place.name == FILE_NAME else place))
    # What a URI means is known above this room.
    above = importlib.import_module("mltrack_jupyter.tracking.models")
    found: T = above.read_model(path, read)
    return found


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
