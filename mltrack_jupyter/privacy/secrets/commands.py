"""Secrets in commands: flags, arguments of well-known programs, variables of the environment, SQL, ``.netrc``."""

from __future__ import annotations

import re

from mltrack_jupyter.privacy.secrets.names import Kind, kind_of
from mltrack_jupyter.privacy.secrets.spans import NAME, Span, hide, hide_found
from mltrack_jupyter.privacy.secrets.values import is_literal, is_mixed, is_secret

_ARGUMENT = r"(?P<value>'[^'\n]++'|\"[^\"\n]++\"|[^\s'\"|;&()<>,\\]++)"
# %env TOKEN …, %set_env TOKEN …, set -x TOKEN …, setenv TOKEN …, setx TOKEN …, ENV TOKEN …
_SPACED = re.compile(
    r"^[+\- ]?[ \t]*+[\"!]?[ \t]*+(?:%%?(?:set_)?env|set[ \t]++-\w{1,3}|setenv|setx|ENV|ARG)[ \t]++"
    rf"{NAME}[ \t=]++(?P<value>[^\n\\]++)",
    re.MULTILINE,
)
_FLAG = re.compile(
    rf"(?<![\w\-])-{{1,2}}{NAME}[ \t]++{_ARGUMENT}".replace(r"(?<![\w\-.])(?P<name>", "(?P<name>")
)
# What takes a secret behind a short flag, or as its argument.
_TOOLS = re.compile(
    r"""(?<![\w\-/.])(?:
        (?:mysql\w*|mariadb\w*|mycli)\b[^\n|;&]{0,300}?[ \t]-p(?=\S)
      | (?:curl|wget|http|https|xh)\b[^\n|;&]{0,600}?[ \t](?:-u|-U|--user|--proxy-user|-a|--auth)[ \t=]*+(?=\S{0,80}?:)
      | (?:docker|podman|helm|skopeo|buildah|oc|az|nerdctl|oras|crane)\b[^\n|;&]{0,60}?\blogin\b[^\n|;&]{0,200}?[ \t]-p[ \t=]*+
      | sshpass\b[^\n|;&]{0,40}?[ \t]-p[ \t]*+
      | redis-cli\b[^\n|;&]{0,200}?[ \t]-a[ \t]++
      | mongo\w*\b[^\n|;&]{0,200}?[ \t]-p[ \t]++
      | (?:ldapsearch|ldapmodify|ldapadd)\b[^\n|;&]{0,200}?[ \t]-w[ \t]*+
      | (?:sqlcmd|bcp|zip|unzip|pg_\w+|snowsql|isql|cqlsh|influx|clickhouse-client)\b[^\n|;&]{0,200}?[ \t](?:-P|-p|-w)[ \t]++
      | 7z\w?\b[^\n|;&]{0,200}?[ \t]-p(?=\S)
      | (?:smbclient|net|rpcclient|mount\.cifs)\b[^\n|;&]{0,200}?[ \t]-U[ \t]*+(?=[^\s%]{1,60}%)
      | openssl\b[^\n|;&]{0,200}?[ \t]-(?:pass(?:in|out)?[ \t]++(?:pass:)?|k[ \t]++|K[ \t]++)
      | twine\b[^\n|;&]{0,200}?[ \t]-p[ \t]++
      | (?:wandb|huggingface-cli|hf|kaggle|comet|neptune|gh|gcloud|npm|databricks|modal|replicate|vercel|netlify|
           heroku|fly|flyctl|doctl|vault|snyk|pulumi|terraform|clearml-init|dvc|mlflow|prefect)\b[^\n|;&]{0,80}?\b
        (?:login|auth[ \t]++(?:token|login)|set-token|add-authtoken)(?:[ \t]++--?[\w\-]++(?:=\S++)?)*+[ \t]++(?!-)
      | htpasswd[ \t]++-\w*b\w*[ \t]++\S++[ \t]++\S++[ \t]++
      | ngrok[ \t]++(?:config[ \t]++)?(?:add-)?authtoken[ \t]++
      | (?:aws|gcloud|git|npm|pip|poetry|conda|dvc|az|wandb|kubectl)[ \t]++(?:configure|config|remote)\b[^\n|;&]{0,120}?
        (?:token|secret|password|auth|key)[\w.\-]*+[ \t=]++
    )"""
    + _ARGUMENT,
    re.VERBOSE,
)
# The same, as a list of words: ["mysql", "-p…"]
_LISTED = re.compile(
    r"(?P<quote>['\"])(?:mysql\w*|mariadb\w*|7z\w?|sshpass)(?P=quote)[^\n\]]{0,300}?(?P=quote)-p(?P<value>[^'\"\n]++)(?P=quote)"
)
_PASSED = re.compile(
    r"\becho[ \t]++(?:-n[ \t]++)?"
    + _ARGUMENT
    + r"[ \t]*+\|[^\n]{0,120}?(?:--?password-stdin|-S\b|--with-token|login)"
)
# CREATE USER … PASSWORD '…', IDENTIFIED BY '…', PASSWORD('…')
_SQL = re.compile(
    r"\b(?:PASSWORD|IDENTIFIED[ \t]++(?:WITH[ \t]++\S{1,40}[ \t]++)?(?:BY|AS)(?:[ \t]++PASSWORD)?|SECRET|CREDENTIALS?)"
    r"(?:[ \t]++FOR[ \t]++\S{1,80})?(?:[ \t]++|[ \t]*+[=(][ \t]*+)(?P<quote>\\?['\"])(?P<value>[^'\"\n\\]++)",
    re.IGNORECASE,
)
# curl -H "X-Token: …"
_SENT = re.compile(rf"(?<![\w\-])(?:-H|--header)[ \t=]*+['\"]{NAME}:[ \t]*+(?P<value>[^'\"\n]++)")
# What drivers are told: Server=db;User=ada;Password=…, host=db user=ada password=…
_DRIVER = re.compile(
    rf"(?:=[^\s;,()'\"=]{{0,200}}+[; ][ ]?|(?<=['\"])){NAME}=(?P<value>[^\s;'\"(),]++)(?=[;\s'\"]|$)"
)
_KAGGLE = re.compile(
    r"\\?\"username\\?\"\s*+:\s*+\\?\"[^\"\n]*+\"\s*+,\s*+\\?\"key\\?\"\s*+:\s*+\\?\"(?P<value>[^\"\\\n]++)"
)
_NETRC = re.compile(
    r"\b(?:login|account)\s++(?:\S++)\s++(?:account\s++\S++\s++)?password\s++(?P<value>\S++)|"
    r"\bmachine\s++\S++\s++password\s++(?P<only>\S++)"
)
# host:port:database:user:password
_PGPASS = re.compile(
    r"^[+\- ]?(?:[\w.\-*]++|\[[\da-f:]++\]):(?:\d{2,5}|\*):(?:[A-Za-z_*][\w\-]*+):(?:[A-Za-z_*][\w.\-]*+):(?P<value>[^\s:]\S*+)",
    re.MULTILINE,
)


