"""Saving a model as a folder that this package and MLflow read."""

from __future__ import annotations

import platform
import shutil
import tempfile
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import Any, Literal

from mltrack_jupyter.errors import AlreadyExists, InvalidParameter
from mltrack_jupyter.models.border import attempt
from mltrack_jupyter.models.example import save_example, split_example
from mltrack_jupyter.models.flavors import Flavor, Saved, flavor_of
from mltrack_jupyter.models.mlmodel import FILE_NAME, GENERIC, ModelMetadata
from mltrack_jupyter.models.requirements import environment_files, infer_requirements
from mltrack_jupyter.models.signature import ModelSignature, infer_signature
from mltrack_jupyter.plain import path_text


@dataclass(frozen=True)
class Provenance:
    """What a folder says of where its model was made; all of it may be unknown."""

    run_id: str = ""
    artifact_path: str = ""
    model_id: str = ""
    metadata: dict[str, Any] = field(default_factory=dict)


def save_model(
    model: Any,
    path: str | PathLike[str],
    *,
    signature: ModelSignature | Literal[False] | None = None,
    input_example: Any = None,
    serialization_format: str = "",
    requirements: Sequence[str] | None = None,
    predict_fn: str = "predict",
    provenance: Provenance = Provenance(),
) -> ModelMetadata:
    """Write a model into a new folder, whole or not at all.

    Parameters
    ----------
    model
        A fitted estimator, or whatever there is a flavor for.
    path
        The folder; it must not exist yet, or be empty.
    signature
        What goes in and comes out; read off the example where absent. ``False``: the model has none.
    input_example
        Data that the model takes, or a pair of data and the settings of a call; its first 20 rows are kept.
        What JSON cannot hold is left out with a warning, and so is a signature that cannot be read off it.
    serialization_format
        ``"cloudpickle"``, ``"pickle"`` or ``"skops"`` for scikit-learn; the flavor's own choice if empty.
    requirements
        What pip has to install for the model, such as ``"scikit-learn==1.5"``; read off it where absent.
    predict_fn
        The method that predicts when the model is loaded as one of no particular library.

    Returns
    -------
    ModelMetadata
        What the file ``MLmodel`` says.

    Raises
    ------
    InvalidParameter
        There is no flavor for the model, it cannot be serialized, or ``signature`` is none.
    AlreadyExists
        The folder has something in it.
    """
    known = _checked(signature)
    flavor = flavor_of(model)
    target = _new_folder(path)
    # Made beside the target, with no rights for others (mkdtemp), and moved there when complete.
    private = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    try:
        draft = private / "model"
        draft.mkdir()
        saved = flavor.save(model, draft, serialization_format)
        extra: dict[str, Any] = {}
        if input_example is not None:
            known, extra = _exemplified(input_example, draft, known)
        about = _describe(
            model,
            flavor,
            saved,
            predict_fn,
            provenance=provenance,
            signature=known or None,
            extra=extra,
        )
        pins = infer_requirements(model, saved.modules) if requirements is None else requirements
        _write_texts(draft, about, pins)
        _move(draft, target)
    finally:
        shutil.rmtree(private, ignore_errors=True)
    return about


def _checked(signature: Any) -> ModelSignature | Literal[False] | None:
    """Return a signature, also one of MLflow's classes. Raises ``InvalidParameter`` for what is none."""
    if signature is None or signature is False:
        return signature
    try:
        content = {name: signature.to_dict()[name] for name in ("inputs", "outputs", "params")}
        if not any(content.values()):
            raise ValueError("it names no inputs, outputs or params")
        return ModelSignature.from_dict(content)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise InvalidParameter(
            f"signature must be what infer_signature(...) or ModelSignature(inputs=Schema([...])) returns, not a "
            f"{type(signature).__name__}{'' if isinstance(error, KeyError) else f' ({error})'}."
        ) from error


def _signature_of(example: Any) -> ModelSignature:
    data, params = split_example(example)
    return infer_signature(data, params=params)


def _exemplified(
    example: Any, draft: Path, known: ModelSignature | Literal[False] | None
) -> tuple[ModelSignature | Literal[False] | None, dict[str, Any]]:
    """Write an example and read the signature off it; warn of what cannot be done."""
    info, missing = attempt(lambda: save_example(example, draft))
    unknown = ""
    if known is None:
        known, unknown = attempt(lambda: _signature_of(example))
    left_out = [
        text
        for text, reason in (
            (f"the input example is left out ({missing})", missing),
            (f"it gets no signature from the example ({unknown})", unknown),
        )
        if reason
    ]
    if left_out:
        warnings.warn(f"The model is saved; {' and '.join(left_out)}.", stacklevel=2)
    return known, {"saved_input_example_info": info} if info else {}


def _new_folder(path: str | PathLike[str]) -> Path:
    target = Path(path_text(path)).expanduser().absolute()
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise AlreadyExists(f"'{target}' is there already; a model is saved into a new folder.")
    target.parent.mkdir(parents=True, exist_ok=True)
    return target


def _move(draft: Path, target: Path) -> None:
    if target.exists():
        target.rmdir()
    draft.rename(target)


def _write_texts(draft: Path, about: ModelMetadata, requirements: Sequence[str]) -> None:
    texts = {**environment_files(requirements), FILE_NAME: about.to_yaml()}
    for name, text in texts.items():
        (draft / name).write_text(text, encoding="utf-8")


def _describe(
    model: Any,
    flavor: Flavor,
    saved: Saved,
    predict_fn: str,
    *,
    provenance: Provenance,
    signature: ModelSignature | None,
    extra: dict[str, Any],
) -> ModelMetadata:
    kind = type(model)
    generic = {
        "loader_module": flavor.loader_module,
        "model_path": saved.model_path,
        "predict_fn": predict_fn,
        "python_version": platform.python_version(),
        "env": {"conda": "conda.yaml", "virtualenv": "python_env.yaml"},
    }
    ours = {"class": f"{kind.__module__}.{kind.__qualname__}", "sha256": dict(saved.digests)}
    return ModelMetadata(
        flavors={flavor.name: saved.config, GENERIC: generic},
        signature=signature,
        run_id=provenance.run_id,
        artifact_path=provenance.artifact_path,
        model_id=provenance.model_id,
        metadata={**provenance.metadata, "mltrack": ours},
        extra=extra,
    )
