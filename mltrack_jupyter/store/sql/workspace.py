"""The change feed and the versions of a store in SQL."""

from __future__ import annotations

from mltrack_jupyter.config import package_version
from mltrack_jupyter.entities import ChangeList, Trash, WorkspaceInfo
from mltrack_jupyter.services import Workspace
from mltrack_jupyter.store import rules
from mltrack_jupyter.store.sql.change_log import read_changes
from mltrack_jupyter.store.sql.database import Database
from mltrack_jupyter.store.sql.purging import Purge
from mltrack_jupyter.store.sql.run_artifacts import Reach
from mltrack_jupyter.store.sql.schema import HEAD
from mltrack_jupyter.store.sql.trash import TrashBin
from mltrack_jupyter.store.sql.unnoted_models import UnnotedModels


class SqlWorkspace(Workspace):
    """The store as a whole, in SQL."""

    def __init__(self, database: Database, reach: Reach) -> None:
        self._database = database
        self._trash = TrashBin(database, reach)
        self._purge = Purge(database, reach, self._trash)
        self._unnoted = UnnotedModels(database, reach)
        self._reach = reach

    def info(self) -> WorkspaceInfo:
        return WorkspaceInfo(
            version=package_version(),
            store=self._database.dialect.name,
            schema_version=self._database.newer_schema or HEAD,
            read_only=self._database.access.refusal,
        )

    def changes(self, since: int | None = None, max_results: int = 1000) -> ChangeList:
        rules.check_page_size(max_results, 10_000)
        with self._database.read() as connection:
            return read_changes(connection, since, max_results)

    def trash(
        self, older_than: int | None = None, experiment_ids: list[str] | None = None
    ) -> Trash:
        return self._trash.contents(older_than, experiment_ids)

    def purge(
        self,
        run_ids: list[str] | None = None,
        experiment_ids: list[str] | None = None,
        model_ids: list[str] | None = None,
    ) -> Trash:
        gone = self._purge(run_ids or [], experiment_ids or [], model_ids or [])
        self._reach.shared.collect()
        self._unnoted.collect()
        return gone

    def settle(self) -> None:
        """Put back the files of what a purge did not get to delete, because it was killed."""
        if self._database.is_writable:
            self._purge.sweep(remove=False)

    def server_info(self) -> dict[str, str | bool | int | dict[str, bool]]:
        multipart = self._reach.serves and self._reach.has_multipart
        return {
            "store_type": "SqlStore",
            "workspaces_enabled": False,
            "trace_archival_enabled": False,
            "multipart_uploads_enabled": multipart,
            "multipart_downloads_enabled": multipart,
            "artifact_serving_enabled": self._reach.serves,
            "artifacts_presigned_only": False,
            "model_artifact_presigned_downloads_supported": False,
            "presigned_upload_model_id_supported": False,
            "presigned_upload_run_id_supported": False,
            "skill_content_max_files": 0,
            "skill_content_max_size": 0,
            "features_enabled": {"gateway": False, "scheduled_issue_detection": False},
            "tracking_auth": "",
        }
