"""The house stays small and its rooms apart: sizes, imports, and what is never written."""

import ast
import graphlib
import json
import re
import subprocess
import sys
from pathlib import Path

import grimp
import pytest

from mltrack_jupyter.services.openapi import document

HERE = Path(__file__).parent.parent
PACKAGE = HERE / "mltrack_jupyter"
FILES = sorted(
    path for path in PACKAGE.rglob("*.py") if not {"migrations", "labextension"} & set(path.parts)
)
SOURCES = sorted((HERE / "src").rglob("*.ts*"))
# The only places that may catch everything, each of which logs: what a user's code or a server raises.
BORDERS = {
    "capture/border.py",
    "models/border.py",
    "server/loops.py",
    "services/dispatch.py",
    "store/journal/keeper.py",
    "tracking/autolog/border.py",
}
# MLflow's fluent functions keep MLflow's parameters, and an operation has as many as its request.
MANY_PARAMETERS = {"tracking", "services", "store", "testing"}


def name_of(path):
    return path.relative_to(PACKAGE).as_posix()


def trees():
    return [(path, ast.parse(path.read_text())) for path in FILES]


def walk(kind):
    """Yield every node of a kind with the file that it is in."""
    for path, tree in trees():
        for node in ast.walk(tree):
            if isinstance(node, kind):
                yield name_of(path), node


def length(function):
    """Return the lines of a function without its decorators and its docstring."""
    first = function.body[0]
    has_doc = isinstance(first, ast.Expr) and isinstance(
        getattr(first, "value", None), ast.Constant
    )
    doc = (
        first.end_lineno - first.lineno + 1 if has_doc and isinstance(first.value.value, str) else 0
    )
    return function.end_lineno - function.lineno + 1 - doc


def test_files_are_short():
    sizes = {name_of(path): len(path.read_text().splitlines()) for path in FILES}
    assert {name: size for name, size in sizes.items() if size > 400} == {}
    assert sum(sizes.values()) / len(sizes) <= 180


def test_tests_are_short():
    sizes = {path: len(path.read_text().splitlines()) for path in (HERE / "tests").rglob("*.py")}
    assert {str(path): size for path, size in sizes.items() if size > 400} == {}


def test_functions_are_short():
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    found = {f"{name}:{node.name}": length(node) for name, node in walk(kinds)}
    assert {name: size for name, size in found.items() if size > 40} == {}


def test_functions_have_few_parameters():
    found = {}
    for name, node in walk((ast.FunctionDef, ast.AsyncFunctionDef)):
        free = [
            item.arg
            for item in (*node.args.posonlyargs, *node.args.args)
            if item.arg not in ("self", "cls")
        ]
        if len(free) > 6 and name.split("/")[0] not in MANY_PARAMETERS:
            found[f"{name}:{node.name}"] = len(free)
    assert found == {}


def test_classes_have_few_methods():
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    found = {
        f"{name}:{node.name}": sum(isinstance(item, kinds) for item in node.body)
        for name, node in walk(ast.ClassDef)
    }
    assert {name: size for name, size in found.items() if size > 20} == {}


def test_every_module_says_what_it_is_for():
    assert [name_of(path) for path, tree in trees() if not ast.get_docstring(tree)] == []


def test_everything_is_caught_only_at_the_borders():
    found = set()
    for name, node in walk(ast.ExceptHandler):
        kinds = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
        names = {getattr(kind, "id", "") for kind in kinds}
        reraises = any(isinstance(item, ast.Raise) and item.exc is None for item in ast.walk(node))
        if (node.type is None or names & {"Exception", "BaseException"}) and not reraises:
            found.add(name)
    assert found - BORDERS == set()


def test_nothing_is_run_that_was_read():
    dangerous = {"eval", "exec", "__import__"}
    attributes = {"system", "popen", "extractall", "extract"}
    found = []
    for name, node in walk(ast.Call):
        function = node.func
        called = getattr(function, "id", "") or getattr(function, "attr", "")
        owner = getattr(getattr(function, "value", None), "id", "")
        shell = [item for item in node.keywords if item.arg == "shell"]
        yaml = called in ("load", "load_all", "unsafe_load", "full_load") and owner == "yaml"
        builtin = isinstance(function, ast.Name) and called in dangerous
        if builtin or shell or yaml or (called in attributes and owner):
            found.append(f"{name}:{node.lineno} {owner}.{called}")
    assert found == []


@pytest.mark.parametrize("word", ["innerHTML", "outerHTML", "insertAdjacentHTML", "dangerouslySetInnerHTML",
                                  "document.write", "eval(", "new Function(", "javascript:"])  # fmt: skip
def test_the_browser_is_handed_text_only(word):
    found = [
        str(path)
        for path in SOURCES
        if word in re.sub(r"(?m)^\s*(//|\*|/\*).*$", "", path.read_text())
    ]
    assert SOURCES
    assert found == []


def test_no_module_imports_the_package_itself():
    found = []
    for name, node in walk((ast.Import, ast.ImportFrom)):
        if isinstance(node, ast.Import):
            roots = [item.name for item in node.names if item.name == "mltrack_jupyter"]
        else:
            rooms = {path.stem for path in PACKAGE.iterdir()}
            roots = [] if node.module != "mltrack_jupyter" else [
                item.name for item in node.names if item.name not in rooms
            ]  # fmt: skip
        found += [f"{name}:{node.lineno} {root}" for root in roots]
    assert found == []


def test_rooms_import_only_rooms_below_them():
    command = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([command], cwd=HERE, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_no_modules_import_each_other_in_a_circle():
    graph = grimp.build_graph("mltrack_jupyter", exclude_type_checking_imports=True, cache_dir=None)
    imports = {name: graph.find_modules_directly_imported_by(name) for name in graph.modules}
    graphlib.TopologicalSorter(imports).prepare()  # raises CycleError, which names them


def test_the_api_document_is_fresh():
    committed = json.loads((HERE / "schema" / "openapi.json").read_text())
    assert committed == document(), (
        "run: python -m mltrack_jupyter.services.openapi > schema/openapi.json"
    )


def test_no_path_of_a_machine_is_in_the_files():
    words = re.compile(r"(?<![}\w])/(?:home|Users|root)/\w+|/tmp/\w+")
    here = Path(__file__)
    files = [path for path in (*FILES, *(HERE / "tests").rglob("*.py"), *SOURCES) if path != here]
    found = [f"{path}: {match[0]}" for path in files for match in words.finditer(path.read_text())]
    assert [line for line in found if "/home/ada" not in line] == []
