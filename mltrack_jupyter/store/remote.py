"""The remote client, derived from the declarations: no operation is written here."""

from __future__ import annotations

import io
from typing import Any, BinaryIO

from mltrack_jupyter.services import Download, Operation, Repository, Services
from mltrack_jupyter.services.around import Call, derived
from mltrack_jupyter.services.codec import decode_answer, encode_request
from mltrack_jupyter.services.error_codec import decode_error
from mltrack_jupyter.store.artifacts import files_of_server
from mltrack_jupyter.store.transport import HttpTransport, Transport


def open_remote(url: str) -> Services:
    """Return the services of a server, such as ``http://127.0.0.1:8888/mltrack``."""
    return connect(HttpTransport(url), url)


def connect(transport: Transport, uri: str) -> Services:
    """Return services that ask through a transport."""

    def files_at(artifact_uri: str, run_id: str) -> Repository:
        return files_of_server(services, artifact_uri, run_id)

    def ask(operation: Operation) -> Call:
        def call(*arguments: Any, **named: Any) -> Any:
            return _send(transport, operation, operation.bind(arguments, named))

        call.__name__, call.__doc__ = operation.name, operation.function.__doc__
        return call

    services = Services(uri=uri, files_at=files_at, close=transport.close, **derived(ask))
    return services


def _send(transport: Transport, declared: Operation, arguments: dict[str, Any]) -> Any:
    upload: BinaryIO | None = arguments.get(declared.body_param) if declared.body_param else None
    answer = transport.send(
        encode_request(declared, arguments),
        upload=upload,
        download=declared.is_download,
        retry=declared.idempotent,
    )
    if answer.status != 200:
        raise decode_error(answer.status, answer.body)
    if declared.is_download:
        file = answer.file
        assert file is not None
        size = file.seek(0, io.SEEK_END)
        file.seek(0)
        name = str(arguments.get("path", "")).rsplit("/", 1)[-1]
        return Download(file, name, size, sha256=answer.sha256)
    if declared.body_param and not answer.body:
        return None
    return decode_answer(declared, answer.body)  # also of an upload: a login page takes none
