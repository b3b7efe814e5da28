"""Files in an object store or on another machine, through fsspec."""

from __future__ import annotations

import importlib
import json
import os
import posixpath
import sys
import uuid
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from typing import Any, BinaryIO, cast

from mltrack_jupyter.config import setting
from mltrack_jupyter.entities import FileInfo
from mltrack_jupyter.errors import (
    InvalidParameter,
    MltrackError,
    NotFound,
    PermissionDenied,
    StoreUnwritable,
    Unavailable,
)
from mltrack_jupyter.services import Download, Written
from mltrack_jupyter.shown import hide_password
from mltrack_jupyter.store.artifacts.paths import check_path
from mltrack_jupyter.store.artifacts.schemes import Scheme
from mltrack_jupyter.store.artifacts.streams import CHUNK, TEMPORARY, HashedReader
from mltrack_jupyter.store.tls import is_on

_BLOCK = 8 * 1024 * 1024
_ARGUMENTS = "MLFLOW_S3_UPLOAD_EXTRA_ARGS"
_RIGHT = """Right would be {"ServerSideEncryption": "AES256"}."""
_PARTS = 9_000  # S3 takes 10,000 parts of a file
_TIMES = ("LastModified", "mtime", "last_modified", "modified", "updated", "created")
_REASONS = (
    ("botocore.exceptions", "BotoCoreError"),
    ("aiohttp", "ClientError"),
    ("asyncssh", "Error"),
    ("google.auth.exceptions", "GoogleAuthError"),
    ("gcsfs.retry", "HttpError"),
    ("azure.core.exceptions", "AzureError"),
)


