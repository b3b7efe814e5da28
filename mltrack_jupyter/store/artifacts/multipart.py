"""Files that go between clients and S3 in parts, by addresses that are signed for them."""

from __future__ import annotations

import errno
from collections.abc import Sequence
from typing import Any

from mltrack_jupyter.entities import (
    MultipartUpload,
    MultipartUploadCredential,
    MultipartUploadPart,
    PresignedDownload,
)
from mltrack_jupyter.errors import BadRequest, InvalidParameter, NotFound
from mltrack_jupyter.store.artifacts.objects import ObjectFiles
from mltrack_jupyter.store.artifacts.schemes import SCHEMES

SECONDS = 900
"""How long a signed address is good for."""
_MOST = 10_000


class Multipart:
    """Uploads in parts, and signed addresses, below an address of S3."""

    def __init__(self, root: str) -> None:
        self._files = ObjectFiles(root, SCHEMES["s3"])

    def create(self, path: str, parts: int) -> MultipartUpload:
        """Begin an upload, and sign the address of each part."""
        if not 1 <= parts <= _MOST:
            raise InvalidParameter(
                f"Invalid value {parts} for parameter 'num_parts' supplied: it must be from 1 to {_MOST}."
            )
        with self._files.said(path, "written"):
            upload_id = str(self._call("create_multipart_upload", path)["UploadId"])
            system, place = self._files.file_system, self._files.place(path)
            signed = {"client_method": "upload_part", "UploadId": upload_id}
            # A part may wait for its turn: an hour, not a quarter of it.
            addresses = [
                system.url(place, expires=4 * SECONDS, PartNumber=number, **signed)
                for number in range(1, parts + 1)
            ]
        return MultipartUpload(
            upload_id=upload_id,
            credentials=[
                MultipartUploadCredential(url=address, part_number=number)
                for number, address in enumerate(addresses, 1)
            ],
        )

    def complete(self, path: str, upload_id: str, parts: Sequence[MultipartUploadPart]) -> None:
        """Make a file of the parts."""
        if not parts:
            raise InvalidParameter(
                "Missing value for required parameter 'parts': a file has one at least."
            )
        sent = [
            {"PartNumber": part.part_number, "ETag": part.etag}
            for part in sorted(parts, key=lambda part: part.part_number)
        ]
        with self._files.said(path, "written"):
            self._call(
                "complete_multipart_upload",
                path,
                UploadId=upload_id,
                MultipartUpload={"Parts": sent},
            )

    def abort(self, path: str, upload_id: str) -> None:
        """Forget an upload and its parts."""
        with self._files.said(path, "deleted"):
            self._call("abort_multipart_upload", path, UploadId=upload_id)

    def presign(self, path: str) -> PresignedDownload:
        """Sign the address of a file. Raises ``NotFound``."""
        download = self._files.open(path)
        download.file.close()
        with self._files.said(path, "read"):
            address = self._files.file_system.url(self._files.place(path), expires=SECONDS)
        return PresignedDownload(url=address, file_size=download.size)

    def _call(self, operation: str, path: str, **arguments: Any) -> Any:
        bucket, _, key = self._files.place(path).partition("/")
        try:
            return self._files.file_system.call_s3(operation, Bucket=bucket, Key=key, **arguments)
        except FileNotFoundError as error:
            raise NotFound(f"There is no such upload of {path!r}: {error}.") from error
        except OSError as error:
            if error.errno != errno.EINVAL:
                raise
            raise BadRequest(
                f"The parts of {path!r} are not those that were sent: {error}."
            ) from error
