"""Values without quotes: in files of settings, in shells, in addresses, in headers, in comments."""

from __future__ import annotations

import re

from mltrack_jupyter.privacy.secrets.code import name_kind
from mltrack_jupyter.privacy.secrets.names import Kind, kind_of, may_be_digits
from mltrack_jupyter.privacy.secrets.spans import NAME, QUOTED_NAME, Span, hide, hide_found
from mltrack_jupyter.privacy.secrets.values import (
    EXPRESSION,
    has_random,
    is_literal,
    is_mixed,
    is_secret,
)

_WORD = r"(?:[^\s'\"\\,;&|(){}\[\]<>]|\\(?!n\"))"
# Without quotes: password: …, f(token=…), --api-key=…, https://example.org?token=…
_BARE = re.compile(
    rf"{QUOTED_NAME}(?P<gap>[ \t]*+[:=](?![:=])[ \t]*+)(?P<word>{_WORD}{{1,64}}+)", re.IGNORECASE
)
_REST = re.compile(rf"{_WORD}*+")
# One line of a file of settings, or of a shell; what is in a diff or a notebook has more in front.
_LINE = re.compile(
    r"^(?P<lead>[+\- ]?[ \t]*+\"?(?:-[ \t]++)?+)(?:(?:export|set|ENV|ARG)[ \t]++)?+"
    rf"{NAME}(?P<gap>[ \t]*+[:=][ \t]*+)(?P<line>[^\s'\"][^\n]*+)",
    re.IGNORECASE | re.MULTILINE,
)
_SHELL_LINE = re.compile(
    r"^[+\- ]?[ \t]*+\"?(?:!|%%?(?:env|set_env|sx|system)\b|export\b|RUN\b|CMD\b)[^\n]*+",
    re.MULTILINE,
)
_SHELL_CELL = re.compile(r"^%%(?:bash|sh|script|system|sx)\b", re.MULTILINE)
# A list, or a text of several lines, below its name: only YAML has it so.
_BELOW = re.compile(
    rf"^(?P<lead>[+\- ]?(?P<indent>[ \t]*+)(?:-[ \t]++)?+\"?){NAME}\"?:[ \t]*+(?P<block>[|>][+\-\d]*+)?[ \t]*+\n",
    re.MULTILINE,
)
_ITEM = re.compile(
    r"(?P<lead>[+\- ]?[ \t]*+-[ \t]++['\"]?)(?P<value>[^\n'\"]++)['\"]?[^\n]*+(?:\n|\Z)"
)
_INDENTED = re.compile(r"[+\- ]?(?P<indent>[ \t]*+)(?P<value>[^\n]*+)(?:\n|\Z)")
_XML = re.compile(rf"<{NAME}(?:\s[^<>\n]{{0,200}}+)?>(?P<value>[^<>\n]++)</")
_XML_PAIR = re.compile(
    r"\b(?:key|name)=(['\"])(?P<name>[\w\-.:]++)\1\s++value=(['\"])(?P<value>[^'\"\n]++)\3",
    re.IGNORECASE,
)
# {"name": "DB_PASSWORD", "value": "…"}, also in YAML; and a variable of Terraform with its default.
_NAMED = re.compile(
    rf"\b(?:name|key)\\?['\"]?\s*+[:=]\s*+\\?['\"]?{NAME}\\?['\"]?\s*+,?\s*+[+\-]?\s*+\\?['\"]?value\\?['\"]?\s*+[:=]\s*+"
    r"\\?['\"]?(?P<value>[^\s'\"\\,}]++)|"
    r"\bvariable\s++\"(?P<variable>[\w\-]++)\"\s*+\{[^{}]{0,300}?\bdefault\s*+=\s*+\"(?P<given>[^\"\n]++)",
    re.IGNORECASE,
)
# "# the password is …"
_SAID = re.compile(
    rf"{NAME}[ \t]++(?:is|are|was|ist|war|es|est|->|=>)[ \t]++['\"`]?(?P<value>[^\s'\"`,;)]++)",
    re.IGNORECASE,
)
_TAGGED = re.compile(r"[!&*].*|[|>][+\-\d]*")  # what YAML reads as no text
_SPACED_COMMENT = re.compile(r"(?<!\s)\s++[#;].*")
_JSON_END = re.compile(r"(?:\\n)?\",?$")


def redact_settings(text: str, *, settings: bool) -> str:
    """Hide what lines assign to the name of a secret; ``settings`` for a file in which words have no quotes."""
    text = hide_found(text, _LINE, _of_settings if settings else _of_environment)
    text = _below(text)
    lower = text.lower()
    if "value" in lower or "variable" in lower:
        text = hide(text, _named(text))
    if "<" in text:
        text = hide_found(text, _XML, _of_xml)
        text = hide_found(text, _XML_PAIR, _of_xml)
    return text


