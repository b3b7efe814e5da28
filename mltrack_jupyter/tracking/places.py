"""Where a run keeps its files, as soon as its store tells: it was not asked when the run began."""

from __future__ import annotations

from contextlib import suppress

from msgspec.structs import replace

from mltrack_jupyter.entities import RunInfo
from mltrack_jupyter.errors import MltrackError
from mltrack_jupyter.store.brief import briefly
from mltrack_jupyter.tracking import session


def find(info: RunInfo, uri: str) -> RunInfo:
    """Return what is known of a run, and its place if the store tells it now.

    The experiment of a run that began while the store was away is known by its name only until then.
    """
    try:
        with briefly(session.ASIDE):
            if number := info.experiment_id:  # the journal need not be handed over for that
                known = session.known(uri)
                if number not in known.located:
                    known.remember(session.unflushed(uri).experiments.get(number))
                place = known.located[number]
                return replace(info, artifact_uri=f"{place}/{info.run_id}/artifacts")
            stored = session.services(uri).runs.get(info.run_id).info
            return replace(stored, status=info.status)
    except MltrackError:
        return info  # the store is away, or says so when something is asked of it


def make(place: str, uri: str) -> None:
    """Make the folder of a run's artifacts if it is one of this machine, for programs that write there themselves.

    What a server calls a path is one of its own machine. No link in a store that somebody handed on leads out of it.
    """
    from mltrack_jupyter.store.artifacts import LocalFiles, is_here

    if is_here(place, uri):
        with suppress(OSError, MltrackError):  # whoever writes there is told why that does not go
            files = getattr(session.unflushed(uri).files_at(place, ""), "files", None)
            if isinstance(files, LocalFiles):
                files.make()
