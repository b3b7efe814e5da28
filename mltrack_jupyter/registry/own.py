"""Whether a model that was downloaded is the user's own: its files bear seals of the user's key."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from mltrack_jupyter.models import ModelFolder, read_metadata
from mltrack_jupyter.models.audit import digest
from mltrack_jupyter.privacy.seals import vouches
from mltrack_jupyter.registry.resolve import LocalModel


def is_own(model: LocalModel) -> bool:
    """Tell whether every file of a model bears a seal of this user for the model that it is."""
    folder = ModelFolder.open(model.path)
    about, subject = read_metadata(folder), model.origin.subject
    names = about.ours.get("sha256")
    if subject is None or not isinstance(names, Mapping) or not names:
        return False
    subject = replace(subject, artifact_path=subject.artifact_path or about.artifact_path)
    return all(
        names[name] == (found := digest(folder.read(name)))
        and vouches(subject, name, found, about.seals.get(name, ""))
        for name in names
    )
