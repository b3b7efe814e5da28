"""Making versions: which sources may be named, the next number, aliases."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import quote, unquote

from sqlalchemy import Connection, Row, func, insert, select, update

from mltrack_jupyter import config
from mltrack_jupyter.entities import LoggedModelStatus
from mltrack_jupyter.errors import InvalidParameter, NotFound
from mltrack_jupyter.store import rules
from mltrack_jupyter.store.artifacts import PROXY, Locations, check_path, is_local, scheme_of
from mltrack_jupyter.store.sql.change_log import author, record_change
from mltrack_jupyter.store.sql.database import now_ms
from mltrack_jupyter.store.sql.logged_models import find_logged_model
from mltrack_jupyter.store.sql.model_places import Placed, models_of, newest_model
from mltrack_jupyter.store.sql.registry_reads import find_version
from mltrack_jupyter.store.sql.run_reads import find_run
from mltrack_jupyter.store.sql.tables import (
    aliases,
    changes,
    logged_model_tags,
    model_versions,
    registered_models,
    tags,
)
from mltrack_jupyter.store.sql.upserts import upsert

_RUN_SOURCE = re.compile(r"runs:/+([^/]+)/(.+)\Z")
_VERSIONS_TAG = "mlflow.modelVersions"
_NO_FILES = "dummy-source"
_PATTERN = "MLFLOW_CREATE_MODEL_VERSION_SOURCE_VALIDATION_REGEX"
"""The variable by which whoever runs a server says of which sources it takes versions."""
_LATEST = re.compile(r"(models:/+)([^/]+)/latest\Z", re.IGNORECASE)


def model_path(connection: Connection, run: Row[Any]) -> str:
    """Return the artifact path of a run's newest model. Raises ``InvalidParameter`` if it has none."""
    newest = newest_model(connection, run.run_id)
    if newest is not None:
        return newest.path
    query = select(tags.c.key, tags.c.value).where(
        tags.c.run == run.id, tags.c.key.in_((rules.MODEL_TAG, rules.HISTORY_TAG))
    )
    found = {row.key: row.value for row in connection.execute(query)}
    for key in (rules.MODEL_TAG, rules.HISTORY_TAG):
        try:
            logged = json.loads(found.get(key, "null"))
            last = logged[-1] if isinstance(logged, list) and logged else logged
            if isinstance(last, dict) and last.get("artifact_path"):
                return check_path(str(last["artifact_path"]))
        except (ValueError, RecursionError):  # anybody may have written the tag
            continue
    raise InvalidParameter(
        f"The run {run.run_id} ({run.name}) has no model to register: log one with log_model(...), fit an "
        "estimator in a %%track cell, or name the folder with artifact_path."
    )


