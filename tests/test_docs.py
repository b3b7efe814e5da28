"""The documentation says what the code has: names, options, settings, links, and examples that run.

``python tests/test_docs.py`` writes what is generated: ``docs/operations.md``, and the options in
``docs/command-line.md``.
"""

from __future__ import annotations

import argparse
import ast
import doctest
import importlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import pytest

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
PACKAGE = ROOT / "mltrack_jupyter"
OPERATIONS = DOCS / "operations.md"
COMMAND_LINE = DOCS / "command-line.md"
PAGES = sorted(
    page
    for pattern in ("*.md", "docs/**/*.md", "benchmarks/*.md", "examples/*.md", ".github/*.md")
    for page in ROOT.glob(pattern)
)


def page(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


# --- what the code has, the pages say ---------------------------------------------------------


def test_every_public_name() -> None:
    import mltrack_jupyter

    text = page("python-api.md")
    table = text.split("## Where it goes")[0]
    examples = "\n".join(blocks(text, "pycon"))
    for name in mltrack_jupyter.__all__:
        assert f"`{name}`" in table, f"{name} has no line in the table of python-api.md"
        assert re.search(rf"mltrack\.{name}\b", examples), f"{name} has no example in python-api.md"


def test_every_method_of_the_client() -> None:
    from mltrack_jupyter import Client

    text = page("python-api.md")
    methods = [
        name for name in dir(Client) if not name.startswith("_") and callable(getattr(Client, name))
    ]
    assert [name for name in methods if f"`{name}`" not in text] == []


def test_every_error() -> None:
    from mltrack_jupyter import errors

    text = page("store.md")
    names = [name for name in errors.__all__ if isinstance(getattr(errors, name), type)]
    assert [name for name in names if f"`{name}`" not in text] == []


def test_every_option_of_track() -> None:
    from mltrack_jupyter.magics.track import TrackMagics

    text = page("magics.md")
    for action in TrackMagics.track.parser._actions:
        for option in action.option_strings:
            pattern = rf"\| .*`{re.escape(option)}( [A-Z=]+)?`"
            assert re.search(pattern, text), f"{option} of %%track is missing in magics.md"


def test_every_verb_and_its_usage() -> None:
    from mltrack_jupyter.magics.verbs import VERBS

    text = page("magics.md")
    for verb in VERBS.values():
        # What the page adds to the short help is fine: every word of the help is there, in order.
        words = [re.escape(word) for word in verb.usage.split()]
        assert re.search(r"`%mltrack " + "[^`]*?".join(words), text), verb.usage


def test_every_setting_of_the_server() -> None:
    from mltrack_jupyter.server.app import MltrackApp

    own = set(MltrackApp.class_own_traits(config=True))
    assert own
    documented = set(re.findall(r"^\| `(\w+)` \|", page("server.md"), re.MULTILINE))
    assert documented == own


def test_every_environment_variable() -> None:
    read = {
        name
        for path in PACKAGE.rglob("*.py")
        if path.name != "mlflow_tags.py"  # its names are those of tags
        for name in re.findall(r"\b(?:MLTRACK|MLFLOW)_[A-Z_]+\b", "\n".join(texts_of(path)))
    }
    section = page("store.md").split("## Environment variables")[1]
    documented = set(re.findall(r"`((?:MLTRACK|MLFLOW)_[A-Z_]+)`", section))
    assert documented == read


def texts_of(path: Path) -> Iterator[str]:
    """Yield the texts in a module's code, without its docstrings and comments."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    prose = {
        id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)
    }  # a text that stands alone
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in prose:
            yield node.value


def test_every_command_of_the_front_end() -> None:
    ids = re.findall(r"'(mltrack:[\w-]+)'", (ROOT / "src" / "commands" / "ids.ts").read_text())
    assert ids
    assert [name for name in ids if f"`{name}`" not in page("screens.md")] == []


def test_every_target_of_make() -> None:
    targets = re.findall(r"^(\w+):.* ## ", (ROOT / "Makefile").read_text(), re.MULTILINE)
    text = (ROOT / "CONTRIBUTING.md").read_text()
    assert targets
    assert [name for name in [*targets, "clean"] if f"make {name}" not in text] == []


def test_every_room_is_drawn() -> None:
    rooms = [path.parent.name for path in PACKAGE.glob("*/__init__.py")]
    assert len(rooms) >= 10
    assert [name for name in rooms if f"  {name}/ " not in page("architecture.md")] == []


def test_every_decision_is_listed() -> None:
    index = page("index.md")
    assert [
        path.name for path in (DOCS / "adr").glob("*.md") if f"adr/{path.name}" not in index
    ] == []


# --- generated pages --------------------------------------------------------------------------


def operations_page() -> str:
    """Return the table of every operation, as the declarations have them."""
    from mltrack_jupyter.services.openapi import document

    lines = [
        "# Operations",
        "",
        "Every operation of the server, below its `/mltrack`. This page is generated from the declarations by",
        "`python tests/test_docs.py`. [schema/openapi.json](../schema/openapi.json) has requests and answers",
        "in full.",
    ]
    by_service: dict[str, list[str]] = {}
    for path, methods in document()["paths"].items():
        for method, entry in methods.items():
            row = f"| {method.upper()} | `{path}` | {entry['summary']} |"
            by_service.setdefault(entry["tags"][0], []).append(row)
    for service, rows in by_service.items():
        title = service.replace("_", " ").capitalize()
        lines += [
            "",
            f"## {title}",
            "",
            "| method | path | what it does |",
            "| --- | --- | --- |",
            *rows,
        ]
    return "\n".join(lines) + "\n"


def command_line_page() -> str:
    """Return the page with the commands and their options below what was written by hand."""
    from mltrack_jupyter import cli

    written, mark, _ = COMMAND_LINE.read_text(encoding="utf-8").partition(
        "<!-- Generated from here "
    )
    lines = [f"{written}{mark}on by: python tests/test_docs.py -->"]
    for name in cli.COMMANDS:
        command = subparsers_of(cli._parser(name))[name]
        lines += described(command, f"mltrack {name}", cli.COMMANDS[name])
        for verb, part in subparsers_of(command).items():
            lines += described(part, f"mltrack {name} {verb}", "")
    return "\n".join(lines) + "\n"


def subparsers_of(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    choices = (a.choices for a in parser._actions if isinstance(a, argparse._SubParsersAction))
    return next((dict(found) for found in choices if found), {})


def described(parser: argparse.ArgumentParser, title: str, summary: str) -> list[str]:
    rows = []
    for action in parser._actions:
        if isinstance(action, argparse._HelpAction | argparse._SubParsersAction):
            continue
        value = action.metavar or action.dest.upper()
        shown = ", ".join(f"`{option}`" for option in action.option_strings) or f"`{value}`"
        if action.option_strings and action.nargs != 0:
            shown += f" `{value}`"
        rows.append(f"| {shown} | {(action.help or '').replace('|', chr(92) + '|')} |")
    head = ["", f"## {title}" if summary else f"### {title}", ""]
    text = [f"{summary[0].upper()}{summary[1:]}."] if summary else []
    table = ["| argument | what it is |", "| --- | --- |", *rows] if rows else []
    return head + text + ([""] if text and table else []) + table


def test_the_command_line_is_fresh() -> None:
    assert COMMAND_LINE.read_text(encoding="utf-8") == command_line_page(), (
        "run: python tests/test_docs.py"
    )


def test_the_operations_are_fresh() -> None:
    assert OPERATIONS.read_text(encoding="utf-8") == operations_page(), (
        "run: python tests/test_docs.py"
    )


def test_every_path_of_the_openapi_document_is_listed() -> None:
    paths = json.loads((ROOT / "schema" / "openapi.json").read_text())["paths"]
    listed = page("operations.md")
    assert [path for path in paths if f"`{path}`" not in listed] == [], "run: make api"


# --- links ------------------------------------------------------------------------------------

_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"^ *```{language}\n(.*?)^ *```$", text, re.MULTILINE | re.DOTALL)


def anchors_of(path: Path) -> set[str]:
    titles = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    plain = (re.sub(r"[^\w\- ]", "", title.strip().lower()) for title in titles)
    return {title.replace(" ", "-") for title in plain}


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_relative_link_resolves(path: Path) -> None:
    prose = re.sub(
        r"^ *```.*?^ *```$", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL
    )
    for target in _LINK.findall(prose):
        name, _, anchor = target.partition("#")
        if re.match(r"[a-z]+:", name):
            continue
        place = path.parent / unquote(name) if name else path
        assert place.exists(), f"{target} leads nowhere"
        assert not anchor or anchor in anchors_of(place), f"{target} names no heading"


def test_named_files_exist() -> None:
    """Files that the pages for contributors name in code are there."""
    for path in [ROOT / "CONTRIBUTING.md", *(DOCS / "contributing").glob("*.md")]:
        text = path.read_text(encoding="utf-8")
        for name in re.findall(
            r"`((?:mltrack_jupyter|src|tests|schema|docs|ui-tests)/[\w./-]+)`", text
        ):
            assert (ROOT / name).exists(), f"{path.name} names {name}"


# --- examples ---------------------------------------------------------------------------------


WITH_EXAMPLES = [path for path in PAGES if "\n```pycon\n" in path.read_text(encoding="utf-8")]


@pytest.mark.parametrize("path", WITH_EXAMPLES, ids=lambda path: path.name)
def test_the_examples_run(path: Path, tmp_path: Path) -> None:
    """In a process of its own: they choose a store, and start and end runs."""
    pytest.importorskip("sklearn")
    pytest.importorskip("pandas")
    env = {k: v for k, v in os.environ.items() if not k.startswith(("MLTRACK_", "MLFLOW_", "JPY_"))}
    env["PYTHONPATH"] = str(ROOT)
    command = [sys.executable, "-m", "doctest", "-o", "ELLIPSIS", str(path)]
    done = subprocess.run(
        command, cwd=tmp_path, env=env, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert (tmp_path / "my-store" / "mltrack.db").is_file()


def test_the_python_api_has_examples() -> None:
    examples = doctest.DocTestParser().get_examples(page("python-api.md"))
    assert len(examples) > 40


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_python_blocks_parse(path: Path) -> None:
    transformer = importlib.import_module("IPython.core.inputtransformer2").TransformerManager()
    for block in blocks(path.read_text(encoding="utf-8"), "python"):
        ast.parse(transformer.transform_cell(block))


# --- style ------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_pages_name_no_place_of_one_machine(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert re.findall(r"(?:/home/\w+|/root/|/tmp/|C:\\Users)[^\s`)]*", text) == []


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    OPERATIONS.write_text(operations_page(), encoding="utf-8")
    COMMAND_LINE.write_text(command_line_page(), encoding="utf-8")
