"""Journals of processes that died: handed over by whoever comes next."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mltrack_jupyter import config
from mltrack_jupyter.errors import MltrackError
from mltrack_jupyter.shown import hide_password
from mltrack_jupyter.store.journal.draining import Drain
from mltrack_jupyter.store.journal.segment import SUFFIX, Segment, is_ours, sweep
from mltrack_jupyter.store.journal.sinks import Sink, is_absent, sink_of
from mltrack_jupyter.store.read_only import is_read_only

if TYPE_CHECKING:
    from mltrack_jupyter.services import Services

_SQLITE = "sqlite:///"
_MEMORY = ":memory:"
log = logging.getLogger("mltrack_jupyter")


@dataclass(frozen=True)
class Recovered:
    """A journal that was handed over, and whether something at the end of a file could not be read."""

    journal_id: str
    torn: bool


def journal_folder(uri: str) -> Path:
    """Return the folder of the journals for a store: beside its file, or in a folder of the user's."""
    path = uri.removeprefix(_SQLITE)
    if path not in (uri, _MEMORY):
        return Path(path).parent / config.JOURNALS
    return config.state_folder() / config.JOURNALS


def orphans(folder: Path, uri: str = "") -> dict[str, list[Segment]]:
    """Return the files of dead processes by journal, opened and locked; only those for ``uri`` if given.

    The oldest journal is the first. Whoever asks at the same time does not get them. Each is to be closed.
    """
    sweep(folder)
    found: dict[str, list[Segment]] = {}
    left: set[str] = set()
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        if not path.is_file():
            continue
        try:
            taken = Segment.take_over(path)
        except BlockingIOError:
            left.add(path.name.split(".")[0])
            continue
        if taken is None:
            continue
        found.setdefault(taken.header.journal_id, []).append(taken)
        if uri and not _is_for(taken.header.uri, uri):
            left.add(taken.header.journal_id)
    for journal_id in left & set(found):
        for segment in found.pop(journal_id):
            segment.close()
    for segments in found.values():
        segments.sort(key=lambda segment: segment.header.index)
    # A forked child logs to a run that its parent began.
    return dict(sorted(found.items(), key=lambda item: item[1][0].header.began))


def _is_for(noted: str, uri: str) -> bool:
    """Tell whether a journal is for a store; the folder of an SQLite file may be elsewhere by now."""
    if noted.startswith("sqlite:///") and uri.startswith("sqlite:///"):
        return Path(noted).name == Path(uri).name
    return hide_password(noted) == hide_password(uri)  # other versions hid less


def others_log(folder: Path) -> bool:
    """Tell whether other processes have journals in a folder, from which something may come."""
    return any(not is_ours(path) for path in folder.glob(f"*{SUFFIX}"))


def recover(
    folder: Path, open_services: Callable[[], Services], uri: str, *, reap: bool = True
) -> list[Recovered]:
    """Hand over the journals that dead processes left in a folder for one store.

    Then their runs that are open still are ended, unless ``reap`` is false. The good beginning of a torn file is handed over, and the
    file kept; one bad file stops no other. Raises ``MltrackError`` if the store is away; the files stay then.
    """
    if uri.endswith(_MEMORY):  # another process's memory is none of ours
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