class ObjectFiles:
    """Artifacts below the address of an object store, or of a folder of another machine."""

    def __init__(self, uri: str, scheme: Scheme) -> None:
        self.uri = uri.rstrip("/")
        self._scheme = scheme
        address, slash, rest = self.uri.partition("://")[2].partition("/")
        if "?" in uri or "#" in uri or not (address or scheme.protocol == "hdfs"):
            raise InvalidParameter(
                f"Invalid artifact location {hide_password(uri)!r}: <scheme>://<bucket or host>/<folder> is "
                "expected, without '?' and '#'."
            )
        self._address = f"{scheme.protocol}://{address}{slash}"
        self._rest = check_path(rest, empty=True)

    @property
    def file_system(self) -> Any:
        """The file system of fsspec; one for a process and an address, as it must not cross a fork."""
        return self._opened()[0]

    def _opened(self) -> tuple[Any, str]:
        fixed = tuple(sorted(self._scheme.options.items()))
        return _open(os.getpid(), self._address, fixed, _settings(self._scheme.protocol))

    def place(self, path: str) -> str:
        """Return the name of a path as the file system knows it."""
        check_path(path, empty=True)
        if "?versionId=" in path:  # s3fs would read it as the address of an older version
            raise InvalidParameter(
                f"Invalid path {path!r}: '?versionId=' cannot be in a name on S3."
            )
        top = self._opened()[1]
        return "/".join([top.rstrip("/"), *filter(None, (self._rest, path))])

    def list(self, path: str = "") -> list[FileInfo]:
        """Return the children of a folder by base name; nothing for a file or a missing path."""
        with self.said(path, "listed"):
            place = self.place(path)
            try:
                entries = self.file_system.ls(place, detail=True)
            except (FileNotFoundError, NotADirectoryError):
                return []
        found = {}
        for entry in entries:
            name = _name(entry).rpartition("/")[2]
            if _name(entry) != place.rstrip("/") and name and not name.startswith(TEMPORARY):
                is_dir = entry["type"] == "directory"
                size = 0 if is_dir else int(entry.get("size") or 0)
                found[name] = FileInfo(path=name, is_dir=is_dir, file_size=size)
        return [found[name] for name in sorted(found)]

    def open(self, path: str) -> Download:
        """Open a file, whose parts are fetched as they are read. Raises ``NotFound``."""
        check_path(path)
        with self.said(path, "read"):
            place = self.place(path)
            try:
                found = self.file_system.info(place)
            except (FileNotFoundError, NotADirectoryError) as error:
                raise NotFound(f"There is no artifact {path!r}.") from error
            if found["type"] == "directory":
                raise InvalidParameter(f"{path!r} is a directory; list it and ask for its files.")
            file = self.file_system.open(place, "rb", block_size=_BLOCK)
        size = int(found["size"])
        return Download(cast(BinaryIO, file), path.rpartition("/")[2], size, _modified(found))

    def write(self, path: str, body: BinaryIO) -> Written:
        """Write a file; it appears when all of it is there."""
        check_path(path)
        hashed = HashedReader(body)
        with self.said(path, "written"):
            self._check_free(path)
            if self._scheme.atomic:
                self._put(self.place(path), hashed, _block_size(body))
            else:
                self._put_and_rename(self.place(path), hashed)
        return Written(hashed.size, hashed.sha256, self.stamp(path))

    def _check_free(self, path: str) -> None:
        if self.list(path):
            raise InvalidParameter(f"{path!r} is a directory and cannot be overwritten by a file.")
        if not self._scheme.atomic and self.file_system.isdir(self.place(path)):
            raise InvalidParameter(f"{path!r} is a directory and cannot be overwritten by a file.")
        parents = path.split("/")[:-1]
        for end in range(len(parents), 0, -1):
            parent = "/".join(parents[:end])
            known = (os.getpid(), self.uri, parent)
            if known in _folders:
                return
            if self.file_system.isfile(self.place(parent)):
                raise InvalidParameter(
                    f"The artifact {path!r} cannot be written: {parent!r} is a file."
                )
            _remember(known)

    def _put(self, place: str, body: HashedReader, block_size: int) -> None:
        first = body.read(block_size)
        if len(first) < block_size:  # one request instead of three
            self.file_system.pipe_file(place, first)
            return
        file = self.file_system.open(place, "wb", block_size=block_size, autocommit=False)
        done = False
        try:
            file.write(first)
            del first
            while chunk := body.read(CHUNK):
                file.write(chunk)
            file.close()
            file.commit()
            done = True
        finally:
            if not done:
                file.closed = True  # or its end would complete it
                file.discard()

    def _put_and_rename(self, place: str, body: HashedReader) -> None:
        system = self.file_system
        parent, _, _ = place.rpartition("/")
        fresh = posixpath.join(parent, f"{TEMPORARY}{uuid.uuid4().hex}")
        system.makedirs(parent, exist_ok=True)
        done = False
        try:
            with system.open(fresh, "wb") as file:
                while chunk := body.read(CHUNK):
                    file.write(chunk)
            if self._scheme.protocol == "hdfs" and system.exists(place):
                system.rm_file(place)  # it gives no name twice
            system.mv(fresh, place)
            done = True
        finally:
            if not done and system.exists(fresh):
                system.rm_file(fresh)

    def delete(self, path: str) -> None:
        """Delete a file or a tree; one that is absent is no error."""
        check_path(path)
        with self.said(path, "deleted"):
            self._delete(path)

    def _delete(self, path: str) -> Mapping[str, int]:
        found = self.walk(path)
        system = self.file_system
        with ThreadPoolExecutor(8) as threads:
            list(threads.map(lambda name: system.rm_file(self.place(name)), found))
        _folders.clear()
        if not self._scheme.atomic and system.isdir(self.place(path)):
            folders = [place for place, _, _ in system.walk(self.place(path))]
            for folder in sorted(folders, key=len, reverse=True):
                _remove_folder(system, folder)
        return found

    # --- for the store that keeps them --------------------------------------------------------------

    def stamp(self, path: str) -> str:
        """Return the mark of the last writing of a file, ``""`` if it is gone."""
        with self.said(path, "read"):
            try:
                found = self.file_system.info(self.place(path))
            except FileNotFoundError:
                return ""
        tag = found.get("ETag") or found.get("etag") or ""
        return f"{tag}-{found.get('VersionId') or ''}-{_modified(found)}-{found.get('size')}"

    def walk(self, path: str = "") -> Mapping[str, int]:
        """Return the size of every file below a path, or of the file there."""
        top, place = self.place(""), self.place(path)
        with self.said(path, "listed"):
            try:
                start = self.file_system.info(place)
                if start["type"] != "directory":
                    return {path: int(start["size"])}
                found = self.file_system.find(place, detail=True)
            except (FileNotFoundError, NotADirectoryError):
                return {}
        return {
            _name(entry).removeprefix(f"{top}/"): int(entry.get("size") or 0)
            for entry in found.values()
            if entry["type"] != "directory" and _name(entry).startswith(f"{top}/")
        }

    def remove(self) -> Mapping[str, int]:
        """Delete everything below the root."""
        with self.said("", "deleted"):
            return self._delete("")

    @contextmanager
    def said(self, path: str, done: str) -> Iterator[None]:
        """Turn what any of the libraries raises into an error of ours."""
        try:
            yield
        except MltrackError:
            raise
        except _reasons() as error:
            where = hide_password(self.uri)
            reason = f"{path or 'The root'!r} at {where} cannot be {done}: {_sentence(error)}"
            if isinstance(error, PermissionError):
                raise PermissionDenied(f"{reason}. Check the credentials.") from error
            if isinstance(error, FileNotFoundError):
                raise NotFound(f"{reason}. Is there such a bucket or folder?") from error
            kind = StoreUnwritable if done in ("written", "deleted") else Unavailable
            raise kind(f"{reason}.") from error


