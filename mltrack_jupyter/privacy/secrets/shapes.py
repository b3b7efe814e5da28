"""Secrets that are known by their shape, wherever they stand: keys of services, private keys, addresses.

The shapes of services are data, those of gitleaks (``scripts/secret_rules.py``). Each has words without which
it cannot be there, so that most texts are only searched for words.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

from mltrack_jupyter.privacy.secrets.names import Kind, kind_of
from mltrack_jupyter.privacy.secrets.spans import REDACTED, Span, hide
from mltrack_jupyter.privacy.secrets.values import RUN, is_literal, is_mixed, is_random
from mltrack_jupyter.secret_words import IN_QUERIES, MIXED_IN_QUERIES

_BLOCK = re.compile(r"-----BEGIN [A-Z0-9 ]{0,60}?PRIVATE KEY(?: BLOCK)?-----")
_BLOCK_END = re.compile(r"-----END [A-Z0-9 ]{0,60}?PRIVATE KEY(?: BLOCK)?-----")
_PUTTY = re.compile(r"PuTTY-User-Key-File-\d:(?:[^\n]*+\n){0,400}?Private-MAC:[^\n]*+")
# A key of which the beginning was cut off.
_KEY_LINES = re.compile(r"(?:(?:\\n|[\s+\-\"',])*+[A-Za-z0-9+/=]{16,}+)++(?:\\n|[\s+\-\"',])*+\Z")

SHAPES = {
    "AWS access key id": r"\b(?:AKIA|ASIA|ABIA|ACCA|AGPA|AIDA|AROA)[A-Z0-9]{16}\b",
    "GitHub": r"\bgh[pousr]_[A-Za-z0-9]{20,255}|\bgithub_pat_[A-Za-z0-9_]{20,255}",
    "GitLab": r"\bgl(?:pat|dt|rt|ft|ptt|agent|oas|cbt|soat|imt|ffct)-[A-Za-z0-9_\-]{16,}",
    "OpenAI, Anthropic and alike": r"\bsk-(?=[A-Za-z_\-]{0,60}\d)[A-Za-z0-9_\-]{16,}",
    "Hugging Face": r"\bhf_[A-Za-z0-9]{20,}",
    "Slack": r"\bxox[abeoprs]-[A-Za-z0-9\-]{10,}|\bxapp-\d-[A-Za-z0-9\-]{10,}",
    "Google": r"\bAIza[A-Za-z0-9_\-]{30,}|\bya29\.[A-Za-z0-9_\-]{20,}|\bGOCSPX-[A-Za-z0-9_\-]{20,}",
    "Stripe": r"\b[rsp]k_(?:live|test)_[A-Za-z0-9]{16,}|\bwhsec_[A-Za-z0-9]{20,}",
    "PyPI": r"\bpypi-[A-Za-z0-9_\-]{32,}",
    "npm": r"\bnpm_[A-Za-z0-9]{30,}",
    "Databricks": r"\bdapi[0-9a-f]{32}",
    "SendGrid": r"\bSG\.[A-Za-z0-9_\-]{16,}\.[A-Za-z0-9_\-]{16,}",
    "Twilio": r"\b(?:SK|AC)[0-9a-f]{32}\b",
    "a mark of many": r"\b(?:gsk|xai|pplx|nvapi|fw|r8|tvly|lsv2_pt|lsv2_sk|pcsk|wandb_v1|ntn|secret|dckr_pat|"
    r"dop_v1|doo_v1|shpat|shpss|shpca|shppa|EAAA|sbp|rnd|figd|phc|phx|vcp|ddp|dp\.pt|dp\.st|hvs|hvb|atp|glc|"
    r"glsa|lin_api|PMAK|rpa|apify_api|jina|ctx7sk|re|key|co|sq0atp|sq0csp|sntrys|sntryu|ATATT3|ATCTT3|ATBB)"
    r"[_\-.](?=[A-Za-z_\-]{0,40}\d)[A-Za-z0-9_\-=.]{24,}",
    "Telegram": r"\b\d{8,10}:AA[A-Za-z0-9_\-]{30,}",
    "Discord": r"\b[MNO][A-Za-z\d]{23,27}\.[A-Za-z\d_\-]{6}\.[A-Za-z\d_\-]{27,}",
    "age": r"\bAGE-SECRET-KEY-1[A-Z0-9]{20,}",
}
"""How keys of services look that are told by their first letters, beside those that gitleaks knows."""
_SHAPES = re.compile("|".join(SHAPES.values()))
# A JSON web token. A word that only begins like one is passed over whole, not looked at from each "ey".
_WEB_TOKEN = re.compile(
    r"\bey[A-Za-z0-9_\-]{8,}+(?P<rest>\.ey[A-Za-z0-9_\-]{8,}+\.[A-Za-z0-9_\-]*+)?"
)
_USERINFO = re.compile(r"(?<=[A-Za-z0-9+.\-])://(?:[^\s/@'\"<>\[\]]++@)++")
_HEADER = re.compile(r"(?P<before>\b(?:Bearer|Basic)\s++)(?P<value>[A-Za-z0-9+/=_\-.~]{12,}+)")
# Who knows such an address may write there.
_HOOK = re.compile(
    r"(?P<before>\bhttps?://(?:hooks\.slack\.com/(?:services|workflows|triggers)|(?:\w+\.)?discord(?:app)?\.com/api/"
    r"(?:v\d+/)?webhooks|hooks\.zapier\.com/hooks/catch|[\w.\-]{1,80}\.webhook\.office\.com/\w+|"
    r"outlook\.office(?:365)?\.com/webhook\w*|maker\.ifttt\.com/trigger|open\.feishu\.cn/open-apis/bot/v2/hook|"
    r"qyapi\.weixin\.qq\.com/cgi-bin/webhook|hooks\.airtable\.com/\w+|api\.telegram\.org/bot(?=\d)|ntfy\.sh(?=/\w*\d))/?)"
    r"(?P<secret>[^\s'\"<>`\\]{4,})"
)
_QUERY = re.compile(r"[?&;](?P<name>[\w\-.]{1,60})=(?P<value>[^\s&#'\"<>`\\]++)")
# Forty hexadecimal digits in quotes are a key (of Weights & Biases, say), if nothing says they are a commit.
_HEX_KEY = re.compile(r"(?P<quote>['\"])(?P<hex>[0-9a-f]{40})(?P=quote)")
_HASHED = re.compile(
    r"sha|md5|digest|hash|checksum|commit|revision|\brev\b|\bref\b|version|etag|fingerprint|\bid\b|_id\b|git|blob|tree|"
    r"object|parent|head",
    re.IGNORECASE,
)
_AROUND = re.compile(r"[A-Za-z0-9+/=_\-]++")
_DIGEST = re.compile(r"(?:sha(?:1|224|256|384|512)|md5|blake2\w?|[hH]1)[-:=_]?$")


_SHORTEST = 12


@dataclass(frozen=True)
class Rule:
    """A shape that gitleaks knows."""

    regex: str

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """The compiled pattern."""
        return re.compile(self.regex)

    def spans(self, text: str) -> list[Span]:
        """Return where it is found."""
        named = "=|>|:" in self.regex
        found = []
        for match in self.pattern.finditer(text):
            group = match.lastindex or 0
            span = match.span(1 if group else 0)
            value = text[span[0] : span[1]]
            # Behind the name of a service anything of a length would do.
            if span[0] >= 0 and (not named or re.search(r"\d", value)) and is_literal(value, 10):
                found.append(span)
        return found


@cache
def rules() -> Mapping[str, Sequence[Rule]]:
    """Return the rules of gitleaks by the words, in lower case, of which one is in each such secret."""
    text = Path(__file__).with_name("gitleaks.json").read_text(encoding="utf-8")
    found: dict[str, list[Rule]] = {}
    for item in json.loads(text)["rules"]:
        rule = Rule(item["regex"])
        for word in item["keywords"]:
            found.setdefault(word, []).append(rule)
    return found


def redact_shapes(text: str) -> str:
    """Hide what is known by its shape."""
    text = _private_keys(text)
    text = _SHAPES.sub(REDACTED, text)
    text = _services(text)
    text = _WEB_TOKEN.sub(lambda match: REDACTED if match["rest"] else match[0], text)
    text = _HOOK.sub(rf"\g<before>{REDACTED}", text)
    text = _USERINFO.sub(f"://{REDACTED}@", text)
    return hide(text, _queries(text))


def redact_headers(text: str) -> str:
    """Hide what is told behind ``Bearer`` and ``Basic``."""
    return _HEADER.sub(_header, text)


def _header(match: re.Match[str]) -> str:
    # "Basic authentication" is no header.
    value = match["value"]
    is_word = value.rstrip(".").isalpha() and value[1:].islower()
    return match[0] if is_word else f"{match['before']}{REDACTED}"


def redact_random(text: str) -> str:
    """Hide what was drawn at random, and numbers of forty hexadecimal digits in quotes."""
    spans: list[Span] = []
    done = 0
    for match in RUN.finditer(text):
        if match.start() >= done and is_random(match[0]):
            start = match.start()
            # The whole of it, as far as it is written with the signs of base 64.
            left = _left(text, start, done)
            around = _AROUND.match(text, left)
            end = around.end() if around else match.end()
            if not _DIGEST.search(text[max(0, left - 12) : start]):
                spans.append((left, end))
            done = end
    text = hide(text, spans)
    if "'" not in text and '"' not in text:
        return text
    keys = [
        match.span("hex")
        for match in _HEX_KEY.finditer(text)
        if not _HASHED.search(_line_before(text, match.start()))
    ]
    return hide(text, keys)


def _left(text: str, start: int, done: int) -> int:
    least = max(done, start - 200)
    while start > least and (text[start - 1].isalnum() or text[start - 1] in "+_-"):
        start -= 1
    return start


def _line_before(text: str, at: int) -> str:
    return text[max(text.rfind("\n", max(0, at - 200), at), at - 200, 0) : at]


def _private_keys(text: str) -> str:
    if "PRIVATE KEY" not in text and "PuTTY-User" not in text:
        return text
    spans: list[Span] = []
    at = 0
    while match := _BLOCK.search(text, at):
        end = _BLOCK_END.search(text, match.end())
        at = end.end() if end is not None else len(text)
        spans.append((match.start(), at))
    text = hide(text, spans)
    if (end := _BLOCK_END.search(text)) is not None:
        # Its beginning was cut off, so it is the text's own.
        lines = _KEY_LINES.search(text[: end.start()], max(0, end.start() - 20_000))
        text = text[: lines.start() if lines else end.start()] + REDACTED + text[end.end() :]
    return _PUTTY.sub(REDACTED, text) if "PuTTY-User" in text else text


def _services(text: str) -> str:
    if len(text) < _SHORTEST:
        return text
    lower, known = text.lower(), rules()
    for rule in dict.fromkeys(
        rule for word in [*filter(lower.__contains__, known)] for rule in known[word]
    ):
        text = hide(text, rule.spans(text))
    return text


def _queries(text: str) -> list[Span]:
    if "=" not in text or ("?" not in text and "&" not in text):
        return []
    found = []
    for match in _QUERY.finditer(text):
        name, value = match["name"].lower(), match["value"]
        known = name in IN_QUERIES or kind_of(match["name"]) is not Kind.NONE
        if known and len(value) >= 4 and is_literal(value, 10) and value[0] not in "{$%<[":
            if name in MIXED_IN_QUERIES and not is_mixed(value, 6):
                continue
            found.append(match.span("value"))
    return found
