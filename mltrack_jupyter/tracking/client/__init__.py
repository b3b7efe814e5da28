"""The client: every question and every write by ids, without an active run, under MLflow's names."""

from mltrack_jupyter.tracking.client.experiments import ExperimentCalls
from mltrack_jupyter.tracking.client.files import FileCalls
from mltrack_jupyter.tracking.client.logged_models import LoggedModelCalls
from mltrack_jupyter.tracking.client.models import ModelCalls
from mltrack_jupyter.tracking.client.runs import RunCalls
from mltrack_jupyter.tracking.client.versions import VersionCalls

__all__ = ["Client", "MlflowClient"]


class Client(ExperimentCalls, RunCalls, FileCalls, LoggedModelCalls, ModelCalls, VersionCalls):
    """MLflow's ``MlflowClient`` by its method names, over any store.

    Each method is one call of a service; ``client.services`` has the services themselves. Methods raise
    the errors of :mod:`mltrack_jupyter.errors`: ``NotFound`` for what is not there, ``InvalidParameter``
    for what cannot be right.

    Parameters
    ----------
    tracking_uri
        A folder, a ``.db`` file, a database URL or ``http(s)://…``; the tracking URI in force if absent.
    registry_uri
        The same, of the store in which models are registered; that of ``tracking_uri`` if absent, or what
        :func:`set_registry_uri` chose.

    Examples
    --------
    >>> client = Client()
    >>> run = client.create_run("0")
    >>> client.log_metric(run.info.run_id, "accuracy", 0.93)
    >>> client.set_terminated(run.info.run_id)
    """


MlflowClient = Client
"""MLflow's name, for scripts that import it from here."""