def _remove_folder(system: Any, folder: str) -> None:
    waiting = getattr(system, "_rmdir", None)
    if waiting is None:
        system.rmdir(folder)
        return
    from fsspec.asyn import sync

    sync(system.loop, waiting, folder)  # sshfs has it in this form only


_folders: dict[tuple[int, str, str], None] = {}


def _remember(known: tuple[int, str, str]) -> None:
    """Note that something is below a path, so that it is no file; only so many, the oldest go first."""
    _folders[known] = None
    while len(_folders) > 10_000:
        _folders.pop(next(iter(_folders)), None)


@cache
def _open(
    _pid: int, address: str, options: tuple[tuple[str, Any], ...], settings: str
) -> tuple[Any, str]:
    from fsspec.core import url_to_fs

    chosen = json.loads(settings)
    _check_arguments(chosen.get("s3_additional_kwargs", {}))
    system, place = url_to_fs(address, **dict(options), **chosen, skip_instance_cache=True)
    return system, str(place)


def _settings(protocol: str) -> str:
    """Return what variables say of S3, as JSON."""
    if protocol != "s3":
        return "{}"
    chosen: dict[str, Any] = {}
    if endpoint := setting("MLFLOW_S3_ENDPOINT_URL"):
        chosen["endpoint_url"] = endpoint
    if is_on("MLFLOW_S3_IGNORE_TLS"):
        chosen["client_kwargs"] = {"verify": False}
    if text := setting(_ARGUMENTS):
        try:
            arguments = json.loads(text)
        except ValueError as error:
            raise InvalidParameter(f"{_ARGUMENTS} is no JSON: {error}. {_RIGHT}") from error
        if not isinstance(arguments, dict):
            raise InvalidParameter(f"{_ARGUMENTS} must be a JSON object. {_RIGHT}")
        chosen["s3_additional_kwargs"] = arguments
    return json.dumps(chosen)


def _check_arguments(arguments: Mapping[str, Any]) -> None:
    """Refuse what S3 does not take with a file: left out in silence, it might be its encryption."""
    if not arguments:
        return
    from botocore.session import get_session

    shape = get_session().get_service_model("s3").operation_model("PutObject").input_shape
    unknown = sorted(set(arguments) - set(shape.members))
    if unknown:
        raise InvalidParameter(f"{_ARGUMENTS} has {', '.join(unknown)}, unknown to S3. {_RIGHT}")


def _block_size(body: BinaryIO) -> int:
    """Return the size of the parts of an upload: small, and not too many of them."""
    try:
        here = body.tell()
        size = body.seek(0, os.SEEK_END) - here
        body.seek(here)
    except (OSError, AttributeError):
        return 4 * _BLOCK
    return max(_BLOCK, size // _PARTS + 1)


def _name(entry: Mapping[str, Any]) -> str:
    return str(entry["name"]).rstrip("/")


def _modified(found: Mapping[str, Any]) -> int:
    value = next((found[key] for key in _TIMES if found.get(key)), 0)
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    if isinstance(value, datetime):
        value = (value if value.tzinfo else value.replace(tzinfo=UTC)).timestamp()
    return int(value * 1_000_000_000)


def _reasons() -> tuple[type[BaseException], ...]:
    """Return what the libraries in use raise; none is imported for it."""
    loaded = [(module, name) for module, name in _REASONS if module in sys.modules]
    return (OSError, *(getattr(importlib.import_module(module), name) for module, name in loaded))


def _sentence(error: BaseException) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return hide_password(text[:300]).rstrip(".")
