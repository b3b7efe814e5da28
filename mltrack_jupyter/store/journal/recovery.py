"""Journals of processes that died: handed over by whoever comes next."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mltrack_jupyter import config
from mltrack_jupyter.errors import MltrackError
from mltrack_jupyter.shown import hide_password
from mltrack_jupyter.store.journal.draining import Drain
from mltrack_jupyter.store.journal.folder import (
    Folder,
    UntrustedError,
    first_private,
    is_private,
    say_what_is_left,
)
from mltrack_jupyter.store.journal.segment import NAME, SUFFIX, Segment, is_ours, sweep
from mltrack_jupyter.store.journal.sinks import Sink, is_absent, sink_of
from mltrack_jupyter.store.read_only import is_read_only
from mltrack_jupyter.store.uri import MEMORY, StoreUri

if TYPE_CHECKING:
    from mltrack_jupyter.services import Services

log = logging.getLogger("mltrack_jupyter")


@dataclass(frozen=True)
class Recovered:
    """A journal that was handed over, and whether something at the end of a file could not be read."""

    journal_id: str
    torn: bool


def journal_folder(uri: str) -> Path:
    """Return the folder of this user's journals for a store; nothing is created.

    That is beside an SQLite file, or in a folder of the user's: see :func:`journal_folders`.
    """
    places = journal_folders(uri)
    fit = (place for place in places if is_private(place) or not os.path.lexists(place))
    return next(fit, places[0])


def folder_to_log_to(uri: str) -> Path:
    """Return the folder for journals of this process, made if it was not there."""
    return first_private(journal_folders(uri))


def journal_folders(uri: str) -> list[Path]:
    """Return where journals of this user for a store may be, the usual place first.

    What is in a folder of another user's, or that others may write, is nobody's to take over: who finds
    such a folder beside the store has one of their own there. On a disk that knows no owners, and for a
    store elsewhere, journals are in the folder of the user's state.
    """
    aside = config.state_folder() / config.JOURNALS
    file = StoreUri.of(uri).file
    usual = [aside] if file is None else [file.parent / config.JOURNALS, aside]
    if not hasattr(os, "geteuid"):
        return usual
    own = f"{config.JOURNALS}-{os.geteuid()}"
    return [place for beside in usual for place in (beside, beside.with_name(own))]


def orphans(folder: Path, uri: str = "") -> dict[str, list[Segment]]:
    """Return the files of dead processes by journal, opened and locked; only those for ``uri`` if given.

    The oldest journal is the first. Whoever asks at the same time does not get them. Each is to be closed.
    """
    found: dict[str, list[Segment]] = {}
    left: set[str] = set()
    for path in _journals(folder):
        try:
            taken = Segment.take_over(path)
        except BlockingIOError:
            left.add(path.name.split(".")[0])
            continue
        if taken is None:
            continue
        found.setdefault(taken.header.journal_id, []).append(taken)
        if uri and not is_for(taken.header.uri, uri, folder):
            left.add(taken.header.journal_id)
    for journal_id in left & set(found):
        for segment in found.pop(journal_id):
            segment.close()
    for segments in found.values():
        segments.sort(key=lambda segment: segment.header.index)
    # A forked child logs to a run that its parent began.
    return dict(sorted(found.items(), key=lambda item: item[1][0].header.began))


def _journals(folder: Path) -> Iterator[Path]:
    """Yield the files in a folder that are named as journals are, and say why others are left."""
    try:
        with Folder.open(folder) as opened:
            sweep(opened)
            names = opened.names()
    except UntrustedError as error:
        if _has_journals(folder):
            say_what_is_left(folder, error)
        return
    except OSError:
        return
    for name in names:
        if NAME.fullmatch(name):
            yield folder / name
        elif name.endswith(SUFFIX):
            say_what_is_left(folder / name, "its name is not that of a journal")


def _has_journals(folder: Path) -> bool:
    try:
        return any(name.endswith(SUFFIX) for name in os.listdir(folder))
    except OSError:  # another user's, who hands over what is in it
        return False


def is_for(noted: str, uri: str, folder: Path) -> bool:
    """Tell whether a journal is for a store; the folder of an SQLite file may be elsewhere by now."""
    is_beside = folder.parent != config.state_folder()
    there, here = StoreUri.of(noted).file, StoreUri.of(uri).file
    if is_beside and there is not None and here is not None:
        return there.name == here.name
    return hide_password(noted) == hide_password(uri)  # other versions hid less


def others_log(folder: Path) -> bool:
    """Tell whether other processes have journals in a folder, from which something may come."""
    return any(not is_ours(path) for path in folder.glob(f"*{SUFFIX}"))


def recover_all(
    uri: str, open_services: Callable[[], Services], *folders: Path, reap: bool = True
) -> list[Recovered]:
    """Hand over what dead processes left for a store, wherever it is: see :func:`recover`."""
    return [
        item
        for folder in dict.fromkeys([*journal_folders(uri), *folders])
        if folder.exists()
        for item in recover(folder, open_services, uri, reap=reap)
    ]


def recover(
    folder: Path, open_services: Callable[[], Services], uri: str, *, reap: bool = True
) -> list[Recovered]:
    """Hand over the journals that dead processes left in a folder for one store.

    Then their runs that are open still are ended, unless ``reap`` is false. The good beginning of a torn file is handed over, and the
    file kept; one bad file stops no other. Raises ``MltrackError`` if the store is away; the files stay then.
    """
    if StoreUri.of(uri).path == MEMORY:  # another process's memory is none of ours
        return []
    if is_read_only(uri):  # which is no fault: whoever may write it takes them over
        return []
    done: list[Recovered] = []
    waiting = orphans(folder, uri)
    failed: MltrackError | None = None
    try:
        if waiting:
            sink = sink_of(open_services(), folder)
        while waiting:
            journal_id, segments = next(iter(waiting.items()))
            try:
                done.append(_recover(journal_id, folder, segments, sink))
                if reap:
                    sink.reap()
            except MltrackError as error:
                if is_absent(error):
                    raise
                failed = failed or error
            _close(waiting.pop(journal_id))  # what cannot be handed over, or be removed
    finally:
        for segments in waiting.values():
            _close(segments)
    if failed is not None:
        raise failed
    return done


def _recover(journal_id: str, folder: Path, segments: list[Segment], sink: Sink) -> Recovered:
    torn = sum(_is_torn(segment) for segment in segments) > 0
    drain = Drain(journal_id, folder, segments)
    drain.resume()
    drain.run(sink)
    if not segments:  # otherwise their place says that they are in the store
        sink.forget(journal_id)
    return Recovered(journal_id, torn)


def _close(segments: list[Segment]) -> None:
    for segment in segments:
        segment.close()


def _is_torn(segment: Segment) -> bool:
    """Tell whether the end of a file is no record, and say so."""
    while segment.read():
        pass
    segment.keep = segment.torn
    segment.rewind()
    if segment.keep:
        log.warning(
            "mltrack: the end of %s is no record and is left out; the file is kept as .torn.",
            segment.path,
        )
    return segment.keep
