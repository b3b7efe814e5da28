"""What a cell's source says about its names: literals, computed values, calls of ``fit``."""

from __future__ import annotations

import ast
import operator
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

_ARITHMETIC: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
}
_MAX_ITEMS = 50
_BLOCKS = ("body", "orelse", "finalbody", "handlers", "cases")
_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_ASSIGNED = (ast.Assign, ast.AnnAssign, ast.AugAssign)


class NotLiteralError(ValueError):
    """An expression that is more than literals."""


@dataclass
class Binding:
    """One place where a cell binds a name.

    ``kind`` is ``literal``, ``computed`` or ``other`` (loops, imports, definitions). ``certain`` means
    that it was reached if the cell came past ``line``.
    """

    kind: str
    line: int
    certain: bool
    conditional: bool
    top: bool
    value: Any = None


@dataclass
class CellCode:
    """The names that a cell binds at module level, in the order of their first binding.

    ``fitted`` are names whose ``fit`` it calls, ``inputs`` the names of what they are fitted on.
    """

    bindings: dict[str, list[Binding]] = field(default_factory=dict)
    fitted: list[str] = field(default_factory=list)
    inputs: dict[str, str] = field(default_factory=dict)

    def literals(self) -> dict[str, list[Any]]:
        """Return names that only ever get literals, at least once at the top level."""
        return {
            name: [found.value for found in places]
            for name, places in self.bindings.items()
            if not name.startswith("_")
            and all(found.kind == "literal" for found in places)
            and any(found.top for found in places)
        }

    def computed(self) -> list[str]:
        """Return names that get the value of an expression."""
        return [
            name
            for name, places in self.bindings.items()
            if not name.startswith("_") and any(found.kind == "computed" for found in places)
        ]

    def surely_bound(self, name: str, reached: int | None) -> bool:
        """Say whether ``name`` was bound, given the line that failed (``None``: none did)."""
        return any(
            found.certain and (reached is None or found.line < reached)
            for found in self.bindings.get(name, [])
        )

    def only_conditional(self, name: str) -> bool:
        """Say whether every binding of ``name`` stands in a branch that may be skipped."""
        return all(found.conditional for found in self.bindings.get(name, []))


def read_code(source: str) -> CellCode:
    """Return what Python source binds; nothing for source that does not parse."""
    code = CellCode()
    tree = parse_quietly(source)
    if tree is None:
        return code
    for node in tree.body:
        _read_statement(code, node, top=True, conditional=False)
    _read_fit_calls(code, tree)
    return code


