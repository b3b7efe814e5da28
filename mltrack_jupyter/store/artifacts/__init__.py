"""Artifacts: one path resolver, files written whole, and the URIs that lead to them."""

from mltrack_jupyter.store.artifacts.files import ASIDE, SHARED, LocalFiles
from mltrack_jupyter.store.artifacts.given import files_in, open_given, reading
from mltrack_jupyter.store.artifacts.locations import (
    PROXY,
    KeptFiles,
    Locations,
    chosen_location,
    local_path,
)
from mltrack_jupyter.store.artifacts.paths import check_path, plain_path, resolve
from mltrack_jupyter.store.artifacts.repositories import repository_at
from mltrack_jupyter.store.artifacts.schemes import is_direct, is_here, is_local
from mltrack_jupyter.store.artifacts.served import (
    RootServed,
    RunServed,
    files_of_model,
    files_of_server,
)
from mltrack_jupyter.store.artifacts.streams import CheckedReader, save
from mltrack_jupyter.store.artifacts.walking import Folder, tree, walked
from mltrack_jupyter.store.uri import scheme_of

__all__ = [
    "ASIDE",
    "PROXY",
    "SHARED",
    "CheckedReader",
    "Folder",
    "KeptFiles",
    "LocalFiles",
    "Locations",
    "RootServed",
    "RunServed",
    "check_path",
    "files_in",
    "files_of_model",
    "files_of_server",
    "is_direct",
    "is_here",
    "is_local",
    "local_path",
    "chosen_location",
    "open_given",
    "plain_path",
    "reading",
    "repository_at",
    "resolve",
    "save",
    "scheme_of",
    "tree",
    "walked",
]
