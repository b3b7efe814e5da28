"""Stores that commands look at: those that are there. Only what writes runs makes a new one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from mltrack_jupyter.cli.parsing import store_of
from mltrack_jupyter.errors import InvalidParameter, NotFound
from mltrack_jupyter.services import Services
from mltrack_jupyter.store import StoreUri, normalise_uri, open_store


def open_existing(given: str | None) -> Services:
    """Open the store that was named, or the default one. Raises ``NotFound`` if there is none."""
    return open_store(existing_uri(given))


@contextmanager
def existing(
    given: str | None, *, run_id: str = "", experiment_id: str | None = None
) -> Iterator[Services]:
    """Give a store that is there, as :func:`open_existing`, and close it at the end.

    Errors about ``run_id`` and ``experiment_id`` say which run or experiment was probably meant.
    """
    from mltrack_jupyter.tracking import hints

    with (
        closing(open_existing(given)) as services,
        hints.about_run(services, run_id),
        hints.about_experiment(services, experiment_id),
    ):
        yield services


@contextmanager
def open_new(given: str | None) -> Iterator[Services]:
    """Give a store that is there, or the default one, which is made if it is not; close it at the end."""
    with closing(open_existing(given) if given else open_store(store_of(None))) as services:
        yield services


def existing_uri(given: str | None) -> str:
    """Return the full URI of a store; of SQLite's the file must be there."""
    uri = normalise_uri(store_of(given))
    if named := StoreUri.of(uri).path:
        path = Path(named)
        if not path.exists():
            hint = "" if given else " The first run makes it."
            raise NotFound(
                f"There is no store at {path}.{hint} Name another by its folder, its .db file, its database "
                "URL, or http(s)://… of its server."
            )
        if path.is_dir():
            raise InvalidParameter(f"{path} is a folder, where the database's file should be.")
    return uri
