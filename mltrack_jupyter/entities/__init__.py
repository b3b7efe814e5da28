"""What is spoken of: frozen entities in MLflow's words and shapes.

Fields keep the order and the names of MLflow's messages; a list of key-value pairs on the wire can be
read as a dict (``run.data.metrics["acc"]``). Times are milliseconds since the Unix epoch, UTC.
"""

from mltrack_jupyter.entities.artifact import FileInfo, FileList
from mltrack_jupyter.entities.base import Entity, Tag
from mltrack_jupyter.entities.experiment import Experiment, LifecycleStage, ViewType
from mltrack_jupyter.entities.logged_model import (
    LoggedModel,
    LoggedModelData,
    LoggedModelInfo,
    LoggedModelStatus,
    ModelDataset,
    ModelOrder,
)
from mltrack_jupyter.entities.page import Page
from mltrack_jupyter.entities.registered_model import (
    STAGES,
    Alias,
    ModelVersion,
    RegisteredModel,
)
from mltrack_jupyter.entities.run import (
    AUTOLOGGED,
    Dataset,
    DatasetInput,
    DatasetSummary,
    Metric,
    ModelInput,
    ModelOutput,
    Param,
    Run,
    RunData,
    RunInfo,
    RunInputs,
    RunOutputs,
    RunStatus,
)
from mltrack_jupyter.entities.table import (
    Column,
    ColumnStats,
    MetricSeries,
    RunColumns,
    RunTable,
)
from mltrack_jupyter.entities.transfer import InlineFile, RunArrival
from mltrack_jupyter.entities.trash import Trash, TrashItem
from mltrack_jupyter.entities.workspace import Change, ChangeList, WorkspaceInfo

__all__ = [
    "AUTOLOGGED",
    "STAGES",
    "Alias",
    "Change",
    "ChangeList",
    "Column",
    "ColumnStats",
    "Dataset",
    "DatasetInput",
    "DatasetSummary",
    "Entity",
    "Experiment",
    "FileInfo",
    "FileList",
    "InlineFile",
    "LifecycleStage",
    "LoggedModel",
    "LoggedModelData",
    "LoggedModelInfo",
    "LoggedModelStatus",
    "Metric",
    "MetricSeries",
    "ModelDataset",
    "ModelInput",
    "ModelOrder",
    "ModelOutput",
    "ModelVersion",
    "Page",
    "Param",
    "RegisteredModel",
    "Run",
    "RunArrival",
    "RunColumns",
    "RunData",
    "RunInfo",
    "RunInputs",
    "RunOutputs",
    "RunStatus",
    "RunTable",
    "Tag",
    "Trash",
    "TrashItem",
    "ViewType",
    "WorkspaceInfo",
]
