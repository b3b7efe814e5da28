"""Files that several runs have: sent to the store once, and given to each run."""

from __future__ import annotations

import hashlib
import io
import time
from collections.abc import Hashable, Mapping
from typing import Protocol

from mltrack_jupyter.entities import RunEntry, Tag
from mltrack_jupyter.errors import EndpointNotFound, InvalidParameter, NotImplementedHere
from mltrack_jupyter.store import StoreUri
from mltrack_jupyter.store.journal import Keeper, brought, send_or_keep
from mltrack_jupyter.tracking import session
from mltrack_jupyter.tracking.artifacts import RunFiles


class Sharing(Protocol):
    """A run of this process, as far as it matters here."""

    run_id: str
    uri: str

    @property
    def experiment(self) -> tuple[str, str]:
        """The id of the experiment, and its name where the id is not known yet."""
        ...

    @property
    def keeper(self) -> Keeper:
        """The keeper of the journal that the run is logged to."""
        ...

    @property
    def files(self) -> RunFiles:
        """The artifacts of the run."""
        ...


_SURE = 12 * 3600.0
"""How long the store surely has what it was brought, in seconds: half as long as it keeps what no run has."""


def share_again(run: Sharing, what: Hashable, tags: Mapping[str, str] | None = None) -> bool:
    """Give a run the files that an earlier one has, by a word in the journal; ``False`` if none has them.

    ``what`` is what the files tell of; ``tags`` are told together with them.
    """
    known = session.known(run.uri).given.get((run.experiment, what))
    if known is None or time.monotonic() - known[0] > _SURE:
        return False
    pairs = [Tag(key, value) for key, value in (tags or {}).items()]
    run.keeper.journal.entry(RunEntry(run_id=run.run_id, tags=pairs, shared=known[1]))
    run.keeper.wrote()
    return True


def share(run: Sharing, what: Hashable, texts: Mapping[str, str]) -> None:
    """Give a run files that other runs may have as well; into its journal while its store is away.

    A store that keeps no files in common, such as a genuine MLflow server, gets them as the run's own.
    """
    bodies = {path: text.encode() for path, text in texts.items()}
    if not session.keeps_ids(run.uri):
        _write(run, bodies)
        return

    def keep() -> None:
        for path, body in bodies.items():
            run.keeper.journal.spool(run.run_id, path, io.BytesIO(body))

    digests = {path: hashlib.sha256(body).hexdigest() for path, body in bodies.items()}
    # A notebook looks again at each cell, and mostly finds what the cell before has brought.
    store = _file_of(run.uri)
    found = store, tuple(sorted(digests.items()))
    if store is not None and share_again(run, found):
        return

    def send() -> None:
        if not _send(run, digests, bodies):
            return
        given = session.known(run.uri).given
        if len(given) > 100:  # a process that lives long, and edits its code between runs
            given.clear()
            brought.forget()
        for known in (what, found):
            given[run.experiment, known] = time.monotonic(), digests
        brought.remember({digest: bodies[path] for path, digest in digests.items()})
        # Said in the journal, too: whoever tells another store of an open run gives it what the run has.
        run.keeper.journal.entry(RunEntry(run_id=run.run_id, shared=digests))
        run.keeper.wrote()

    try:
        send_or_keep(run.keeper, send, keep)
    except (EndpointNotFound, NotImplementedHere, InvalidParameter):
        # A server of an earlier release, or a run that keeps its files in a place of its own.
        _write(run, bodies)


def _file_of(uri: str) -> tuple[int, int] | None:
    """Return what tells the file of a local store from one that takes its place; ``None`` for others."""
    file = StoreUri.of(uri).file
    try:
        found = None if file is None else file.stat()
    except OSError:
        return None
    return (found.st_dev, found.st_ino) if found is not None else None


def _send(run: Sharing, digests: Mapping[str, str], bodies: Mapping[str, bytes]) -> bool:
    """Give a run files, and bring those that the store lacks; tell whether it has all of them."""
    artifacts = session.services(run.uri).run_artifacts
    missing = set(artifacts.share(run.run_id, dict(digests)).sha256)
    if not missing:
        return True
    for path, digest in digests.items():
        if digest in missing:
            missing.discard(digest)
            artifacts.put_shared(digest, io.BytesIO(bodies[path]))
    return not artifacts.share(run.run_id, dict(digests)).sha256


def _write(run: Sharing, bodies: Mapping[str, bytes]) -> None:
    for path, body in bodies.items():
        run.files.write(path, io.BytesIO(body))
