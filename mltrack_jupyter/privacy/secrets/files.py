"""Files that hold little else than secrets: in a diff, and where a cell writes one, they are withheld whole."""

from __future__ import annotations

import re
from collections.abc import Callable

from mltrack_jupyter.privacy.secrets.spans import REDACTED

_NAME = re.compile(
    r"""(?:^|[/\\"'\s])(?:
        \.env(?:[.\-_][\w.\-]*)? | [\w.\-]+\.env | \.envrc | \.flaskenv
      | [._]?netrc | \.authinfo | \.?pgpass(?:\.conf)? | \.pypirc | \.npmrc | \.yarnrc(?:\.yml)? | \.htpasswd
      | \.git-credentials | \.?vault[-_]token | \.?vault[-_]pass\w* | \.dockercfg | \.docker/config\.json
      | \.kube/config | kubeconfig[\w.\-]* | [\w.\-]+\.kubeconfig | \.aws/\w+ | \.boto | \.s3cfg | \.passwd-s3fs
      | \.databrickscfg | \.my\.cnf | \.mylogin\.cnf | \.snowsql/config | \.terraformrc | \.ssh/[\w.\-]+
      | credentials(?:\.\w+)? | [\w.\-]*client[-_]secrets?[\w.\-]*\.json | kaggle\.json
      | [\w.\-]*service[-_]?account[\w.\-]*\.json | application_default_credentials\.json
      | \.?secrets?\.(?:ya?ml|toml|json|ini|cfg|conf|env|txt|py|properties) | secrets/[\w.\-/]+
      | [\w.\-]+[-_.]secrets?\.(?:ya?ml|json|toml) | (?:auth|token|tokens)\.json
      | id_(?:rsa|dsa|ecdsa|ed25519)\w* | [\w.\-]+\.(?:pem|key|p12|pfx|jks|keystore|ppk|kdbx|pkcs12|p8|tfvars|tfstate)
      | [\w.\-]+\.auto\.tfvars(?:\.json)? | htpasswd | shadow | wp-config\.php
    )["']?\s*$""",
    re.VERBOSE | re.IGNORECASE | re.MULTILINE,
)
_FILE = re.compile(r"^(?=diff --(?:git|cc|combined) )", re.MULTILINE)
_HEAD = re.compile(
    r"(?:(?:diff |index |new |deleted |old |mode |similarity |dissimilarity |rename |copy |--- |\+\+\+ )[^\n]*(?:\n|\Z))+"
)
_NAMING = re.compile(
    r"^(?:diff --\w+ |(?:rename|copy) (?:from|to) |--- |\+\+\+ )[^\n]*", re.MULTILINE
)
_SETTINGS = re.compile(
    r"diff --\w+ .*\.(?:ya?ml|ini|cfg|conf|toml|properties|json5?|hcl|tf)\"?$", re.MULTILINE
)
_WRITTEN = re.compile(
    r"^%%(?:writefile|file)[ \t]++(?:-a[ \t]++)?(?P<path>[^\n]++)\n(?P<body>[\s\S]+)", re.MULTILINE
)
_HERE = re.compile(
    r"(?:cat|tee)\b[^\n]{0,80}<<-?[ \t]*+['\"]?(?P<end>\w++)['\"]?[^\n]{0,80}\n", re.MULTILINE
)


def is_secret_file(path: str) -> bool:
    """Tell whether a file is one that holds secrets, by its name."""
    return _NAME.search(path) is not None


def by_file(text: str, redact: Callable[[str, bool], str]) -> str:
    """Redact a text file by file, if it is a diff; ``redact`` is told whether a file is one of settings."""
    text = _WRITTEN.sub(_written, text)
    text = _here(text)
    return "".join(_redacted(part, redact) for part in _FILE.split(text))


def _redacted(part: str, redact: Callable[[str, bool], str]) -> str:
    if not part.startswith("diff --"):
        return redact(part, False)
    head = _HEAD.match(part)
    end = head.end() if head is not None else 0
    if any(is_secret_file(line) or _both(line) for line in _NAMING.findall(part[:end])):
        return part[:end] + (f"{REDACTED}\n" if part[end:].strip() else part[end:])
    return redact(part, _SETTINGS.match(part) is not None)


def _both(line: str) -> bool:
    """Tell it of the first of two paths: ``diff --git a/.env b/env.txt``."""
    before, mark, _ = line.rpartition(" b/")
    return bool(mark) and is_secret_file(before)


def _written(match: re.Match[str]) -> str:
    if not is_secret_file(match["path"].strip()):
        return match[0]
    return f"{match[0][: match.start('body') - match.start()]}{REDACTED}\n"


def _here(text: str) -> str:
    if "<<" not in text:
        return text
    parts: list[str] = []
    done = 0
    for match in _HERE.finditer(text):
        line = match[0].replace(">", " ").replace("<<", "  ")
        words = line.split()
        if match.start() < done or not any(map(is_secret_file, words)):
            continue
        close = text.find(f"\n{match['end']}", match.end() - 1)
        close = len(text) if close < 0 else close + 1
        parts += text[done : match.end()], f"{REDACTED}\n"
        done = close
    return "".join([*parts, text[done:]])
