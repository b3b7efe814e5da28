"""Secrets are taken out of code, params and tracebacks before anything is stored."""

from __future__ import annotations

import re

REDACTED = "[redacted]"

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
    | \bey[A-Za-z0-9_\-]{8,}\.ey[A-Za-z0-9_\-]{8,}\.[A-Za-z0-9_\-]* # JWT
    | -----BEGIN\ [A-Z ]*PRIVATE\ KEY-----[\s\S]*?(?:-----END\ [A-Z ]*PRIVATE\ KEY-----|\Z)
    """,
    re.VERBOSE,
)
_USERINFO = re.compile(r"(?P<scheme>\b[A-Za-z][A-Za-z0-9+.\-]*://)(?P<user>[^\s/@'\"<>\[\]]+)@")
_HIDDEN_NAME = (
    r"(?:[A-Za-z0-9]+[_\-])*"
    r"(?:(?:api|auth|access|client|private|secret)?(?:token|key|secret)"
    r"|password|passwd|passphrase|pwd|credentials?)(?:[_\-]value)?"
)
# Names that end like a secret and are none: what a table is sorted by, the words of a tokenizer.
_OPEN = re.compile(
    r"key|.*(?:sort|primary|foreign|public|join|group|random|index|partition|dict|cache|metric|param)"
    r"[_\-]?key|.*(?:pad|eos|bos|unk|mask|sep|cls|stop|special|next|image)[_\-]?token",
    re.IGNORECASE,
)
_NAME = rf"(?<![A-Za-z0-9_\-])(?P<name>{_HIDDEN_NAME})"
_TEXT = r"(?:\\.|(?!(?P=quote)).)+"
# api_key = "…", "password": "…", os.environ["X_TOKEN"] = "…", f(token="…"), password: str = "…"
_ASSIGNED = re.compile(
    rf"(?P<before>{_NAME}['\"]?\s*\]?\s*(?::\s*\w+\s*=|=|:)\s*[rbuf]{{0,2}})"
    rf"(?P<quote>'''|\"\"\"|'|\"){_TEXT}(?P=quote)",
    re.IGNORECASE,
)
# Without quotes, as shell lines have it: %env API_KEY=abc
_BARE = re.compile(rf"(?P<before>{_NAME}=)[^\s'\"()\[\]{{}},;&|]{{6,}}", re.IGNORECASE)
_HEADER = re.compile(r"(?P<before>\b(?:Bearer|Basic)\s+)[A-Za-z0-9+/=_\-.~]{12,}")
_SHELL_LINE = re.compile(
    r"^\s*(?:!|%%?(?:env|set_env|bash|sh|script)\b|export\b|[A-Z][A-Z0-9_]*=)", re.MULTILINE
)


def redact(text: str) -> str:
    """Return a text with secrets replaced by ``[redacted]``; doing it twice changes nothing more.

    Known are: key shapes of common services, JSON web tokens and private keys; what is assigned to a name
    such as ``API_KEY``, ``db_password`` or ``HF_TOKEN``; the user part of URLs; ``Bearer`` headers.
    """
    if not text:
        return text
    text = _SHAPES.sub(REDACTED, text)
    text = _USERINFO.sub(rf"\g<scheme>{REDACTED}@", text)
    text = _ASSIGNED.sub(_quoted, text)
    text = _HEADER.sub(rf"\g<before>{REDACTED}", text)
    if _SHELL_LINE.search(text):
        text = _BARE.sub(_bare, text)
    return text


def redact_value(name: str, value: str) -> str:
    """Return the value of a param or tag, hidden whole where the name tells that it is a secret."""
    last = name.rsplit(".", 1)[-1].rsplit("/", 1)[-1]
    if value not in ("", "None") and _is_secret(last):
        return REDACTED
    return redact(value)


def _is_secret(name: str) -> bool:
    return bool(re.fullmatch(_HIDDEN_NAME, name, re.IGNORECASE)) and not _OPEN.fullmatch(name)


def _quoted(match: re.Match[str]) -> str:
    if not _is_secret(match["name"]):
        return match[0]
    return f"{match['before']}{match['quote']}{REDACTED}{match['quote']}"


def _bare(match: re.Match[str]) -> str:
    return match[0] if not _is_secret(match["name"]) else f"{match['before']}{REDACTED}"