class Sources:
    """Which sources a version may be made of, and where their files are.

    Follows what MLflow's server allows: a version may only point into the artifacts of its own run or
    logged model, or to an object store.
    """

    def __init__(self, locations: Locations) -> None:
        self._locations = locations

    def check(
        self,
        connection: Connection,
        source: str,
        run_id: str,
        model_id: str,
        *,
        prompt: bool = False,
    ) -> str:
        """Return the URI where the files of a source are. Raises ``InvalidParameter``.

        A ``prompt`` has no files; MLflow's clients name the same word as the source of each.
        """
        scheme = scheme_of(source)
        if prompt and source == _NO_FILES:
            return source
        self._check_text(source, scheme)
        if scheme == "runs":
            return self._of_run(connection, source, run_id)
        if scheme == "models":
            return self._of_model(connection, source, model_id)
        if scheme == PROXY:
            self._locations.split(source)
            model = self.model_at(connection, source, run_id)
            if model is not None:
                return model.uri
            roots = self._roots(connection, run_id, model_id)
            if not any(source == root or source.startswith(root + "/") for root in roots):
                raise InvalidParameter(
                    f"Invalid model version source {source!r}: it must lie inside the artifacts of the "
                    "version's run_id or model_id."
                )
            return source
        if scheme in ("", "file"):
            return self._local(connection, source, run_id, model_id)
        return source

    def _check_text(self, source: str, scheme: str) -> None:
        rest = re.split(r"[/\\?#]", unquote(unquote(source)))
        controls = any(ord(char) < 32 for char in source)
        if not source.strip() or len(source) > 4096 or ".." in rest or controls:
            raise InvalidParameter(
                f"Invalid model version source {rules.short(source)}: a URI without '..' is expected, such "
                "as runs:/<run_id>/model."
            )
        if scheme in ("http", "https", "javascript", "data"):
            raise InvalidParameter(
                f"Invalid model version source {rules.short(source)}: no {scheme}: addresses."
            )
        pattern = config.setting(_PATTERN)
        if pattern and not self._locations.local_paths and not _fits(pattern, source):
            raise InvalidParameter(
                f"Invalid model version source {rules.short(source)}: this server takes those that match "
                f"{pattern!r} ({_PATTERN})."
            )

    def _of_run(self, connection: Connection, source: str, run_id: str) -> str:
        match = _RUN_SOURCE.match(source)
        if match is None or match[1] != run_id:
            raise InvalidParameter(
                f"Invalid model version source {source!r}: runs:/<run_id>/<path> with the version's own "
                "run_id is expected."
            )
        path = check_path(match[2].rstrip("/"))
        model = newest_model(connection, run_id, path)
        if model is not None:
            return model.uri
        try:
            return f"{find_run(connection, run_id).artifact_uri}/{path}"
        except NotFound:  # it may be a run of another server
            return source

    def model_of(self, connection: Connection, source: str, run_id: str) -> str:
        """Return the id of the logged model that a source means without naming it, ``""`` if it means none."""
        found = self.model_at(connection, source, run_id)
        if found is not None:
            return found.model_id
        rest = source.partition(":")[2].strip("/")
        if scheme_of(source) != "models" or rules.MODEL_ID.match(rest):
            return ""
        copied: str = _original(connection, rest).model_id
        return copied

    def model_at(self, connection: Connection, source: str, run_id: str) -> Placed | None:
        """Return the model that a source means which names a path of its run: the newest that is there.

        From then on the version is made of that one, whatever is logged to the path afterwards.
        """
        match = _RUN_SOURCE.match(source)
        if match is not None:
            return newest_model(connection, match[1], match[2].rstrip("/"))
        found = models_of(connection, [run_id]) if run_id else []
        return next((item for item in found if source == f"{item.root}/{item.path}"), None)

    def _of_model(self, connection: Connection, source: str, model_id: str) -> str:
        rest = source.partition(":")[2].strip("/")
        if rules.MODEL_ID.match(rest):
            if model_id != rest:
                raise InvalidParameter(
                    f"Invalid model version source {source!r}: its model must be the version's model_id, "
                    f"not {model_id!r}."
                )
            model = find_logged_model(connection, rest)
            if model.status == LoggedModelStatus.FAILED.value:
                raise InvalidParameter(
                    f"The logged model {rest} is not whole: its upload failed. Log it again, and register that."
                )
            return str(model.artifact_uri)
        original: str = _original(connection, rest).download_uri
        return original

    def spelled(self, connection: Connection, source: str, run_id: str, model_id: str) -> str:
        """Return a source as it is kept: in the words of its run's or model's place, and with the number of the latest.

        So there is one spelling by which it is known whose the files are.
        """
        if (match := _LATEST.match(source)) is None:
            return self._spelled(connection, source, run_id, model_id)
        newest = (
            select(func.max(model_versions.c.version))
            .join(registered_models)
            .where(registered_models.c.name == unquote(match[2]))
        )
        number = connection.execute(newest).scalar()
        return f"{match[1]}{match[2]}/{number or 0}"

    def run_of(self, connection: Connection, source: str, model_id: str) -> str:
        """Return the run that made the model of a source, as far as the store knows, else ``""``."""
        rest = source.partition(":")[2].strip("/")
        if rules.MODEL_ID.match(rest) or model_id:
            run_id: str = find_logged_model(connection, model_id or rest).source_run_id
            return run_id
        if scheme_of(source) == "models":
            original: str = _original(connection, rest).run_id
            return original
        match = _RUN_SOURCE.match(source)
        return match[1] if match else ""

    def _spelled(self, connection: Connection, source: str, run_id: str, model_id: str) -> str:
        if self._locations.local_paths:
            source = self._locations.kept(source)
        if not is_local(source):
            return source
        name = self._locations.name
        place = name(source)
        for root in self._roots(connection, run_id, model_id):
            if f"{place}/".startswith(f"{name(root)}/"):
                rest = place.removeprefix(name(root))
                return root + (quote(rest) if scheme_of(root) == "file" else rest)
        return source

    def _roots(self, connection: Connection, run_id: str, model_id: str) -> list[str]:
        roots = []
        if run_id:
            roots.append(find_run(connection, run_id).artifact_uri)
        if model_id:
            roots.append(find_logged_model(connection, model_id).artifact_uri)
        return roots

    def _local(self, connection: Connection, source: str, run_id: str, model_id: str) -> str:
        roots = self._roots(connection, run_id, model_id)
        inside = any(f"{source}/".startswith(f"{root}/") for root in roots)
        if inside or self._locations.local_paths:
            return source
        raise InvalidParameter(
            f"Invalid model version source: {source!r}. To use a local path as a model version source, it must lie "
            "inside the artifacts of the version's run_id or model_id. Log the model to a run first."
        )


