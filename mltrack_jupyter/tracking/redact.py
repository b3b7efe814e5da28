"""Secrets are taken out of code, params and tracebacks before anything is stored."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

REDACTED = "[redacted]"

# Code, diffs and outputs may be megabytes in one line, and a pattern at work lets no other thread run.
# So each takes time in proportion to the text: what repeats gives nothing back, or is bounded.

# A key of a known shape is a secret wherever it stands.
_SHAPES = re.compile(
    r"""
      \b(?:AKIA|ASIA|ABIA|ACCA|AGPA|AIDA|AROA)[A-Z0-9]{16}\b       # AWS access key id
    | \bgh[pousr]_[A-Za-z0-9]{20,255}                              # GitHub token
    | \bgithub_pat_[A-Za-z0-9_]{20,255}
    | \bglpat-[A-Za-z0-9_\-]{16,}                                  # GitLab
    | \bsk-[A-Za-z0-9_\-]{16,}                                     # OpenAI, Anthropic and alike
    | \bhf_[A-Za-z0-9]{20,}                                        # Hugging Face
    | \bxox[abeoprs]-[A-Za-z0-9\-]{10,}                            # Slack
    | \bAIza[A-Za-z0-9_\-]{30,}                                    # Google
    | \b[rs]k_(?:live|test)_[A-Za-z0-9]{16,}                       # Stripe
    | \bpypi-[A-Za-z0-9_\-]{32,}
    | -----BEGIN\ [A-Z ]*PRIVATE\ KEY-----[\s\S]*?(?:-----END\ [A-Z ]*PRIVATE\ KEY-----|\Z)
    """,
    re.VERBOSE,
)
# A JSON web token. A word that only begins like one is passed over whole, not looked at from each "ey".
_WEB_TOKEN = re.compile(
    r"\bey[A-Za-z0-9_\-]{8,}+(?P<rest>\.ey[A-Za-z0-9_\-]{8,}+\.[A-Za-z0-9_\-]*+)?"
)
_USERINFO = re.compile(r"(?<=[A-Za-z0-9+.\-])://(?:[^\s/@'\"<>\[\]]++@)++")
_HEADER = re.compile(r"(?P<before>\b(?:Bearer|Basic)\s++)[A-Za-z0-9+/=_\-.~]{12,}+")

# A whole word, of which the end may tell; with the "-" of a diff, which is no part of the name.
_ENDS = ("token", "key", "secret", "password", "passwd", "passphrase", "pwd", "credential")
_NAME = (
    r"(?<![\w\-])(?P<name>[\w\-]++)"
    rf"(?:{'|'.join(f'(?<={end})' for end in (*_ENDS, 'credentials', 'value'))})"
)
# The quotes in a notebook, which is JSON, have a "\" in front, or three of them.
_QUOTED_NAME = rf"{_NAME}(?:\\{{0,7}}['\"])?"
_PLAIN_TEXT = r"(?:\\.|(?!(?P=quote))[^\\\n])++"
_ESCAPED_TEXT = r"(?:(?!(?P=escaped)|\\n)(?:\\++.|(?!(?P=mark))[^\\\n]))++"
# api_key = "…", "password": "…", os.environ["X_TOKEN"] = "…", f(token="…"), password: str = "…"
_ASSIGNED = re.compile(
    rf"{_QUOTED_NAME}\s*+(?:\]\s*+)?+(?::\s*+[\w.\[\] |]{{1,80}}+=|=>?|:=?)\s*+[rbuf]{{0,2}}+"
    rf"(?:(?P<quote>'''|\"\"\"|'|\")(?P<text>{_PLAIN_TEXT})(?P=quote)"
    r"|(?P<escaped>\\{1,7}(?P<mark>['\"])(?:\\{1,7}(?P=mark)\\{1,7}(?P=mark))?)"
    rf"(?P<inner>{_ESCAPED_TEXT})(?P=escaped))",
    re.IGNORECASE,
)
_WORD = r"(?:[^\s'\"\\,;&|(){}\[\]<>]|\\(?!n\"))"
# Without quotes: password: …, f(token=…), --api-key=…, https://example.org?token=…
_BARE = re.compile(
    rf"{_QUOTED_NAME}(?P<gap>[ \t]*+[:=](?![:=])[ \t]*+)(?P<word>{_WORD}{{1,64}}+)", re.IGNORECASE
)
_REST = re.compile(rf"{_WORD}*+")
# One line of a file of settings, or of a shell; what is in a diff or a notebook has more in front.
_LINE = re.compile(
    r"^(?P<lead>[+\- ]?[ \t]*+\"?(?:-[ \t]++)?+)(?:(?:export|set|ENV|ARG)[ \t]++)?+(?:\w++\.)*+"
    rf"{_NAME}(?P<gap>[ \t]*+[:=][ \t]*+)(?P<line>[^\s'\"][^\n]*+)",
    re.IGNORECASE | re.MULTILINE,
)
_SHELL_LINE = re.compile(
    r"^[+\- ]?[ \t]*+\"?(?:!|%%?(?:env|set_env)\b|export\b)[^\n]*+", re.MULTILINE
)
_SHELL_CELL = re.compile(r"^%%(?:bash|sh|script)\b", re.MULTILINE)
_FILE = re.compile(r"^(?=diff --git )", re.MULTILINE)
_SETTINGS = re.compile(
    r"diff --git .*(?:/\.env[\w.\-]*|\.(?:ya?ml|ini|cfg|conf|toml|env|properties|tfvars)|/\.pypirc"
    r"|/\.netrc|/credentials)\"?$",
    re.MULTILINE,
)

_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
# A key is mostly a column, or a name in a dict: what is in front tells that it opens something.
_KEYS = frozenset((
    "access", "account", "admin", "aes", "api", "app", "application", "auth", "authorization",
    "bot", "cipher", "client", "consumer", "crypto", "decryption", "deploy", "deployment", "dsa",
    "ecdsa", "encrypt", "encryption", "fernet", "gpg", "hmac", "jwt", "kms", "licence", "license",
    "master", "pgp", "priv", "private", "rsa", "secret", "server", "service", "sign", "signature",
    "signing", "ssh", "ssl", "subscription", "tls", "vault", "webhook", "anthropic", "aws",
    "azure", "cohere", "comet", "gcp", "gemini", "github", "gitlab", "google", "groq", "hf",
    "huggingface", "kaggle", "langchain", "langsmith", "mistral", "neptune", "openai",
    "openrouter", "pinecone", "sendgrid", "slack", "stripe", "tavily", "twilio", "wandb",
))  # fmt: skip
_GLUED_TOKENS = frozenset((
    "access", "api", "auth", "bearer", "client", "private", "refresh", "secret", "session",
))  # fmt: skip
# A token is mostly a secret: those are the words of a tokenizer, and what is counted or parsed.
_OPEN_TOKENS = frozenset((
    "added", "audio", "begin", "blank", "boi", "bos", "class", "cls", "current", "curr",
    "decoder", "delimiter", "end", "eod", "eoi", "eom", "eos", "eot", "first", "generated",
    "image", "img", "input", "label", "lang", "language", "last", "mask", "max", "min", "new",
    "newline", "next", "num", "output", "pad", "padding", "patch", "pool", "pooling", "prev",
    "previous", "sep", "separator", "sot", "source", "special", "split", "src", "start", "stop",
    "suffix", "target", "text", "tgt", "think", "unk", "unknown", "video", "vision", "vocab",
    "word",
))  # fmt: skip
_CONSTANTS = frozenset((
    "none", "null", "nil", "true", "false", "yes", "no", "on", "off", "~", "...",
))  # fmt: skip
_NUMBER = re.compile(r"[+\-]?(?:0[xX][\da-fA-F_]+|[\d._+\-:eE]+)")
_REFERENCE = re.compile(r"\$\{?\w+\}?|\$[({].*|\{\{.*|<.*|%\(.*|\[redacted\].*")
# An attribute, a call, an item: what code asks for.
_DOTTED = r"[A-Za-z_]\w*+(?:\.[A-Za-z_]\w*+)"
_EXPRESSION = re.compile(rf"{_DOTTED}++|{_DOTTED}*+[(\[](?:.*[)\]][\w.]*+)?")
_TAGGED = re.compile(r"[!&*].*|[|>][+\-\d]*")  # what YAML reads as no text
_SPACED_COMMENT = re.compile(r"(?<!\s)\s++[#;].*")
_JSON_END = re.compile(r"(?:\\n)?\",?$")
_CHUNK = re.compile(r"[A-Za-z0-9]{6,}")
_MIXED = re.compile(r"\d[A-Za-z]")
_TECHNICAL = re.compile(r"base64|sha\d+|oauth2|2vec|2seq|2text|float\d+|u?int\d+", re.IGNORECASE)
_SIGNS = re.compile(r"[!@#$%^?~]")

Span = tuple[int, int]


def redact(text: str) -> str:
    """Return a text with secrets replaced by ``[redacted]``; doing it twice changes nothing more.

    Known are: key shapes of common services, JSON web tokens and private keys; what is assigned to a name
    such as ``API_KEY``, ``db_password`` or ``HF_TOKEN``; the user part of URLs; ``Bearer`` headers. The
    text may be a diff, also one of notebooks or of files of settings.
    """
    if not text:
        return text
    text = _SHAPES.sub(REDACTED, text)
    text = _WEB_TOKEN.sub(lambda match: REDACTED if match["rest"] else match[0], text)
    text = _USERINFO.sub(f"://{REDACTED}@", text)
    text = _hide(text, _ASSIGNED, _quoted)
    text = _HEADER.sub(rf"\g<before>{REDACTED}", text)
    text = "".join(map(_redact_lines, _FILE.split(text)))
    if _SHELL_CELL.search(text):
        text = _hide(text, _BARE, _of_shell)
    else:
        text = _SHELL_LINE.sub(lambda match: _hide(match[0], _BARE, _of_shell), text)
    return _hide(text, _BARE, _of_code)


def redact_value(name: str, value: str) -> str:
    """Return the value of a param or tag, hidden whole where the name tells that it is a secret."""
    if value not in ("", "None") and _names_a_secret(name):
        return REDACTED
    return redact(value)


def redact_items(name: str, value: Any, depth: int = 8) -> Any:
    """Return a value with the items of its dicts and lists hidden that stand under the name of a secret.

    Their text alone would not tell it of a list: ``{"token": ["…", "…"]}``.
    """
    if depth == 0:
        return value
    if type(value) is dict:
        return {key: redact_items(str(key), item, depth - 1) for key, item in value.items()}
    if type(value) in (list, tuple):
        return type(value)(redact_items(name, item, depth - 1) for item in value)
    is_plain = isinstance(value, str | bytes | int | float) and not isinstance(value, bool)
    return REDACTED if is_plain and value not in ("", b"") and _names_a_secret(name) else value


def _names_a_secret(name: str) -> bool:
    return _is_secret(name.rsplit(".", 1)[-1].rsplit("/", 1)[-1])


def _is_secret(name: str) -> bool:
    words = [word for word in re.split(r"[_\-]", _CAMEL.sub("_", name).lower()) if word]
    if words[-1:] == ["value"]:
        words.pop()
    *_, before, last = ("", "", *words)
    if last.endswith("key"):
        return (last.removesuffix("key") or before) in _KEYS
    if last.endswith("token"):
        glued = last.removesuffix("token")
        return glued in _GLUED_TOKENS if glued else before not in _OPEN_TOKENS
    whole = ("secret", "password", "passwd", "passphrase")
    return last in ("pwd", "credential", "credentials") or last.endswith(whole)


def _hide(text: str, pattern: re.Pattern[str], span: Callable[[re.Match[str]], Span | None]) -> str:
    """Replace what ``span`` finds in the matches; where it finds nothing, go on right after the name."""
    parts: list[str] = []
    done = at = 0
    while match := pattern.search(text, at):
        found = span(match) if _names_secret(match) else None
        if found is None:
            at = match.end("name")
        else:
            parts += text[done : found[0]], REDACTED
            done = at = found[1]
    return "".join([*parts, text[done:]])


def _names_secret(match: re.Match[str]) -> bool:
    name, start = match["name"], match.start("name")
    # In JSON the end of the line before, "\n", stands right in front.
    escaped = start > 0 and match.string[start - 1] == "\\"
    return _is_secret(name) or (escaped and _is_secret(name[1:]))


def _quoted(match: re.Match[str]) -> Span:
    return match.span("text" if match["quote"] else "inner")


def _redact_lines(text: str) -> str:
    return _hide(text, _LINE, _of_settings if _SETTINGS.match(text) else _of_environment)


def _of_settings(match: re.Match[str]) -> Span | None:
    value = _value(match)
    if _TAGGED.fullmatch(value) and ":" in match["gap"]:
        return None
    return _span(match, value) if _is_literal(value, 6) else None


def _of_environment(match: re.Match[str]) -> Span | None:
    # NAME=value, as shells and files of their variables have it, and as hardly anybody writes Python.
    if match["gap"] != "=" or match["name"] != match["name"].upper():
        return None
    value, *more = _value(match).split(maxsplit=1) or [""]
    if len(value) < (6 if more else 4) or _EXPRESSION.fullmatch(value):
        return None
    return _span(match, value) if _is_literal(value, 6) else None


def _value(match: re.Match[str]) -> str:
    value = match["line"].rstrip()
    if match["lead"].endswith('"'):
        value = _JSON_END.sub("", value)
    return _SPACED_COMMENT.sub("", value)


def _span(match: re.Match[str], value: str) -> Span:
    return match.start("line"), match.start("line") + len(value)


def _is_literal(value: str, digits: int) -> bool:
    """Tell whether it is a text: no constant, name of another one, or number of fewer digits."""
    if not value or value.lower() in _CONSTANTS or _REFERENCE.fullmatch(value):
        return False
    return len(value) >= digits or not _NUMBER.fullmatch(value)


def _word(match: re.Match[str]) -> Span:
    rest = _REST.match(match.string, match.end("word"))
    return match.start("word"), rest.end() if rest is not None else match.end("word")


def _of_shell(match: re.Match[str]) -> Span | None:
    is_secret = match["gap"] == "=" and len(match["word"]) >= 4 and _is_literal(match["word"], 6)
    return _word(match) if is_secret else None


def _of_code(match: re.Match[str]) -> Span | None:
    text, start, end = match.string, match.start("name"), match.end("word")
    # What is called or subscripted is looked at no further: only a secret may be longer than the match.
    if text[end : end + 1] in ("(", "["):
        return None
    is_secret = _looks_secret(match["word"], text[max(start - 1, 0) : start])
    return _word(match) if is_secret else None


def _looks_secret(word: str, before: str) -> bool:
    """Tell a secret from what code has there: other names, types, numbers, paths."""
    if len(word) < 4 or not _is_literal(word, 1000) or word[0] in "$%~./":
        return False
    if before in ("?", "&"):  # of the query of a URL
        return True
    if len(word) < 8 or "://" in word or _EXPRESSION.fullmatch(word):
        return False
    chunks = _CHUNK.findall(_TECHNICAL.sub(" ", word)) if _MIXED.search(word) else ()
    if any(map(_MIXED.search, chunks)):
        return True
    return bool(_SIGNS.search(word) and re.search(r"\d", word) and re.search(r"[A-Za-z]", word))
