"""Texts in quotes that belong to the name of a secret, in code and in what looks like it.

Of what is assigned, passed or compared the whole expression is gone through, token by token: a password may
be put together, stand in brackets or in several lines. Each token is looked at once, and an expression is
followed only so far, so this takes time in proportion to the text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from mltrack_jupyter.privacy.secrets.names import Kind, kind_of
from mltrack_jupyter.privacy.secrets.spans import QUOTED_NAME, Span, hide
from mltrack_jupyter.privacy.secrets.values import is_mixed, is_secret

_FURTHEST = 20_000
"""How far an expression is followed, in characters."""

# What is assigned (also with a type, in R, in Go), an item, an argument, a key of a dict, what is compared;
# and, behind a comma, what follows a name in quotes.
_ANCHOR = re.compile(
    rf"{QUOTED_NAME}\s*+(?:\]\s*+)?+"
    r"(?P<link>:[ \t]*+(?:[\w.| ]|\[[\w.,| ]{0,40}+\]|'[\w.\[\]| ]{1,40}+'|\"[\w.\[\]| ]{1,40}+\"){1,80}?=(?!=)|<-|=>|[:?+]{0,2}=(?!=)|[=!]=|:|,)"
)
# Several names that are assigned at once.
_TARGETS = re.compile(
    r"^[+\- ]?[ \t]*+\(?(?P<names>[\w.]++(?:[ \t]*+,[ \t]*+[\w.]++)++)\)?[ \t]++=(?!=)",
    re.MULTILINE,
)
_TARGETS_BEFORE = re.compile(r"^[+\- ]?[ \t]*+\(?(?:[\w.]++[ \t]*+,[ \t]*+)++$", re.MULTILINE)
# What is called with a secret, or with a name and a secret.
_CALLED = re.compile(r"(?<![\w.])(?:\w++\.)*+(?P<name>\w++)\(", re.ASCII)
_ASKED = re.compile(
    r"(?:\w*login|authenticate|\w*Auth|\w*AuthHandler|\w*Client|Bot|\w*Credentials?|\w*Token|\w*Secret\w*|"
    r"\w*Password\w*|connect)"
)
# Whatever these are given by its place is one.
_GIVEN = re.compile(
    r"(?:(?:wandb|huggingface_hub|hf|comet_ml|kagglehub|neptune|notebook_login)\.login|(?:\w++\.)*(?:\w*OpenAI|"
    r"\w*Anthropic|Cohere|Groq|Mistral\w*|Together|Replicate|Pinecone|HfApi|Github|Fernet|SecretStr|"
    r"ConvertTo-SecureString|set_\w*(?:token|api_key|password|secret)))"
)
_PAIR = re.compile(r"\w*(?:BasicAuth|DigestAuth|NTLMAuth|AuthHandler|login|auth)", re.IGNORECASE)
# What is told a name and its value: os.getenv("TOKEN", "…"), conf.set("x.password", "…"), define('TOKEN', '…').
_TOLD = re.compile(
    r"(?:getenv|environ\.\w+|putenv|set_?env|setdefault|setattr|config|conf|set|put|add|define|option|property|"
    r"\w*header\w*|pop|update|replace)",
    re.IGNORECASE,
)
_TOLD_BEFORE = re.compile(rf"{_TOLD.pattern}\(\s*+[\w., ]{{0,60}}+$", re.IGNORECASE)
_TOKEN = re.compile(
    r"""
      (?P<space>[ \t\r]++|\\\r?\n[+\-]?)
    | (?P<string>[rbufRBUF]{0,2}(?:
          (?P<quote>['"`])(?P<text>(?:\\.|(?!(?P=quote))[^\\\n])*+)(?P=quote)
        | (?P<escaped>\\{1,7}(?P<mark>['"])(?:\\{1,7}(?P=mark)\\{1,7}(?P=mark))?)
          (?P<inner>(?:(?!(?P=escaped)|\\n)(?:\\++.|(?!(?P=mark))[^\\\n]))*+)(?P=escaped)))
    | (?P<line>\n[+\-]?|\\n)
    | (?P<open>[(\[{]) | (?P<shut>[)\]}]) | (?P<comma>[,;])
    | (?P<comment>\#[^\n]*+)
    | (?P<compare>[=!<>]=)
    | (?P<word>\.?[\w.]++)
    | (?P<other>.)
    """,
    re.VERBOSE,
)
_TRIPLE = re.compile(r"[rbufRBUF]{0,2}(?P<triple>'''|\"\"\")")
# What gives back what it is given.
_THROUGH = frozenset((
    "str", "bytes", "bytearray", "secretstr", "secret", "secretvalue", "repr", "b64encode", "b64decode",
    "unhexlify", "fromhex", "quote", "quote_plus", "list", "tuple", "dict", "set", "password", "token",
))  # fmt: skip
# What says something about a secret.
_OPEN_NAMES = frozenset((
    "type", "scheme", "name", "description", "title", "format", "help", "label", "kind", "method", "url", "host",
    "port", "user", "username", "email", "path", "file", "id", "required", "sep", "encoding", "errors", "key_type",
    "algorithm", "alg", "in", "prompt", "placeholder", "env", "envvar", "metavar", "dest", "action",
))  # fmt: skip
_OPERATORS = frozenset(("in", "or", "and", "if", "else", "not", "is", "return", "await", "lambda"))


@dataclass
class _Frame:
    """What an expression stands in: brackets, or nothing."""

    kind: Kind
    in_call: bool = False
    pair: bool = False
    own: Kind | None = None
    """Of the argument, if its name tells."""
    asks: bool = False
    place: int = 0
    told: bool = False
    """Called with a name and its value."""
    kinds: tuple[Kind, ...] = ()
    """Of what is told apart by its place."""
    coming: Kind | None = None
    """Of the next argument."""

    def secret(self, text: str) -> bool:
        """Tell whether a text is to be hidden here."""
        if self.own is not None:
            return is_secret(self.own, text)
        if self.pair and self.place == 1:
            return is_secret(Kind.STRONG, text)
        return is_secret(self.kind, text, in_call=self.in_call or self.asks)

    def next(self) -> None:
        """Go on to the next argument."""
        self.own, self.coming = self.coming, None
        self.asks, self.place = False, self.place + 1
        if self.kinds:
            self.kind = self.kinds[min(self.place, len(self.kinds) - 1)]


@dataclass
class _Walk:
    text: str
    frames: list[_Frame]
    first_only: bool = False
    floor: int = 0
    inside: str = ""
    """The quotes that the expression itself stands in."""
    spans: list[Span] = field(default_factory=list)
    before: str = ""

    def follow(self, at: int) -> int:
        """Go through an expression from a place on; return where it ends."""
        end, begun, last = min(len(self.text), at + _FURTHEST), False, at
        while at < end:
            if (triple := _TRIPLE.match(self.text, at)) and (after := self._triple(triple)):
                at, begun = after, True
                continue
            match = _TOKEN.match(self.text, at)
            if match is None:
                return at
            what = match.lastgroup or ""
            what = what if match["string"] is None else "string"
            if what == "string" and match["quote"] and match["quote"] in self.inside:
                return at
            if self.first_only and not begun and what not in ("space", "string", "open"):
                return at
            if not self._step(what, match):
                return at
            begun = begun or what != "space"
            last, at = at, match.end()
        # What is gone no further into may go on with the name that was just passed.
        return last if at < len(self.text) else at

    def _triple(self, match: re.Match[str]) -> int:
        """Go over a text in three quotes; return where it ends, 0 if it does not."""
        start = match.end()
        close = self.text.find(match["triple"], start, start + _FURTHEST)
        if close < 0:
            return 0
        if self.frames[-1].secret(self.text[start:close]):
            self.spans.append((start, close))
        return close + 3

    def _step(self, what: str, match: re.Match[str]) -> bool:
        """Take a token; tell whether the expression goes on behind it."""
        self._take(what, match)
        if len(self.frames) <= self.floor:
            return False
        if len(self.frames) == 1 and what in ("line", "comment", "comma"):
            return what == "comma" and bool(self.frames[0].kinds)
        if what == "word":
            # A method of a text in quotes gives back what it is given: "-".join(["…"])
            self.before = "method" if self.before == "string" and match[0][0] == "." else match[0]
        elif what not in ("space", "comment"):
            self.before = what
        return True

    def _take(self, what: str, match: re.Match[str]) -> None:
        frames, frame = self.frames, self.frames[-1]
        if what == "string":
            self._string(match)
        elif what == "open":
            frames.append(self._opened(match[0]))
        elif what == "shut":
            frames.pop()
        elif what == "comma":
            frame.next()
        elif what == "compare":
            frame.asks = True
        elif what == "word":
            self._word(match)

    def _string(self, match: re.Match[str]) -> None:
        frame = self.frames[-1]
        group = "text" if match["quote"] else "inner"
        rest = self.text[match.end() : match.end() + 3].lstrip()
        if rest.startswith(":") and len(self.frames) > 1:  # a key of a dict
            self._named(frame, match[group])
        elif frame.told and (kind := kind_of(match[group])) is not Kind.NONE:
            frame.coming = kind
        elif frame.secret(match[group]):
            self.spans.append(match.span(group))

    def _word(self, match: re.Match[str]) -> None:
        word, frame = match[0], self.frames[-1]
        if word == "if":
            frame.asks = True
        elif word == "else":
            frame.asks = False
        elif len(self.frames) > 1 and re.match(
            r"\s?=(?!=)", self.text[match.end() : match.end() + 3]
        ):
            self._named(frame, word)

    def _named(self, frame: _Frame, name: str) -> None:
        kind = kind_of(name)
        if kind is Kind.NONE:
            frame.own = Kind.WEAK if name.lower() in _OPEN_NAMES else None
        else:
            # login(key="…"): who is given a secret anyway has it under whatever name.
            frame.own = kind if frame.in_call else max(kind, frame.kind)

    def _opened(self, sign: str) -> _Frame:
        frame, before = self.frames[-1], self.before
        kind = frame.kind if frame.own is None else frame.own
        name = before.rsplit(".", 1)[-1].lower()
        called = before not in ("", "string", "open", "comma", "other", "compare", "line", "method")
        asks = called and sign in "([" and name not in _THROUGH and name not in _OPERATORS
        in_call = frame.in_call or frame.asks or asks
        told = called and sign == "(" and _TOLD.search(before) is not None
        kinds = frame.kinds if sign == "(" and before == "" else ()
        return _Frame(kind, in_call=in_call, pair=frame.pair, told=told, kinds=kinds)


def redact_code(text: str) -> str:
    """Hide the texts in quotes that are the value of the name of a secret."""
    spans: list[Span] = []
    at = 0
    while match := _ANCHOR.search(text, at):
        begun = _walk_from(match)
        if begun is None:
            at = match.end("name")
            continue
        walk, start = begun
        at = walk.follow(start)
        spans += walk.spans
    return hide(text, spans)


def redact_calls(text: str) -> str:
    """Hide what is given a secret by its place: ``login("…")``, ``user, password = "ada", "…"``."""
    spans: list[Span] = []
    for targets in _TARGETS.finditer(text):
        kinds = tuple(kind_of(name) for name in re.split(r"[ \t]*,[ \t]*", targets["names"]))
        if any(kinds):
            walk = _Walk(text, [_Frame(kinds[0], kinds=kinds)])
            walk.follow(targets.end())
            spans += walk.spans
    text = hide(text, spans)
    spans, at = [], 0
    while match := _CALLED.search(text, at):
        at = match.end()
        kind = Kind.MEDIUM if _ASKED.fullmatch(match["name"]) else Kind.NONE
        if _GIVEN.fullmatch(match[0][:-1]):
            kind = Kind.STRONG
        if kind is not Kind.NONE:
            pair = _PAIR.fullmatch(match["name"]) is not None
            walk = _Walk(text, [_Frame(Kind.NONE), _Frame(kind, pair=pair)], floor=1)
            at = walk.follow(at)
            spans += walk.spans
    return hide(text, spans)


def _walk_from(match: re.Match[str]) -> tuple[_Walk, int] | None:
    text, link = match.string, match["link"]
    kind = name_kind(match)
    if kind is Kind.NONE:
        return None
    inside = _around(match)
    if (
        link == "="
        and text[match.start("link") - 1] in " \t"
        and _TARGETS_BEFORE.search(text[max(0, match.start("name") - 80) : match.start("name")])
    ):
        return None  # one of several, which are told apart by their places
    frame = _Frame(kind, pair=match["name"].lower().endswith("auth"))
    if link in ("==", "!="):
        frame.in_call = True
    if link == ",":
        return None if inside else _of_pair(match, frame)
    # "if token: …" is a block and no value.
    only = link == ":" and not match["close"]
    return _Walk(text, [frame], first_only=only, inside=inside), match.end()


def _of_pair(match: re.Match[str], frame: _Frame) -> tuple[_Walk, int] | None:
    """Return the walk through what follows a name in quotes and a comma."""
    text, start = match.string, match.start("name")
    if not match["close"]:
        return None
    flag = match["name"].startswith("-")
    opened = text[max(0, start - 80) : start].rstrip("\"'`\\")
    if flag:
        return _flag_walk(match, frame)
    if not _TOLD_BEFORE.search(opened):
        following = re.compile(r"\s*+['\"](?P<text>[^'\"\n]{4,200})").match(text, match.end())
        if following is None or not is_mixed(following["text"], 6):
            return None
    return _Walk(text, [frame], first_only=True), match.end()


def _flag_walk(match: re.Match[str], frame: _Frame) -> tuple[_Walk, int] | None:
    """``["--password", "…"]`` is a command; ``add_argument("--password", default="…")`` says what one may be."""
    text = match.string
    before = text[max(0, match.start("name") - 40) : match.start("name")]
    if not re.search(r"(?:argument|option)\(\s*+['\"]$", before):
        following = re.compile(r"\s*+['\"][^\-'\"]").match(text, match.end())
        return (_Walk(text, [frame], first_only=True), match.end()) if following else None
    found = re.compile(r"[^()\n]{0,200}?\b(?:default|value|const)\s*+=\s*+(?=['\"])").match(
        text, match.end()
    )
    return (_Walk(text, [frame]), found.end()) if found is not None else None


def name_kind(match: re.Match[str]) -> Kind:
    """Return the kind of a name where it stands."""
    name, start = match["name"], match.start("name")
    kind = kind_of(name)
    # In JSON the end of the line before, "\n", stands right in front.
    if start > 0 and match.string[start - 1] == "\\":
        kind = max(kind, kind_of(name[1:]))
    return kind


def _around(match: re.Match[str]) -> str:
    """Return the quotes that a name and what it is given stand in: of ``"Password: "`` the next one is the end."""
    text, start = match.string, match.start("name")
    line = text.rfind("\n", max(0, start - 400), start) + 1
    if line == 0 and start > 400:
        return ""  # so long a line is no code, and nobody knows where its quotes begin
    before = text[line:start]
    if match["close"]:
        before = before[: len(before) - len(match["close"])]
    # Neither what is escaped, nor an apostrophe.
    unescaped = re.sub(r"\\.|(?<=\w)'(?=\w)", "", before)
    return "".join(quote for quote in "'\"" if unescaped.count(quote) % 2)
