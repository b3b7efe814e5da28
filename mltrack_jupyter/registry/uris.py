"""URIs of models: what each form means, told apart before anything is asked of a store."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, unquote

from mltrack_jupyter.entities import STAGES
from mltrack_jupyter.errors import InvalidParameter
from mltrack_jupyter.plain import file_uri_path, path_text
from mltrack_jupyter.store import rules
from mltrack_jupyter.store.artifacts import PROXY, plain_path, scheme_of

FORMS = (
    "runs:/<run_id>/<path>, models:/<name>/<version>, models:/<name>/<stage>, models:/<name>@<alias>, "
    "models:/<name>/latest, models:/m-<32 hexadecimal digits>, mlflow-artifacts:/<path>, or a folder"
)
"""The forms that are accepted, for messages."""

_ENCODED = re.compile(r"%[0-9A-Fa-f]{2}")
# Spaces and what ends a name are encoded; letters of any language stay readable.
_RESERVED = "%/:@?# "


@dataclass(frozen=True)
class RunModel:
    """A folder of a run's artifacts; an empty path stands for the run's newest model."""

    run_id: str
    path: str = ""

    def __str__(self) -> str:
        return f"runs:/{self.run_id}" + (f"/{self.path}" if self.path else "")


@dataclass(frozen=True)
class Version:
    """One version of a registered model."""

    name: str
    version: str

    def __str__(self) -> str:
        return f"models:/{_quoted(self.name)}/{self.version}"


@dataclass(frozen=True)
class Stage:
    """The newest version in a stage."""

    name: str
    stage: str

    def __str__(self) -> str:
        return f"models:/{_quoted(self.name)}/{self.stage}"


@dataclass(frozen=True)
class AliasOf:
    """The version that an alias points at."""

    name: str
    alias: str

    def __str__(self) -> str:
        return f"models:/{_quoted(self.name)}@{self.alias}"


@dataclass(frozen=True)
class Latest:
    """The newest version of a registered model, in whatever stage."""

    name: str

    def __str__(self) -> str:
        return f"models:/{_quoted(self.name)}/latest"


@dataclass(frozen=True)
class Logged:
    """A logged model with an id of its own (MLflow 3)."""

    model_id: str

    def __str__(self) -> str:
        return f"models:/{self.model_id}"


@dataclass(frozen=True)
class StoreFolder:
    """A folder below the store's artifact root."""

    path: str

    def __str__(self) -> str:
        return f"{PROXY}:/{self.path}"


@dataclass(frozen=True)
class LocalFolder:
    """A folder of this machine."""

    path: Path

    def __str__(self) -> str:
        return str(self.path)


Registered = Version | Stage | AliasOf | Latest
ModelUri = RunModel | Registered | Logged | StoreFolder | LocalFolder


def is_registered(uri: str | os.PathLike[str]) -> bool:
    """Tell whether a URI names a version of a registered model. Raises ``InvalidParameter`` for none."""
    return isinstance(parse_model_uri(uri), Registered)


def parse_model_uri(uri: str | os.PathLike[str]) -> ModelUri:
    """Return what a URI names.

    Names of registered models may be percent-encoded (``models:/my%20model/3``); they are decoded once.

    Raises
    ------
    InvalidParameter
        The URI has none of the accepted forms; the message lists them.
    """
    if isinstance(uri, os.PathLike):
        return LocalFolder(Path(path_text(uri)))
    if not isinstance(uri, str):
        raise InvalidParameter(
            f"A model is named by its URI, not given as a {type(uri).__name__}. Log it first: "
            f"log_model(model, registered_model_name=...). Right is {FORMS}."
        )
    if not uri.strip() or any(ord(char) < 32 for char in uri):
        raise _wrong(uri, "it is empty, or holds control characters")
    scheme = scheme_of(uri)
    if scheme in ("", "file"):
        return _local(uri, scheme)
    if scheme not in ("runs", "models", PROXY):
        raise _wrong(uri, f"the scheme '{scheme}' is not known")
    rest = uri.partition(":")[2]
    if not rest.startswith("/") or rest.startswith("//"):
        raise _wrong(uri, f"a single slash must follow '{scheme}:'")
    rest = rest[1:]
    if scheme == "runs":
        run_id, _, path = rest.partition("/")
        return RunModel(rules.check_run_id(run_id), plain_path(path.lstrip("/"), empty=True))
    if scheme == PROXY:
        return StoreFolder(plain_path(rest))
    return _registered(uri, rest)


def _local(uri: str, scheme: str) -> LocalFolder:
    if not scheme:
        return LocalFolder(Path(uri))
    machine, path = file_uri_path(uri)
    if machine not in ("", "localhost") or not path:
        raise _wrong(uri, "a file: URI names a folder of this machine, as file:///home/ada/model")
    return LocalFolder(Path(path))


def _registered(uri: str, rest: str) -> Registered | Logged:
    first, slash, last = rest.partition("/")
    if slash:
        # Decoded once, and after splitting: an encoded slash can end up in a name, where it is refused.
        name, last = _name(uri, first), unquote(last)
        if last.isascii() and last.isdigit():
            number = rules.parse_version(last)
            if number < 0:
                raise _wrong(uri, "no version has such a number")
            return Version(name, str(number))
        if last.lower() == "latest":
            return Latest(name)
        if last.lower() in {stage.lower() for stage in STAGES}:
            return Stage(name, rules.parse_stage(last))
        raise _wrong(
            uri,
            f"'{last}' is neither a version nor a stage ({', '.join(STAGES)}); an alias stands behind @, as "
            f"in models:/{first}@{last}",
        )
    if rules.MODEL_ID.match(first):
        return Logged(first)
    text, at, alias = first.rpartition("@")
    if not at:
        raise _wrong(uri, f"it does not say which version of '{unquote(first)}'")
    alias = unquote(alias)
    if not alias:
        raise _wrong(uri, "no alias stands behind the @")
    return AliasOf(_name(uri, text), "latest" if alias == "latest" else rules.check_alias(alias))


def _name(uri: str, text: str) -> str:
    name = unquote(text)
    if _ENCODED.search(name):
        # "a%20b" and "a b" must not be two models that one URI could mean (CVE-2024-3099).
        raise _wrong(uri, f"the name '{name}' is percent-encoded twice")
    return rules.check_model_name(name)


def _quoted(name: str) -> str:
    return "".join(quote(char, safe="") if char in _RESERVED else char for char in name)


def _wrong(uri: str, reason: str) -> InvalidParameter:
    return InvalidParameter(
        f"{rules.short(uri)} is not the URI of a model: {reason}. Right is {FORMS}."
    )