def _fits(pattern: str, source: str) -> bool:
    try:
        return re.search(pattern, source) is not None
    except re.error as error:
        raise InvalidParameter(
            f"This server takes no versions: {_PATTERN}={pattern!r} is no regular expression ({error})."
        ) from error


def _original(connection: Connection, rest: str) -> Row[Any]:
    """Return the version that ``name/version`` means."""
    name, _, version = rest.partition("/")
    return find_version(connection, unquote(name), version)


def location_of(connection: Connection, version: Row[Any]) -> str:
    """Return where the files of a version are, in the words in which its source was given."""
    scheme, location = scheme_of(version.source), str(version.download_uri)
    if scheme == "runs" and not version.model_id:
        return str(version.source)
    rest = version.source.partition(":")[2].strip("/")
    if scheme == "models" and not rules.MODEL_ID.match(rest):
        try:
            original = _original(connection, rest)
        except NotFound:  # deleted since
            return location
        # Who deleted its model may have made another version of that name and number since.
        if original.download_uri == location:
            return location_of(connection, original)
    return location


def add_version(connection: Connection, model: Row[Any], values: dict[str, Any]) -> Row[Any]:
    """Insert the next version of a registered model and return its row."""
    number, now = model.last_version + 1, now_ms()
    row = {
        "registered_model": model.id,
        "version": number,
        "run_link": "",
        "model_id": "",
        "user_id": author(),
        "description": "",
        "current_stage": "None",
        "status": "READY",
        "creation_timestamp": now,
        "last_updated_timestamp": now,
        **values,
    }
    connection.execute(insert(model_versions), row)
    connection.execute(
        update(registered_models)
        .where(registered_models.c.id == model.id)
        .values(last_version=number, last_updated_timestamp=now)
    )
    made = find_version(connection, model.name, str(number))
    version_changed(connection, made, "create", row["current_stage"])
    return made


def check_not_reused(connection: Connection, name: str, number: int, source: str) -> None:
    """Refuse the number of a version that was deleted, unless this is the one. Raises ``InvalidParameter``.

    A version never changes what it is made of, not by way of the trash either.
    """
    of_model = (changes.c.entity == "registered_model") & (changes.c.entity_id == name)
    begun = select(func.max(changes.c.seq)).where(of_model, changes.c.action == "create")
    of_version = (changes.c.entity == "model_version") & (changes.c.entity_id == f"{name}/{number}")
    query = (
        select(changes.c.detail)
        .where(of_version, changes.c.action == "delete")
        .where(changes.c.seq > func.coalesce(begun.scalar_subquery(), 0))
        .order_by(changes.c.seq.desc())
        .limit(1)
    )
    before = connection.execute(query).scalar()
    if before and before != source:
        raise InvalidParameter(
            f"Version {number} of the model {name!r} was deleted here, and it was another one: its source "
            f"was {rules.short(before)}, not {rules.short(source)}. The number is not given out again: "
            "import it under another name."
        )


def name_on_logged_model(connection: Connection, version: Row[Any]) -> None:
    """Add a version to the tag by which MLflow's clients find the versions of a logged model."""
    model = find_logged_model(connection, version.model_id)
    table = logged_model_tags
    query = select(table.c.value).where(
        table.c.logged_model == model.id, table.c.key == _VERSIONS_TAG
    )
    try:
        known = json.loads(connection.execute(query).scalar() or "[]")
    except (ValueError, RecursionError):  # anybody may have written the tag
        known = []
    known = known if isinstance(known, list) else []
    entry = {"name": version.name, "version": version.version}
    if entry not in known:
        row = {
            "logged_model": model.id,
            "key": _VERSIONS_TAG,
            "value": json.dumps([*known, entry]),
        }
        upsert(connection, table, [row])
        parent = str(model.experiment)
        record_change(
            connection,
            "logged_model",
            version.model_id,
            "set-tag",
            parent_id=parent,
            detail=_VERSIONS_TAG,
        )


def version_changed(connection: Connection, row: Row[Any], action: str, detail: str = "") -> None:
    """Note a change of a version in the feed."""
    name = f"{row.name}/{row.version}"
    record_change(connection, "model_version", name, action, parent_id=row.name, detail=detail)


def point_alias(connection: Connection, version: Row[Any], alias: str) -> None:
    """Point an alias of a model at one of its versions."""
    row = {
        "registered_model": version.registered_model,
        "alias": alias,
        "version": version.version,
    }
    upsert(connection, aliases, [row])
    version_changed(connection, version, "set-alias", alias)