def parse_quietly(source: str) -> ast.Module | None:
    """Return the tree of Python source, or ``None``; Python's warnings about it are IPython's to show."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return ast.parse(source)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None


def will_compile(source: str, flags: int) -> bool:
    """Say whether Python takes each statement, as IPython will compile them one by one.

    Some errors, such as a ``return`` outside of a function, come after parsing: IPython has run the
    statements above by then.
    """
    tree = parse_quietly(source)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            for node in tree.body if tree is not None else []:
                module = ast.Module([node], [])
                compile(module, "<cell>", "exec", flags | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, True)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return False
    return tree is not None


def literal_value(node: ast.expr) -> Any:
    """Return the value of an expression made of literals and arithmetic on numbers.

    Raises :class:`NotLiteralError` for anything else, and for containers of more than 50 items.
    """
    if isinstance(node, ast.Constant):
        if isinstance(node.value, bool | int | float | str | None):
            return node.value
        raise NotLiteralError
    if isinstance(node, ast.UnaryOp):
        return _signed(node.op, literal_value(node.operand))
    if isinstance(node, ast.BinOp):
        return _calculated(node)
    if isinstance(node, ast.List | ast.Tuple) and 0 < len(node.elts) <= _MAX_ITEMS:
        items = [literal_value(item) for item in node.elts]
        return tuple(items) if isinstance(node, ast.Tuple) else items
    if isinstance(node, ast.Dict) and 0 < len(node.keys) <= _MAX_ITEMS:
        keys = [_text_key(key) for key in node.keys]
        return dict(zip(keys, map(literal_value, node.values), strict=True))
    raise NotLiteralError


def _signed(op: ast.unaryop, value: Any) -> Any:
    if _is_number(value) and isinstance(op, ast.USub):
        return -value
    if _is_number(value) and isinstance(op, ast.UAdd):
        return +value
    raise NotLiteralError


def _calculated(node: ast.BinOp) -> Any:
    left, right = literal_value(node.left), literal_value(node.right)
    apply = _ARITHMETIC.get(type(node.op))
    if apply is None or not _is_number(left) or not _is_number(right):
        raise NotLiteralError
    # 9 ** 9 ** 9 must not be worked out here: the cell may never have come to that line.
    if isinstance(node.op, ast.Pow) and (abs(right) > 64 or abs(left) > 1e6):
        raise NotLiteralError
    try:
        value = apply(left, right)
    except ArithmeticError as error:
        raise NotLiteralError from error
    if isinstance(value, complex) or (isinstance(value, int) and value.bit_length() > 1024):
        raise NotLiteralError
    return value


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _text_key(node: ast.expr | None) -> str:
    key = literal_value(node) if node is not None else None
    if not isinstance(key, str):
        raise NotLiteralError
    return key


def _read_statement(code: CellCode, node: ast.stmt, *, top: bool, conditional: bool) -> None:
    if isinstance(node, _ASSIGNED):
        _read_assignment(code, node, top, conditional)
        return
    if isinstance(node, _SCOPES):
        _bind(code, node.name, Binding("other", node.lineno, top, conditional, top))
        return
    for name in _other_names(node):
        _bind(code, name, Binding("other", node.lineno, False, conditional, top))
    branch = isinstance(node, ast.If | ast.Match)
    for block in _BLOCKS:
        for child in getattr(node, block, []):
            # The body of a loop, of `with` and of `try` is nearly always entered; the rest may not be.
            skipped = conditional or branch or block != "body"
            for statement in [child] if isinstance(child, ast.stmt) else child.body:
                _read_statement(code, statement, top=False, conditional=skipped)


def _read_assignment(
    code: CellCode, node: ast.Assign | ast.AnnAssign | ast.AugAssign, top: bool, conditional: bool
) -> None:
    if node.value is None:
        return
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    augmented = isinstance(node, ast.AugAssign)
    for target in targets:
        for name, value in _pairs(target, node.value):
            found = Binding("computed", node.end_lineno or node.lineno, top, conditional, top)
            if not augmented and value is not None:
                try:
                    found.value = literal_value(value)
                    found.kind = "literal"
                except (NotLiteralError, RecursionError):
                    found.kind = "computed"
            _bind(code, name, found)
    for name in _walrus_names(node.value):
        _bind(code, name, Binding("other", node.lineno, False, conditional, top))


def _pairs(target: ast.expr, value: ast.expr | None) -> Iterator[tuple[str, ast.expr | None]]:
    if isinstance(target, ast.Name):
        yield target.id, value
    elif isinstance(target, ast.Starred):
        yield from _pairs(target.value, None)
    elif isinstance(target, ast.Tuple | ast.List):
        values: list[ast.expr | None] = [None] * len(target.elts)
        starred = any(isinstance(item, ast.Starred) for item in target.elts)
        if isinstance(value, ast.Tuple | ast.List) and not starred:
            values[: len(value.elts)] = value.elts[: len(values)]
        for item, part in zip(target.elts, values, strict=True):
            yield from _pairs(item, part)


def _bind(code: CellCode, name: str, found: Binding) -> None:
    code.bindings.setdefault(name, []).append(found)


def _other_names(node: ast.stmt) -> Iterator[str]:
    """Yield names that a compound statement, an import or ``del`` binds by itself."""
    for target in _targets(node):
        yield from (name for name, _ in _pairs(target, None))
    if isinstance(node, ast.Import | ast.ImportFrom):
        yield from ((name.asname or name.name).split(".")[0] for name in node.names)
    elif isinstance(node, ast.Match):
        parts = [part for part in ast.walk(node) if isinstance(part, ast.MatchAs | ast.MatchStar)]
        yield from (part.name for part in parts if part.name)
    for field_name in ("test", "iter", "value", "subject"):
        inner = getattr(node, field_name, None)
        if isinstance(inner, ast.expr):
            yield from _walrus_names(inner)


def _targets(node: ast.stmt) -> list[ast.expr]:
    """Return what a loop, a ``with`` or a ``del`` binds or unbinds."""
    if isinstance(node, ast.For | ast.AsyncFor):
        return [node.target]
    if isinstance(node, ast.With | ast.AsyncWith):
        return [item.optional_vars for item in node.items if item.optional_vars is not None]
    return node.targets if isinstance(node, ast.Delete) else []


def _walrus_names(node: ast.expr) -> Iterator[str]:
    for part in ast.walk(node):
        if isinstance(part, ast.NamedExpr):
            yield part.target.id


def _read_fit_calls(code: CellCode, tree: ast.AST) -> None:
    """Note ``name.fit(data)`` and its kin, and what a variable made by ``name = Model().fit(data)`` saw."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and _fit_owner(node.value) is not None:
            for target in node.targets:
                if isinstance(target, ast.Name):
                    _note_input(code, target.id, node.value)
        owner = _fit_owner(node)
        if isinstance(owner, ast.Name):
            code.fitted.append(owner.id)
            _note_input(code, owner.id, node)


def _note_input(code: CellCode, name: str, call: ast.AST) -> None:
    if isinstance(call, ast.Call) and call.args and isinstance(call.args[0], ast.Name):
        code.inputs[name] = call.args[0].id


def _fit_owner(node: ast.AST) -> ast.expr | None:
    """Return what ``fit`` is called on, if that is what ``node`` does."""
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
        return None
    is_fit = node.func.attr.startswith(("fit", "partial_fit", "set_params"))
    return node.func.value if is_fit else None
