"""What a run holds already under the names that a training is about to write."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any, Literal

from mltrack_jupyter.entities import Run
from mltrack_jupyter.errors import EndpointNotFound, MltrackError
from mltrack_jupyter.store.journal import is_absent, is_known_absent
from mltrack_jupyter.tracking import fluent, scope, session

if TYPE_CHECKING:
    from mltrack_jupyter.services import Services
    from mltrack_jupyter.tracking.scope import ActiveRun

Kind = Literal["params", "metrics", "tags"]


class Stored:
    """A run, asked for some names at a time: the cost is theirs, whatever else the run holds.

    Each name is asked for once. Without ``waits``, nobody can have set such tags by hand a moment ago.
    ``run`` is what this process knows of it, also after its end.
    """

    def __init__(self, run_id: str, run: ActiveRun | None = None, *, waits: bool = True) -> None:
        self._run_id = run_id
        self._run = run
        self._waits = waits
        self._known: dict[str, dict[str, Any]] = {"params": {}, "metrics": {}, "tags": {}}
        # All that a server of MLflow's has to tell of a run, which it tells only at once.
        self._whole = False

    def by_hand(
        self, kind: Kind, names: Collection[str], ours: Collection[str]
    ) -> Mapping[str, Any]:
        """Return those of some names under which somebody else has written, with what the run holds.

        ``ours`` are the names that autologging wrote. The value is ``None`` where it is not known.
        """
        wanted = [name for name in names if name not in ours]
        run = self._run or scope.find(self._run_id)
        here = {name for name in wanted if run is not None and _is_logged(run, kind, name)}
        if run is not None and is_known_absent(run.keeper):
            # What is logged waits in the journal, and what is here is all that is known.
            return dict.fromkeys(here)
        uri = run.uri if run is not None else session.get_tracking_uri()
        # What this process logged under other names is no reason to wait until the store has it.
        flushed = bool(here) or (kind == "tags" and self._waits)
        try:
            services = session.services(uri) if flushed else session.unflushed(uri)
            stored = self._read(kind, wanted, services)
        except MltrackError as error:
            if run is None or not is_absent(error):
                raise
            run.keeper.absent = True  # until it is seen there again
            stored = {}
        return {**dict.fromkeys(here), **stored}

    def _read(self, kind: Kind, names: Collection[str], services: Services) -> dict[str, Any]:
        known = self._known[kind]
        new = [name for name in names if name not in known]
        if new and not self._whole:
            try:
                asked = [f"{kind}.{name}" for name in new]
                table = services.runs.table(run_ids=[self._run_id], columns=asked)
            except EndpointNotFound:  # a genuine MLflow server
                self._take(fluent.get_run(self._run_id))
            else:
                known.update(dict.fromkeys(new))
                known.update((column.key, column.values[0]) for column in table.columns)
        return {name: known[name] for name in names if known.get(name) is not None}

    def _take(self, run: Run) -> None:
        self._whole = True
        for kind, values in self._known.items():
            values.update(getattr(run.data, kind))


def _is_logged(run: ActiveRun, kind: Kind, name: str) -> bool:
    """Tell whether this process logged something under a name; of tags that is not noted."""
    if kind == "metrics":
        return name in run.logged[1]
    return kind == "params" and name in run.logged[0]
