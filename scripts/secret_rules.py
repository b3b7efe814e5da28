"""Writes the shapes of secrets that gitleaks knows as data that Python's ``re`` reads.

    python scripts/secret_rules.py config/gitleaks.toml "gitleaks 8.30" > mltrack_jupyter/privacy/secrets/gitleaks.json

Its rules are written for RE2. Some flags stand elsewhere here, and what would be slow without RE2 is left
out: names in front of a keyword tell nothing more, and rules that look at several lines have their like in
``privacy/secrets``.
"""

from __future__ import annotations

import json
import re
import sys
import tomllib
from pathlib import Path

LEFT_OUT = frozenset((
    "generic-api-key", "private-key", "jwt", "curl-auth-header", "curl-auth-user", "kubernetes-secret-yaml",
    "pkcs12-file",
))  # fmt: skip
LICENCE = "MIT License, Copyright (c) 2019 Zachary Rice"
# A token may be followed by anything that is no part of it, also by a comma or a bracket.
_END = re.compile(r"\(\?:\[\\x60'\"\\s;\]\|\\\\\[nr\]\|\$(?:\|\\b)?\)$")


def translated(pattern: str) -> str:
    """Return a pattern of RE2 as one of Python."""
    pattern = pattern.replace(r"\z", r"\Z").replace("[[:alnum:]]", "[A-Za-z0-9]")
    pattern = pattern.replace(r"[\w.-]{0,50}?", "")
    pattern = _END.sub("(?![A-Za-z0-9])", pattern)
    while (at := pattern.find("(?i)", 1)) > 0:
        end = _end_of_group(pattern, at)
        pattern = f"{pattern[:at]}(?i:{pattern[at + 4 : end]}){pattern[end:]}"
    return pattern


def _end_of_group(pattern: str, at: int) -> int:
    depth, place, in_class = 0, at + 4, False
    while place < len(pattern):
        sign = pattern[place]
        if sign == "\\":
            place += 1
        elif in_class:
            in_class = sign != "]"
        elif sign == "[":
            in_class = True
        elif sign == "(":
            depth += 1
        elif sign == ")":
            depth -= 1
            if depth < 0:
                break
        place += 1
    return place


def main(path: str, source: str) -> None:
    """Print the rules, one a line."""
    rules = []
    for rule in tomllib.loads(Path(path).read_text())["rules"]:
        if rule["id"] not in LEFT_OUT:
            pattern = translated(rule["regex"])
            re.compile(pattern)
            rules.append({"id": rule["id"], "keywords": rule["keywords"], "regex": pattern})
    head = f'{{"source": {json.dumps(source)}, "licence": {json.dumps(LICENCE)}, "rules": [\n'
    sys.stdout.write(head + ",\n".join(map(json.dumps, rules)) + "\n]}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
