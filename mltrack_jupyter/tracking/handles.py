"""What lets another process, here or on another machine, log to a run of this one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from msgspec.structs import replace

from mltrack_jupyter.entities import Run, RunData, RunEntry, RunInfo
from mltrack_jupyter.errors import InvalidParameter, MltrackError, NotFound, Unauthenticated
from mltrack_jupyter.shown import one_line, without_password
from mltrack_jupyter.store import StoreUri
from mltrack_jupyter.store.brief import briefly
from mltrack_jupyter.store.transport import sign_in_settings
from mltrack_jupyter.tracking import scope, session
from mltrack_jupyter.tracking.scope import ActiveRun


@dataclass(frozen=True)
class RunHandle:
    """A run as other processes know it: which it is, in which store, and how to sign in there. Pickles.

    It holds no secrets. ``sign_in`` names the settings with which the process that made it signs in; ``begin``
    is how the run began, where its store could not be told yet.
    """

    uri: str
    info: RunInfo
    experiment_name: str = ""
    begin: RunEntry | None = None
    sign_in: tuple[str, ...] = ()

    @property
    def run_id(self) -> str:
        """The id of the run."""
        return self.info.run_id

    @contextmanager
    def attach(self) -> Iterator[ActiveRun]:
        """Log to the run inside the block, with the same verbs; runs that are started there become its children.

        Leaving the block hands over what was logged, and ends what was left open inside; the run itself goes on,
        and how it ends is for the process that started it to say.

        Raises
        ------
        Unauthenticated
            This process has no credentials for the server, and the one that made the handle has.
        NotFound
            The store is a file of another machine.
        """
        uri = self._uri_here()
        keeper = session.keeper(uri)
        run = ActiveRun(Run(info=self.info, data=RunData()), uri, None, self.experiment_name)
        run.told = run.resumed = True  # how it ends is not ours to tell, and others write to it
        if (outer := scope.find(self.run_id)) is not None:
            run.share(outer)
        if self.begin is not None:
            run.write(self.begin)
        with session.within(uri):
            scope.push(run)
            with run:
                yield run
            with suppress(MltrackError), briefly(session.HANDING_OVER):
                keeper.flush()  # who is handed the result of this work looks for its run

    def _uri_here(self) -> str:
        """Return the URI of the store in this process, where that has a password as well."""
        own = session.get_tracking_uri()
        if without_password(own) == self.uri:
            return own
        file = StoreUri.of(self.uri).file
        if file is not None and not file.exists():
            raise NotFound(
                f"The run {self.run_id} is in the file {one_line(str(file))}, which is not on "
                "this machine. Workers on other machines log through a server: set_tracking_uri('http://…') before "
                "the run is started, with the address that `mltrack server` prints."
            )
        if self.sign_in and not sign_in_settings():
            raise Unauthenticated(
                f"The run {self.run_id} is in the store {one_line(self.uri)}, to which the process that started it "
                f"signs in by {' and '.join(self.sign_in)}. A handle holds no secrets: set the same in the "
                "environment of this process."
            )
        return self.uri


def run_handle(run: ActiveRun | None = None) -> RunHandle:
    """Return what lets other processes log to a run, the active one by default: :meth:`RunHandle.attach`.

    It pickles, and so travels to workers of ``multiprocessing``, Dask, Spark or Kubernetes. What was logged so
    far is in the store when this returns, unless the store is away. Raises ``InvalidParameter`` if no run is open.
    """
    run = run if run is not None else scope.active_run()
    if run is None or run.closed:
        raise InvalidParameter(
            "A handle is of an open run, and none is open: right would be, for example, "
            "`with mltrack.start_run(): handle = mltrack.run_handle()`."
        )
    begin = None
    try:
        with briefly(session.HANDING_OVER):
            run.keeper.flush()
    except MltrackError as error:
        if not session.goes_on(run.uri, error):
            raise
        begin = run.begin
    is_server = StoreUri.of(run.uri).is_server
    return RunHandle(
        uri=without_password(run.uri),
        info=replace(run.info, artifact_uri=""),  # it may have a password in it
        experiment_name=run.experiment[1],
        begin=begin,
        sign_in=sign_in_settings() if is_server else (),
    )