def redact_words(text: str) -> str:
    """Hide words without quotes behind the name of a secret."""
    if _SHELL_CELL.search(text):
        text = hide_found(text, _BARE, _of_shell)
    else:
        text = _SHELL_LINE.sub(lambda match: hide_found(match[0], _BARE, _of_shell), text)
    text = hide_found(text, _BARE, _of_code)
    return hide_found(text, _SAID, _said)


def _of_settings(match: re.Match[str]) -> Span | None:
    value, kind = _value(match), name_kind(match)
    if _TAGGED.fullmatch(value) and ":" in match["gap"]:
        return None
    if kind is not Kind.STRONG:
        return _span(match, value) if kind and is_secret(kind, value) else None
    return _span(match, value) if is_literal(value, 6) else None


def _of_environment(match: re.Match[str]) -> Span | None:
    # NAME=value, as shells and files of their variables have it, and as hardly anybody writes Python.
    if match["gap"] != "=" or match["name"] != match["name"].upper():
        return None
    kind = name_kind(match)
    value, *more = _value(match).split(maxsplit=1) or [""]
    if len(value) < (6 if more else 4) or EXPRESSION.fullmatch(value):
        return None
    if kind is Kind.STRONG or (kind is Kind.MEDIUM and value[0] not in "/~$"):
        return _span(match, value) if is_literal(value, 6) else None
    return _span(match, value) if kind and is_secret(kind, value) else None


def _value(match: re.Match[str]) -> str:
    value = match["line"].rstrip()
    if match["lead"].endswith('"'):
        value = _JSON_END.sub("", value)
    return _SPACED_COMMENT.sub("", value)


def _span(match: re.Match[str], value: str) -> Span:
    return match.start("line"), match.start("line") + len(value)


def _below(text: str) -> str:
    spans: list[Span] = []
    at = 0
    while match := _BELOW.search(text, at):
        at = match.end()
        if (kind := kind_of(match["name"])) is Kind.NONE:
            continue
        indent = len(match["indent"].expandtabs())
        while at < len(text):
            if match["block"]:
                item = _INDENTED.match(text, at)
                inside = item and (len(item["indent"].expandtabs()) > indent or not item["value"])
            else:
                item = _ITEM.match(text, at)
                inside = item is not None
            if item is None or not inside or item.end() == at:
                break
            value = item["value"].strip()
            if value and is_secret(max(kind, Kind.MEDIUM) if not match["block"] else kind, value):
                start = item.start("value")
                spans.append((start, start + len(item["value"].rstrip())))
            at = item.end()
    return hide(text, spans)


def _named(text: str) -> list[Span]:
    spans = []
    for match in _NAMED.finditer(text):
        group = "value" if match["value"] else "given"
        kind = kind_of(match["name"] or match["variable"])
        if kind is not Kind.NONE and is_secret(kind, match[group]):
            spans.append(match.span(group))
    return spans


def _of_xml(match: re.Match[str]) -> Span | None:
    kind = kind_of(match["name"])
    return match.span("value") if kind and is_secret(kind, match["value"]) else None


def _said(match: re.Match[str]) -> Span | None:
    kind, value = kind_of(match["name"]), match["value"].rstrip(".")
    if kind is Kind.NONE or not (is_mixed(value, 6) or has_random(value)):
        return None
    return match.start("value"), match.start("value") + len(value)


def _word(match: re.Match[str]) -> Span:
    rest = _REST.match(match.string, match.end("word"))
    return match.start("word"), rest.end() if rest is not None else match.end("word")


def _of_shell(match: re.Match[str]) -> Span | None:
    kind, word = name_kind(match), match["word"]
    if kind is not Kind.STRONG:
        return _word(match) if kind and is_secret(kind, word) else None
    is_it = match["gap"] == "=" and len(word) >= 4 and is_literal(word, 6)
    return _word(match) if is_it else None


def _of_code(match: re.Match[str]) -> Span | None:
    kind = name_kind(match)
    if kind is Kind.NONE:
        return None
    text, start, end = match.string, match.start("name"), match.end("word")
    # What is called or subscripted is looked at no further: only a secret may be longer than the match.
    if text[end : end + 1] in ("(", "["):
        return None
    word, before = match["word"], text[max(start - 1, 0) : start]
    if re.fullmatch(r"\d{4,12}", word) and may_be_digits(match["name"]):
        return _word(match)
    if kind is Kind.WEAK:
        return _word(match) if has_random(word) and not EXPRESSION.fullmatch(word) else None
    return _word(match) if _looks_secret(word, before) else None


def _looks_secret(word: str, before: str) -> bool:
    """Tell a secret from what code has there: other names, types, numbers, paths."""
    if len(word) < 4 or not is_literal(word, 1000) or word[0] in "$%~./":
        return False
    if before in ("?", "&"):  # of the query of a URL
        return True
    return is_mixed(word)
