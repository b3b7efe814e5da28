"""What is asked of the store before a run begins; who logs does not wait for it."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Mapping
from typing import Any

from mltrack_jupyter.errors import InvalidParameter, MltrackError, NotFound
from mltrack_jupyter.plain import path_text
from mltrack_jupyter.store import rules
from mltrack_jupyter.store.brief import briefly
from mltrack_jupyter.tracking import session

_MODEL_URI = re.compile(r"(?:runs|models|mlflow-artifacts):/")


def check_experiment(uri: str, experiment_id: str) -> None:
    """Check that a run may be started in an experiment; asked of the store once a second at most.

    Raises ``NotFound``, and ``InvalidParameter`` if it is deleted.
    """
    known, now = session.known(uri), time.monotonic()
    if known.checked.get(experiment_id, 0.0) > now - 1:
        return
    if session.is_known_away(uri):
        return
    try:
        with briefly(session.ASIDE):
            found = session.unflushed(uri).experiments.get(experiment_id)
    except MltrackError as error:
        if not session.goes_on(uri, error):
            raise
        return
    if found.lifecycle_stage == "deleted":
        raise InvalidParameter(
            f"The experiment {experiment_id} must be in the 'active' state, but is deleted. Restore it "
            f"with Client().restore_experiment({experiment_id!r})."
        )
    known.remember(found)
    known.checked[experiment_id] = now


def find_experiment(uri: str, name: str, *, opening: bool = False) -> str:
    """Return the id of the experiment of a name that a run is to begin in, ``""`` if there is none yet.

    Asked of the store once a second at most; unless ``opening``, of one that is open already only.
    Raises ``InvalidParameter`` if it is deleted.
    """
    known = session.known(uri)
    number = known.numbers.get(name, "")
    if known.checked.get(number, 0.0) > time.monotonic() - 1:
        return number
    if session.is_known_away(uri) or not (opening or session.is_open(uri)):
        return ""
    try:
        with briefly(session.ASIDE):
            found = session.not_deleted(session.unflushed(uri).experiments.get_by_name(name))
    except NotFound:
        return ""
    except MltrackError as error:
        if not session.goes_on(uri, error):
            raise
        return ""
    known.numbers[name] = found.experiment_id
    known.checked[found.experiment_id] = time.monotonic()
    return found.experiment_id


def check_run(run_id: str) -> None:
    """Check that a run may get children. Raises ``NotFound``."""
    try:
        session.services().runs.get(run_id)
    except MltrackError as error:
        rules.check_run_id(run_id)
        if not session.goes_on(session.get_tracking_uri(), error):
            raise


def name_of_experiment() -> str:
    """Return the name of the active experiment; while the store is away, what is known of it here."""
    try:
        number, name = session.experiment_of_new_run()
        uri = session.get_tracking_uri()
        if name or session.is_known_away(uri):
            return name
        known = session.known(uri)
        fresh = known.checked.get(number, 0.0) > time.monotonic() - 1
        if not fresh or number not in known.named:
            with briefly(session.ASIDE):  # the journal need not be handed over for that
                known.remember(session.unflushed(uri).experiments.get(number))
        return known.named[number]
    except MltrackError:
        return ""


def check_resumed(run_id: str) -> None:
    """Check the id of a run that is to go on; a name is what people give first. Raises ``InvalidParameter``."""
    try:
        rules.check_run_id(run_id)
    except InvalidParameter as error:
        if not isinstance(run_id, str):
            raise
        raise InvalidParameter(
            f"{error} A name is given as start_run(run_name={run_id!r})."
        ) from None


def check_place(name: str | os.PathLike[str]) -> str:
    """Return the name under which a model is logged, as text. Raises ``InvalidParameter``."""
    if not isinstance(name, str | os.PathLike):
        raise InvalidParameter(
            "log_model takes the model first, then its name, as in log_model(model, 'model'); this name is a "
            f"{type(name).__name__}."
        )
    return path_text(name, "The name of a model")


def check_mapping(found: object, verb: str, example: str) -> None:
    """Check that a verb got names with values. Raises ``InvalidParameter``."""
    if not hasattr(found, "items"):
        raise InvalidParameter(
            f"{verb} takes a dict of names and values, such as {example}, not a {type(found).__name__}."
        )


def check_registering(model_uri: object, name: object, await_registration_for: object) -> None:
    """Check that the URI comes before the name, and an alias by its own. Raises ``InvalidParameter``."""
    if isinstance(name, str) and _MODEL_URI.match(name) and isinstance(model_uri, str):
        raise InvalidParameter(
            "register_model takes the model's URI first, then the name: "
            f"register_model({name!r}, {model_uri!r})."
        )
    if isinstance(await_registration_for, str):
        raise InvalidParameter(
            "The third argument of register_model is how long to wait, as in MLflow; an alias is given as "
            f"alias={await_registration_for!r}."
        )


def run_of_uri(uri: object) -> str:
    """Return what stands for the id of a run in ``runs:/<run_id>/model``; ``""`` for other URIs."""
    return uri.split("/")[1] if isinstance(uri, str) and uri.startswith("runs:/") else ""


def tags_of(given: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return the tags that a run is started with. Raises ``InvalidParameter``."""
    check_mapping(given or {}, "start_run(tags=...)", "{'team': 'vision'}")
    return dict(given or {})
