"""Seals: proof that a file of a model was serialised by this user, at this place and no other."""

from __future__ import annotations

import hashlib
import hmac
import warnings
from collections.abc import Mapping
from dataclasses import dataclass

from mltrack_jupyter.errors import PermissionDenied
from mltrack_jupyter.privacy.key import make_key, read_key

_DOMAIN = b"mltrack_jupyter model file 1"
"""What is signed, so that no signature made for another purpose is ever one of these."""


@dataclass(frozen=True)
class Subject:
    """The model that a file belongs to: a seal of one is none for another.

    Parameters
    ----------
    run_id
        The run that made it.
    model_id
        Its own id; empty on a server that gives none.
    artifact_path
        Where it is in the run.
    """

    run_id: str
    model_id: str = ""
    artifact_path: str = ""


def seal_files(subject: Subject, digests: Mapping[str, str]) -> dict[str, str]:
    """Sign files of a model, given by path and SHA-256; without a key nothing is signed, with a warning.

    Only for bytes that this very process has serialised from an object of its own.
    """
    if not digests:
        return {}
    try:
        key = make_key()
    except PermissionDenied as error:
        warnings.warn(
            f"{error.message} The model is logged, but not signed as yours: other processes load it only "
            "if they are told to trust it.",
            stacklevel=2,
        )
        return {}
    return {name: _sign(key, subject, name, digests[name]) for name in digests}


def vouches(subject: Subject, name: str, sha256: str, seal: str) -> bool:
    """Tell whether a seal is this user's for that file. Raises ``PermissionDenied`` if the key is unusable."""
    key = read_key() if seal else None
    if key is None:
        return False
    found = seal.encode(errors="backslashreplace")  # whatever somebody wrote there
    return hmac.compare_digest(_sign(key, subject, name, sha256).encode(), found)


def _sign(key: bytes, subject: Subject, name: str, sha256: str) -> str:
    parts = (subject.run_id, subject.model_id, subject.artifact_path, name, sha256)
    signed = hmac.new(key, digestmod=hashlib.sha256)
    # Each with its length, so that no two lists of parts are one text.
    for part in (_DOMAIN, *(part.encode(errors="backslashreplace") for part in parts)):
        signed.update(len(part).to_bytes(8, "big"))
        signed.update(part)
    return signed.hexdigest()
