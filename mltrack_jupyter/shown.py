"""What people are shown, in logs, errors, answers and on terminals: no passwords, nothing that steers a terminal.

What is stored keeps its bytes; only what is shown passes here. Doing it twice changes nothing more.
"""

from __future__ import annotations

import re
from urllib.parse import unquote_plus

from mltrack_jupyter import secret_words

__all__ = [
    "hide_password",
    "neutral",
    "one_line",
    "passing",
    "shown",
    "shown_uri",
    "without_password",
]

_HIDDEN = "***"
# The lengths are bounded so that no text, however long, is searched over and over.
_SCHEME = r"[A-Za-z][A-Za-z0-9+.-]{0,30}"
_URL = re.compile(rf"(?<![A-Za-z0-9])({_SCHEME})://((?:(?!{_SCHEME}://)\S)*)")
_SPACED = re.compile(
    r"((?:postgres|postgresql|mysql|mariadb)(?:\+\w{1,30})?://[^\s:/@?#]{0,256}:)"
    r"(?!\d{1,5}(?:[/\s?,)]|\Z))([^@\n]{1,512})@",
    re.IGNORECASE,
)
"""A password with spaces: database URLs may have them. What looks like a port is none."""
_ITEM = re.compile(r"([?&;])([^=&#\s?;]{1,128})=([^&\s]*)")
_KEYWORD = re.compile(
    rf"(?<![\w&?;])({'|'.join(secret_words.SHOWN_SETTINGS)})(\s{{0,4}}=\s{{0,4}})('(?:[^'\\]|\\.)*'|[^\s'&]+)",
    re.IGNORECASE,
)
_SECRET = re.compile("|".join(secret_words.IN_SHOWN_QUERIES), re.IGNORECASE)
_END = re.compile(r"['\")\]}>,.;:]*\Z")
_PLACE = re.compile(
    r"(?:s3[an]?|gc?s|abfss?|az|adl|wasbs?|hdfs|viewfs|s?ftp|ssh|dbfs|file|models|runs|mlflow-artifacts)\Z",
    re.IGNORECASE,
)
_WEB = re.compile(r"(?:\w+\+)?(?:https?|wss?)\Z", re.IGNORECASE)

# C0 and C1 (without tab and newline), marks of direction, line separators, what has no width (except the
# two joiners that scripts and emoji need), tags, halves of surrogates.
_STEERING = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff"
    "\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e007f]"
)
_SEQUENCE = re.compile(
    "(?:\x1b[\\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\\\|\x9c)?"  # a title and the like
    "|(?:\x1b\\[|\x9b)[0-?]*[ -/]*[@-~]?"  # colours, the cursor
    "|\x1b[ -/]*[0-~]?"
)
_BREAKS = str.maketrans({"\n": "\\n", "\t": "\\t"})


def hide_password(text: str) -> str:
    """Return a text with the passwords, tokens and keys of the URLs in it replaced."""
    if "://" in text:
        text = _SPACED.sub(rf"\1{_HIDDEN}@", text)
        text = _URL.sub(_hide_in_url, text)
    return _KEYWORD.sub(rf"\1\2{_HIDDEN}", text) if "=" in text else text


def shown_uri(uri: str) -> str:
    """Return a URI without its password; unlike in a text, all of it belongs to it, spaces too."""
    scheme, colon, rest = uri.partition("://")
    if not colon:
        return neutral(hide_password(uri))
    found = hide_password(f"{scheme}://{rest.replace(' ', '%20')}")
    return one_line(found.replace("%20", " ") if " " in rest else found)


def without_password(uri: str) -> str:
    """Return a URI without its password, token or key, for whoever has them by other ways; it can be opened."""
    if uri.startswith("sqlite:"):  # a path, whatever it looks like
        return uri
    head, mark, query = hide_password(uri).partition("?")
    head = head.replace(f"://{_HIDDEN}@", "://").replace(f":{_HIDDEN}@", "@")
    kept = [item for item in query.split("&") if f"={_HIDDEN}" not in item]
    return f"{head}{mark}{'&'.join(kept)}".removesuffix("?")


def neutral(text: str) -> str:
    """Return a text in which everything that could steer a terminal is written out, as in Python."""
    return _STEERING.sub(_escape, text)


def one_line(text: str) -> str:
    """Return a text so, and on one line."""
    return neutral(text).translate(_BREAKS)


def passing(text: str, length: int) -> str:
    """Return a text for a line that is soon written over: its words, without whole sequences of escapes."""
    return one_line(_SEQUENCE.sub("", hide_password(text)))[:length]


def shown(text: object) -> str:
    """Return a text as it may be written to a terminal or a log: neutral, and without passwords."""
    return neutral(hide_password(str(text)))


def _escape(match: re.Match[str]) -> str:
    return match[0].encode("unicode_escape").decode("ascii")


def _hide_in_url(match: re.Match[str]) -> str:
    scheme, rest = match[1], match[2]
    end = _end_of_user(scheme, rest)
    user, rest = (rest[:end], rest[end:]) if end >= 0 else ("", rest)
    name, colon, _ = user.partition(":")
    if colon:
        user = f"{name}:{_HIDDEN}"
    elif user and _WEB.match(scheme):  # a token is given instead of a user
        user = _HIDDEN
    return f"{scheme}://{user}{_ITEM.sub(_hide_item, rest)}"


def _end_of_user(scheme: str, rest: str) -> int:
    """Return where the ``@`` is before which user and password stand, -1 if there is none."""
    if rest.startswith("/"):
        return -1
    if _WEB.match(scheme) or _PLACE.match(scheme):
        return re.split(r"[/?#]", rest, maxsplit=1)[0].rfind("@")
    # Of a database, people write the password as it is: with "/", "?", "#" and "@" in them.
    head = rest.partition("?")[0]
    place = head.rfind("@")
    return place if place >= 0 or ":" not in head.partition("/")[0] else rest.rfind("@")


def _hide_item(match: re.Match[str]) -> str:
    mark, key, value = match.groups()
    if not value or not _SECRET.search(unquote_plus(key)):
        return match[0]
    end = _END.search(value)
    return f"{mark}{key}={_HIDDEN}{end[0] if end else ''}"