def redact_commands(text: str) -> str:
    """Hide what commands are given as a secret."""
    if "%" in text or "set" in text or "ENV" in text or "ARG" in text:
        text = hide_found(text, _SPACED, _spaced)
    text = hide(text, _tools(text))
    if "--" in text or "-" in text:
        text = hide_found(text, _FLAG, _flag)
    if "'" in text or '"' in text:
        text = hide(text, [m.span("value") for m in _SQL.finditer(text) if _is_text(m["value"])])
    if "password" in text:
        found = (
            match.span("value" if match["value"] else "only") for match in _NETRC.finditer(text)
        )
        text = hide(text, [span for span in found if _is_text(text[span[0] : span[1]])])
    text = hide_found(text, _DRIVER, _driver) if "=" in text else text
    text = hide_found(text, _SENT, _sent) if "-H" in text or "--header" in text else text
    text = hide(text, [match.span("value") for match in _KAGGLE.finditer(text)])
    return hide(text, [match.span("value") for match in _PGPASS.finditer(text)])


def _tools(text: str) -> list[Span]:
    spans = [
        _unquoted(match) for match in _TOOLS.finditer(text) if _is_text(match["value"].strip("'\""))
    ]
    spans += [
        _unquoted(match)
        for match in _PASSED.finditer(text)
        if _is_text(match["value"].strip("'\""))
    ]
    spans += [match.span("value") for match in _LISTED.finditer(text)]
    return sorted(spans)


def _is_text(value: str) -> bool:
    return len(value) > 1 and is_literal(value, 4) and value[0] not in "$-{<"


def _unquoted(match: re.Match[str]) -> Span:
    start, end = match.span("value")
    return (start + 1, end - 1) if match["value"][0] in "'\"" else (start, end)


def _spaced(match: re.Match[str]) -> Span | None:
    kind, value = kind_of(match["name"]), match["value"].rstrip().rstrip('",')
    if kind is Kind.NONE or not value or not is_literal(value, 4):
        return None
    if kind is Kind.WEAK and not is_secret(kind, value):
        return None
    return match.start("value"), match.start("value") + len(value)


def _driver(match: re.Match[str]) -> Span | None:
    kind, value = kind_of(match["name"]), match["value"]
    if match.string[match.start("name") - 1] in "'\"":
        # The first of several.
        if not re.compile(r"[; ] ?\w++=").match(match.string, match.end()):
            return None
    elif "." in value.strip(".") and "://" not in value and not re.search(r"\d", value):
        return None
    return match.span("value") if kind is Kind.STRONG and _is_text(value) else None


def _sent(match: re.Match[str]) -> Span | None:
    kind = kind_of(match["name"])
    hides = kind is Kind.STRONG or is_secret(kind, match["value"])
    return match.span("value") if hides and is_secret(Kind.STRONG, match["value"]) else None


def _flag(match: re.Match[str]) -> Span | None:
    kind, value = kind_of(match["name"]), match["value"].strip("'\"")
    if kind is Kind.NONE or not _is_text(value) or value.startswith(("/", "./", "~")):
        return None
    if kind is not Kind.STRONG and not is_secret(kind, value):
        return None
    # A sentence about a flag: "--password is …".
    whole = match["value"] != value or is_mixed(value, 4) or _in_command(match)
    return _unquoted(match) if whole else None


def _in_command(match: re.Match[str]) -> bool:
    text, start = match.string, match.start()
    line = text[max(text.rfind("\n", max(0, start - 300), start) + 1, start - 300) : start].lstrip(
        '+- \t"'
    )
    return line.startswith(("!", "%", "$ ", "RUN ", "CMD ")) or bool(
        re.match(r"(?:python|sudo|[\w.\-/]+)\s[^#]*$", line) and "(" not in line and "=" not in line
    )
