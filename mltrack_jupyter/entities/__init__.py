"""What is spoken of: frozen entities in MLflow's words and shapes.

Fields keep the order and the names of MLflow's messages; a list of key-value pairs on the wire can be
read as a dict (``run.data.metrics["acc"]``). Times are milliseconds since the Unix epoch, UTC.
"""

from mltrack_jupyter.entities.artifact import (
    FileInfo,
    FileList,
    MissingFiles,
    MultipartUpload,
    MultipartUploadCredential,
    MultipartUploadPart,
    PresignedDownload,
)
from mltrack_jupyter.entities.base import Entity, Tag
from mltrack_jupyter.entities.experiment import Experiment, LifecycleStage, ViewType
from mltrack_jupyter.entities.health import Health, HealthStatus, LaneHealth, LoopHealth
from mltrack_jupyter.entities.journal import (
    Amendment,
    JournalAnswer,
    ManyNames,
    NewRun,
    Points,
    Refusal,
    RunEntry,
    Singles,
    spelled_out,
)
from mltrack_jupyter.entities.logged_model import (
    LoggedModel,
    LoggedModelData,
    LoggedModelInfo,
    LoggedModelStatus,
    MadeModel,
    ModelDataset,
    ModelOrder,
    ModelRecord,
)
from mltrack_jupyter.entities.page import Page, PagedList
from mltrack_jupyter.entities.process import Process
from mltrack_jupyter.entities.registered_model import (
    STAGES,
    Alias,
    ModelVersion,
    ModelVersionStatus,
    RegisteredModel,
)
from mltrack_jupyter.entities.run import (
    AUTOLOGGED,
    ERROR,
    REASON,
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
    SourceType,
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

# MLflow has a class for each kind of tag, and longer names; one of each is enough here.
RunTag = ExperimentTag = InputTag = ModelVersionTag = RegisteredModelTag = LoggedModelTag = Tag
LoggedModelInput, LoggedModelOutput, LoggedModelParameter = ModelInput, ModelOutput, Param

__all__ = [
    "AUTOLOGGED",
    "ERROR",
    "REASON",
    "STAGES",
    "Alias",
    "Amendment",
    "Change",
    "ChangeList",
    "Column",
    "ColumnStats",
    "Dataset",
    "DatasetInput",
    "DatasetSummary",
    "Entity",
    "Experiment",
    "ExperimentTag",
    "FileInfo",
    "FileList",
    "Health",
    "HealthStatus",
    "MissingFiles",
    "InlineFile",
    "JournalAnswer",
    "InputTag",
    "LaneHealth",
    "LifecycleStage",
    "LoggedModel",
    "LoggedModelData",
    "LoggedModelInfo",
    "LoggedModelInput",
    "LoggedModelOutput",
    "LoggedModelParameter",
    "LoggedModelStatus",
    "LoggedModelTag",
    "LoopHealth",
    "MadeModel",
    "ManyNames",
    "Metric",
    "MetricSeries",
    "ModelDataset",
    "ModelInput",
    "ModelOrder",
    "ModelOutput",
    "ModelRecord",
    "ModelVersion",
    "NewRun",
    "ModelVersionStatus",
    "ModelVersionTag",
    "Page",
    "PagedList",
    "Param",
    "Points",
    "Refusal",
    "Singles",
    "spelled_out",
    "Process",
    "MultipartUpload",
    "MultipartUploadCredential",
    "MultipartUploadPart",
    "PresignedDownload",
    "RegisteredModel",
    "RegisteredModelTag",
    "Run",
    "RunArrival",
    "RunColumns",
    "RunData",
    "RunEntry",
    "RunInfo",
    "RunInputs",
    "RunOutputs",
    "RunStatus",
    "RunTable",
    "RunTag",
    "SourceType",
    "Tag",
    "Trash",
    "TrashItem",
    "ViewType",
    "WorkspaceInfo",
]
