"""Makes mutants of a class or function: wrong versions with one small change each."""

import ast
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from lessons.workshop.course.source_code import Definition

SHARED = "belongs to the class"  # how the name of such a mutant ends
_OPPOSITES = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Lt: ast.GtE,
    ast.GtE: ast.Lt,
    ast.Gt: ast.LtE,
    ast.LtE: ast.Gt,
    ast.And: ast.Or,
    ast.Or: ast.And,
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
}


@dataclass(frozen=True)
class Mutant:
    """One change. `name` describes it without a line number, so it stays valid when lines move.

    The second change with the same words has (2) behind them.
    """

    name: str
    line: int
    source: str


def mutants_of(source: str, name: str) -> Iterator[Mutant]:
    """Every mutant of the class, function or method `name`; each source is the whole file."""
    tree = ast.parse(source)
    yield from mutants_in(tree, {name: _definition(tree, name)})


def mutants_in(tree: ast.Module, parts: dict[str, ast.AST]) -> Iterator[Mutant]:
    """Every mutant of some parts of a file, which are given by name."""
    seen, names = {ast.unparse(tree)}, Counter()
    changes = [it for name, part in parts.items() for it in _changes(part, name)]
    for words, line, node, fields in changes:
        names[words] += 1
        name = words if names[words] == 1 else f"{words} ({names[words]})"
        before = {field: getattr(node, field) for field in fields}
        vars(node).update(fields)
        text = ast.unparse(tree)
        vars(node).update(before)
        if text not in seen:
            seen.add(text)
            yield Mutant(name, line, text)


def _definition(tree: ast.AST, name: str) -> ast.AST:
    first, _, rest = name.partition(".")
    for node in tree.body:
        if getattr(node, "name", None) == first:
            return _definition(node, rest) if rest else node
    raise LookupError(f"no class, function or method {first}")


Change = tuple[str, ast.AST, dict[str, object]]  # in words, a node, and its changed fields


def _changes(definition: ast.AST, name: str) -> Iterator[tuple[str, int, ast.AST, dict]]:
    harmless = {id(node) for node in _harmless_if_shared(definition)}
    for node, scope in _walk(definition, name):
        for words, changed, fields in _changes_at(node):
            if not (id(node) in harmless and words.endswith(SHARED)):
                yield f"{scope}: {words}", getattr(node, "lineno", 0), changed, fields


def _walk(node: ast.AST, scope: str) -> Iterator[tuple[ast.AST, str]]:
    """Every node below `node` but docstrings, each with the name of the function it is in."""
    yield node, scope
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant):
            continue
        inner = isinstance(child, Definition)
        yield from _walk(child, f"{scope}.{child.name}" if inner else scope)


def _changes_at(node: ast.AST) -> Iterator[Change]:
    for field in ("body", "orelse", "finalbody"):
        if isinstance(getattr(node, field, None), list):
            yield from _dropped_statements(node, field)
    match node:
        case ast.If(test=test) | ast.While(test=test) | ast.IfExp(test=test):
            yield f"negate {ast.unparse(test)}", node, {"test": ast.UnaryOp(ast.Not(), test)}
        case ast.Dict(keys=keys, values=values):
            for index, key in enumerate(keys):
                if key is not None:
                    words = f"drop {ast.unparse(key)} from {ast.unparse(node)}"
                    yield words, node, {"keys": _cut(keys, index), "values": _cut(values, index)}
        case ast.Constant(value=value):
            for other in _other_values(value):
                yield f"{value!r} becomes {other!r}", node, {"value": other}
        case ast.Compare(ops=[operator, *rest]) if opposite := _OPPOSITES.get(type(operator)):
            words = f"{ast.unparse(node)} with {opposite.__name__}"
            yield words, node, {"ops": [opposite(), *rest]}
        case ast.BoolOp(op=operator) | ast.BinOp(op=operator):
            if opposite := _OPPOSITES.get(type(operator)):
                yield f"{ast.unparse(node)} with {opposite.__name__}", node, {"op": opposite()}
        case ast.Call(func=ast.Attribute(attr="get"), args=[_, *rest]):
            missing = [ast.Constant("missing"), *rest]
            yield f"{ast.unparse(node)} finds nothing", node, {"args": missing}
        case ast.Assign(targets=targets):
            yield from _shared_attributes(targets)
    for field, value in ast.iter_fields(node):
        if isinstance(value, ast.Await):
            yield f"drop await of {ast.unparse(value.value)}", node, {field: value.value}


def _dropped_statements(node: ast.AST, field: str) -> Iterator[Change]:
    statements = getattr(node, field)
    for index, statement in enumerate(statements):
        if isinstance(statement, ast.Pass | ast.Import | ast.ImportFrom):
            continue
        if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
            continue
        if statement is statements[-1] and ast.unparse(statement) in ("return", "return None"):
            continue  # the function ends here anyway, so nothing would change
        words = ast.unparse(statement).partition("\n")[0]
        changed = [*statements[:index], ast.Pass(), *statements[index + 1 :]]
        yield f"drop {words}", node, {field: changed}


def _cut(items: list, index: int) -> list:
    return [*items[:index], *items[index + 1 :]]


def _other_values(value) -> list:
    match value:
        case bool():
            return [not value]
        case int():
            return [value + 1]
        case str():
            swapped = {"text": "bytes", "bytes": "text", "websocket.accept": "websocket.close"}
            return [swapped.get(value, value + "x")]
        case bytes():
            return [value + b"x"]
    return []


def _shared_attributes(targets: list[ast.AST]) -> Iterator[Change]:
    """Turn `self.x = ...` into `type(self).x = ...`, so that all connections share it."""
    for target in targets:
        match target:
            case ast.Attribute(value=ast.Name(id="self") as owner):
                shared = ast.Call(ast.Name("type", ast.Load()), [owner], [])
                yield f"{ast.unparse(target)} {SHARED}", target, {"value": shared}


def _harmless_if_shared(definition: ast.AST) -> Iterator[ast.Assign]:
    """The assignments of websocket_connect that may as well go to the class.

    Each connection assigns the same immutable value there before anything else happens. Later
    changes go to the instance, so the class keeps that value.
    """
    for function in ast.walk(definition):
        if getattr(function, "name", "") != "websocket_connect":
            continue
        for statement in function.body:
            if isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Constant):
                yield statement
            elif any(isinstance(node, ast.Return) for node in ast.walk(statement)):
                break  # from here on not each connection assigns
