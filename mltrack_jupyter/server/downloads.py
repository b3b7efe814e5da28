"""Which part of a file is sent: all of it, the range that was asked for, or nothing that is known already."""

from __future__ import annotations

import mimetypes
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from urllib.parse import quote

from mltrack_jupyter.services import Download

_TEXTS = frozenset({
    "cf", "cfg", "cnf", "conf", "csv", "err", "hocon", "ini", "ipynb", "js", "json", "log", "md", "prop", "properties",
    "py", "py3", "rst", "toml", "tsv", "txt", "xml", "yaml", "yml",
})  # fmt: skip
"""The endings that MLflow calls text."""
_PASSIVE = {
    "application": ("gzip", "x-bzip2", "x-hdf5", "x-tar", "x-xz", "zip"),
    "audio": ("aac", "flac", "mp4", "mpeg", "ogg", "wav", "webm", "x-wav"),
    "image": ("apng", "avif", "bmp", "gif", "heic", "heif", "jpeg", "png", "tiff", "vnd.microsoft.icon", "webp", "x-icon"),
    "video": ("mp4", "mpeg", "ogg", "quicktime", "webm"),
}  # fmt: skip
"""The types that no browser runs anything of, whatever is in the file."""
_READABLE = re.compile(r"text/|.*[+/](xml|json|yaml)|application/(x-)?(ecma|java)script")
"""The types that people read. Some of them a browser would run, so all of them are called plain text."""
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_RANGE = re.compile(r"\s*bytes\s*=\s*(\d{0,18})\s*-\s*(\d{0,18})\s*", re.ASCII)


@dataclass(frozen=True)
class Part:
    """A status with its headers, and the bytes that follow: ``length`` of them from ``start``."""

    status: int
    start: int
    length: int
    headers: dict[str, str] = field(default_factory=dict)


def choose(asked: Mapping[str, str], download: Download) -> Part:
    """Return what a request for a file is answered with, by its conditions and its range.

    Several ranges at once are answered with the whole file, as the standard allows.
    """
    tag, written = _validators(download)
    headers = {"Accept-Ranges": "bytes"}
    if tag:
        headers |= {"ETag": tag, "Last-Modified": format_datetime(written, usegmt=True)}
    if tag and _is_known(asked, tag, written):
        return Part(304, 0, 0, headers)
    size = download.size
    chosen = _range(asked.get("Range", ""), size) if _may_be_cut(asked, tag, written) else None
    if chosen is None:
        return Part(200, 0, size, {**headers, "Content-Length": str(size)})
    start, end = chosen
    if start >= end:
        unmet = {"Content-Range": f"bytes */{size}", "Content-Length": "0"}
        return Part(416, 0, 0, headers | unmet)
    headers |= {
        "Content-Range": f"bytes {start}-{end - 1}/{size}",
        "Content-Length": str(end - start),
    }
    return Part(206, start, end - start, headers)


def _validators(download: Download) -> tuple[str, datetime]:
    written = datetime.fromtimestamp(download.modified // 1_000_000_000, UTC)
    # An object store knows times to the second only: two files of one length may have the same.
    mark = f"-{download.sha256[:16]}" if download.sha256 else ""
    tag = f'"{download.modified:x}-{download.size:x}{mark}"' if download.modified else ""
    return tag, written


def _is_known(asked: Mapping[str, str], tag: str, written: datetime) -> bool:
    if "If-None-Match" in asked:
        known = [item.strip().removeprefix("W/") for item in asked["If-None-Match"].split(",")]
        return tag in known or "*" in known
    since = _date(asked.get("If-Modified-Since", ""))
    return since is not None and written <= since


def _may_be_cut(asked: Mapping[str, str], tag: str, written: datetime) -> bool:
    """Tell whether the file is still the one that a range is a part of."""
    condition = asked.get("If-Range", "").strip()
    return not condition or (bool(tag) and (condition == tag or _date(condition) == written))


def _date(text: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(text)
    except (TypeError, ValueError, IndexError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _range(text: str, size: int) -> tuple[int, int] | None:
    """Return where a range starts and ends (exclusive); ``None`` if there is none that can be read."""
    match = _RANGE.fullmatch(text)
    if match is None or not (match[1] or match[2]):
        return None
    if not match[1]:
        return max(0, size - int(match[2])), size
    start, last = int(match[1]), int(match[2]) if match[2] else size - 1
    if match[2] and last < start:
        return None
    return start, min(last + 1, size)


def content_type(name: str) -> str:
    """Return the type of a file by its name: plain text, one that nothing is run of, or bytes.

    No file has a type that a browser would run: what looks like a page, a script or a drawing is text.
    """
    # A name without a dot is its own ending: a file that is called log is one.
    base = name.rpartition("/")[2].lower()
    if base.rpartition(".")[2] in _TEXTS or base in ("mlmodel", "mlproject"):
        return "text/plain"
    kind, packed = _TYPES.guess_type(name.rpartition("/")[2], strict=False)
    if packed or kind is None:
        return _BYTES
    family, _, member = kind.partition("/")
    if member in _PASSIVE.get(family, ()):
        return kind
    return "text/plain" if _READABLE.match(kind) else _BYTES


_BYTES = "application/octet-stream"
# Those of Python alone: what a machine's own tables say of an ending is the same nowhere else.
_TYPES = mimetypes.MimeTypes()


def attachment(name: str) -> str:
    """Return a header by which a browser saves a file under its name, and never shows it."""
    if not (name.isascii() and name.isprintable()):
        return f"attachment; filename*=UTF-8''{quote(name, safe='')}"
    if _TOKEN.fullmatch(name):
        return f"attachment; filename={name}"
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'attachment; filename="{escaped}"'
