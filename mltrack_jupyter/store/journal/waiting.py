"""What goes to the store at once: sent, or kept in the journal while the store is away."""

from __future__ import annotations

from collections.abc import Callable

from mltrack_jupyter.errors import MltrackError, StoreUnwritable
from mltrack_jupyter.store.brief import briefly
from mltrack_jupyter.store.journal.keeper import Keeper
from mltrack_jupyter.store.journal.sinks import is_absent, is_away

_TOLD = (403, 413, 500)
"""What a store answers to one request, and may answer to it for ever: that would keep the rest waiting."""


def send_or_keep(keeper: Keeper, send: Callable[[], object], keep: Callable[[], object]) -> None:
    """Send something to the store at once; ``keep`` it in the journal while nobody answers there.

    Whoever is strict waits for the store, and hears what it says.
    """
    if keeper.strict:
        send()
        return
    if not is_known_absent(keeper):
        try:
            with briefly():
                send()
        except MltrackError as error:
            if not goes_on(keeper, error):
                raise
            keeper.absent = True  # until the thread, which is about to look, sees otherwise
        else:
            return
    keep()
    keeper.wrote()


def is_known_absent(keeper: Keeper) -> bool:
    """Tell whether nobody answered last, and the thread is to ask again: with nothing pending it does not."""
    return keeper.absent and keeper.pending


def goes_on(keeper: Keeper, error: MltrackError) -> bool:
    """Tell whether whoever logs goes on without the store, after this error.

    That is where nobody answers; and where the store was reached before, if it is somebody else who does: a
    hub's login, a proxy, or a server that does not know the token any more.
    """
    if keeper.strict:
        return False
    if is_absent(error):
        return True
    is_told = isinstance(error, StoreUnwritable) or error.status in _TOLD
    return keeper.reached and is_away(error) and not is_told
