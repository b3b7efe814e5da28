"""Artifacts that wait beside a journal: read, handed over and removed by one open file each."""

from __future__ import annotations

import logging
import os
import shutil
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO

from mltrack_jupyter.errors import InvalidParameter, MltrackError, StoreUnwritable
from mltrack_jupyter.store.journal.folder import Folder, UntrustedError
from mltrack_jupyter.store.journal.records import FILES, SpooledFile
from mltrack_jupyter.store.journal.sinks import Sink, is_absent, is_away

log = logging.getLogger("mltrack_jupyter")


class Waiting:
    """An artifact that waits, open: what is read is what was looked at, and only that is removed."""

    def __init__(self, file: SpooledFile, body: BinaryIO, place: Path) -> None:
        self.file = file
        self.body = body
        self.place = place
        self.is_taken = False


@contextmanager
def waiting(folder: Path, journal_id: str, file: SpooledFile) -> Iterator[Waiting | None]:
    """Open an artifact that waits, and remove it afterwards if it was taken.

    ``None`` if it is gone: a process that died uploaded it. Raises ``InvalidParameter`` for a name that the
    journal has not given, and for what is no file of this user.
    """
    from mltrack_jupyter.store.artifacts.paths import check_path  # who only logs needs none of that

    name = file.name_beside(journal_id)
    if not name:
        raise InvalidParameter(
            f"A record of the journal {journal_id} names the file {file.spooled[:200]!r}, which is not in its "
            f"folder: right is {journal_id}{FILES}/ and 32 hexadecimal digits."
        )
    check_path(file.path)
    beside = f"{journal_id}{FILES}"
    with ExitStack() as stack:
        try:
            outer = stack.enter_context(Folder.open(folder))
            inner = stack.enter_context(outer.folder(beside))
            body = stack.enter_context(os.fdopen(inner.take(name), "rb"))
        except FileNotFoundError:
            yield None
            return
        except UntrustedError as error:
            raise InvalidParameter(f"A file that waits is not taken: {error}.") from error
        found = Waiting(file, body, folder / beside / name)
        yield found
        if found.is_taken:
            inner.remove(name, body.fileno())
            outer.remove_folder(beside)


@contextmanager
def keep(folder: Path, journal_id: str, path: str, body: BinaryIO) -> Iterator[str]:
    """Copy an artifact to a file beside a journal; it is removed if the record of it is not written.

    Raises ``StoreUnwritable``.
    """
    beside, name = f"{journal_id}{FILES}", uuid.uuid4().hex
    with ExitStack() as stack:
        try:
            outer = stack.enter_context(Folder.open(folder, make=True))
            inner = stack.enter_context(outer.folder(beside, make=True))
            handle = inner.create(name, os.O_WRONLY)
            copy = stack.enter_context(os.fdopen(handle, "wb"))
        except OSError as error:
            raise _unkept(path, folder / beside, error) from error
        try:
            shutil.copyfileobj(body, copy, 1024 * 1024)
            copy.flush()
            os.fsync(handle)
            yield f"{beside}/{name}"
        except OSError as error:
            inner.remove(name, handle)
            raise _unkept(path, folder / beside, error) from error
        except BaseException:
            inner.remove(name, handle)
            raise


def _unkept(path: str, place: Path, error: OSError) -> StoreUnwritable:
    return StoreUnwritable(
        f"The artifact {path!r} could not be kept in {place}: {error.strerror or error}."
    )


def upload(found: Waiting, send: Callable[[], None], sink: Sink) -> bool:
    """Hand over an artifact; tell whether it was refused and is kept where it is.

    Raises ``MltrackError`` if the store is away.
    """
    refused: MltrackError | None = None
    for _ in range(2):
        found.body.seek(0)
        try:
            send()
        except MltrackError as error:
            refused = error
        else:
            return False
        if not is_away(refused):
            break
        if is_absent(refused) or isinstance(refused, StoreUnwritable):
            raise refused
        sink.check(found.file.run_id)  # raises, unless it is just this file that it does not take
    log.warning(
        "mltrack: the artifact %r of the run %s was refused (%s); it is kept at %s",
        found.file.path, found.file.run_id, refused, found.place,
    )  # fmt: skip
    return True
