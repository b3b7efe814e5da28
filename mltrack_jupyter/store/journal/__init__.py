"""The journal: what a process logs is in a file of its own first, and in the store soon after."""

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
