"""The registry: ``models:/`` URIs, logging and registering models, loading them by name."""

from mltrack_jupyter.models import ModelInfo
from mltrack_jupyter.registry.logged import ModelNote
from mltrack_jupyter.registry.lookup import find_version
from mltrack_jupyter.registry.records import records_of
from mltrack_jupyter.registry.register import (
    ModelForm,
    get_model_info,
    keep_model,
    load_model,
    log_model,
    register_model,
)
from mltrack_jupyter.registry.resolve import LocalModel, download_model, find_model, named
from mltrack_jupyter.registry.signatures import set_signature
from mltrack_jupyter.registry.uris import ModelUri, is_registered, parse_model_uri

__all__ = [
    "LocalModel",
    "ModelForm",
    "ModelInfo",
    "ModelNote",
    "ModelUri",
    "download_model",
    "find_model",
    "find_version",
    "get_model_info",
    "is_registered",
    "keep_model",
    "load_model",
    "log_model",
    "named",
    "parse_model_uri",
    "records_of",
    "register_model",
    "set_signature",
]
