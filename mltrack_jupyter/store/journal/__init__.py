"""The journal: what a process logs is in a file of its own first, and in the store soon after.

**The way of a record**::

    Journal.point, .points, .entry      the caller's thread appends a record to the present Segment: when the
        |                               call returns, the kernel has it, and kill -9 does not lose it
    Keeper (its thread, or a reader)    wakes, and drains
        |
    Drain                               reads records behind the mark, folds many into one RunEntry a run
        |
    Sink.append(since, upto, entries)   the store writes them and its position in one transaction, or none
        |
    Segment.remove                      once the store has all of a sealed file

A journal is named by a random id, and a record by its place in it: the number of its file and of the record
in that. The store keeps the place up to which it has read each journal and takes nothing before it, so that
whoever drains may be interrupted anywhere, and drain again.

**States of a file** (:class:`~mltrack_jupyter.store.journal.segment.State`)::

    GROWING --seal--> SEALED --remove--> REMOVED        drained, and deleted (a damaged one: renamed .torn)
       |                 |
       +------close------+-------------> LEFT           for whoever comes next

**Who may delete a file.** The process that has it locked, and that is the one that appends to it as long as it
lives: then whoever opens the store next (:mod:`~mltrack_jupyter.store.journal.recovery`). It does so when the
store has said that it has all of it. What the store refuses is kept beside it as ``.refused.jsonl``.

**Locks**, in this order: ``Keeper._draining`` (one drain at a time; held over a fork), ``Keeper._handing`` (no
signal handler drains in the middle of it), ``Journal._lock`` (while a record is appended). Who appends waits
for no store and no other file. A signal handler that logs while its own thread holds ``Journal._lock`` logs to
a journal that follows this one (:class:`~mltrack_jupyter.store.journal.chain.Chain`). Between processes, each
file is locked by ``flock`` as long as it is open; it gets its name when it is locked.

**How the format changes.** Each file says its ``format`` in its first record. A version reads all formats up to
its own and leaves newer files alone, for a newer version. A new kind of record needs a new format.

**Platforms.** Linux: all of this, tested. macOS: the same calls but ``posix_fallocate``, without which a file is
filled with zeros (:mod:`~mltrack_jupyter.store.journal.positioned`); what it does instead is tested on Linux.
Windows: no ``flock`` and no ``pread``; the replacements are tested on Linux, the rest was never run there.
"""

from mltrack_jupyter.store.journal.journal import Journal
from mltrack_jupyter.store.journal.keeper import Keeper
from mltrack_jupyter.store.journal.recovery import (
    Recovered,
    folder_to_log_to,
    journal_folder,
    journal_folders,
    others_log,
    recover,
    recover_all,
)
from mltrack_jupyter.store.journal.sinks import is_absent, is_away
from mltrack_jupyter.store.journal.waiting import goes_on, is_known_absent, send_or_keep

__all__ = [
    "Journal",
    "Keeper",
    "Recovered",
    "folder_to_log_to",
    "goes_on",
    "is_absent",
    "is_away",
    "is_known_absent",
    "journal_folder",
    "journal_folders",
    "others_log",
    "recover",
    "recover_all",
    "send_or_keep",
]
