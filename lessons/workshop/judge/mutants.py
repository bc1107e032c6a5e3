"""Makes mutants of a class or function: wrong versions with one small change each."""

import ast
import copy
from collections.abc import Callable, Iterator
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
    """One change. `name` describes it without a line number, so it stays valid when lines move."""

    name: str
    line: int
    source: str


def mutants_of(source: str, name: str) -> Iterator[Mutant]:
    """Every mutant of the class, function or method `name`; each source is the whole file."""
    tree = ast.parse(source)
    count = len(list(_changes(_definition(tree, name), name)))
    seen = {ast.unparse(tree)}
    for number in range(count):
        changed = copy.deepcopy(tree)
        words, line, apply = list(_changes(_definition(changed, name), name))[number]
        apply()
        text = ast.unparse(ast.fix_missing_locations(changed))
        if text not in seen:
            seen.add(text)
            yield Mutant(words, line, text)


def mutant_names(source: str, name: str) -> set[str]:
    """The names of the mutants that mutants_of() makes."""
    return {words for words, _, _ in _changes(_definition(ast.parse(source), name), name)}


def _definition(tree: ast.AST, name: str) -> ast.AST:
    first, _, rest = name.partition(".")
    for node in tree.body:
        if getattr(node, "name", None) == first:
            return _definition(node, rest) if rest else node
    raise LookupError(f"no class, function or method {first}")


Change = tuple[str, int, Callable[[], None]]


def _changes(definition: ast.AST, name: str) -> Iterator[Change]:
    harmless = {id(node) for node in _harmless_if_shared(definition)}
    for node, scope in _walk(definition, name):
        for words, apply in _changes_at(node):
            if id(node) in harmless and words.endswith(SHARED):
                continue
            yield f"{scope}: {words}", getattr(node, "lineno", 0), apply


def _walk(node: ast.AST, scope: str) -> Iterator[tuple[ast.AST, str]]:
    """Every node below `node` but docstrings, each with the name of the function it is in."""
    yield node, scope
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant):
            continue
        inner = isinstance(child, Definition)
        yield from _walk(child, f"{scope}.{child.name}" if inner else scope)


def _changes_at(node: ast.AST) -> Iterator[tuple[str, Callable[[], None]]]:
    for field in ("body", "orelse", "finalbody"):
        statements = getattr(node, field, None)
        if isinstance(statements, list):
            yield from _dropped_statements(statements)
    if isinstance(node, ast.If | ast.While | ast.IfExp):
        yield f"negate {ast.unparse(node.test)}", lambda: _negate(node)
    if isinstance(node, ast.Dict):
        yield from _dropped_items(node)
    if isinstance(node, ast.Constant):
        yield from _other_constants(node)
    if isinstance(node, ast.Compare | ast.BoolOp | ast.BinOp):
        yield from _opposite(node)
    if isinstance(node, ast.Call):
        yield from _strict_lookup(node)
    if isinstance(node, ast.Assign):
        yield from _shared_attribute(node)
    yield from _dropped_awaits(node)


def _dropped_statements(statements: list) -> Iterator[tuple[str, Callable[[], None]]]:
    for index, statement in enumerate(statements):
        if isinstance(statement, ast.Pass | ast.Import | ast.ImportFrom):
            continue
        if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
            continue
        if statement is statements[-1] and ast.unparse(statement) in ("return", "return None"):
            continue  # the function ends here anyway, so nothing would change
        words = ast.unparse(statement).partition("\n")[0]
        yield f"drop {words}", lambda index=index: _drop(statements, index)


def _drop(statements: list, index: int) -> None:
    statements[index] = ast.Pass()


def _negate(node) -> None:
    node.test = ast.UnaryOp(ast.Not(), node.test)


def _dropped_items(node: ast.Dict) -> Iterator[tuple[str, Callable[[], None]]]:
    for index, key in enumerate(node.keys):
        if key is not None:
            words = f"drop {ast.unparse(key)} from {ast.unparse(node)}"
            yield words, lambda index=index: (node.keys.pop(index), node.values.pop(index))


def _other_constants(node: ast.Constant) -> Iterator[tuple[str, Callable[[], None]]]:
    others: list = []
    if isinstance(node.value, bool):
        others = [not node.value]
    elif isinstance(node.value, int):
        others = [node.value + 1]
    elif isinstance(node.value, str):
        swapped = {"text": "bytes", "bytes": "text", "websocket.accept": "websocket.close"}
        others = [swapped.get(node.value, node.value + "x")]
    elif isinstance(node.value, bytes):
        others = [node.value + b"x"]
    for other in others:
        yield f"{node.value!r} becomes {other!r}", lambda other=other: setattr(node, "value", other)


def _opposite(node) -> Iterator[tuple[str, Callable[[], None]]]:
    operator = node.ops[0] if isinstance(node, ast.Compare) else node.op
    opposite = _OPPOSITES.get(type(operator))
    if opposite is None:
        return

    def apply():
        if isinstance(node, ast.Compare):
            node.ops[0] = opposite()
        else:
            node.op = opposite()

    yield f"{ast.unparse(node)} with {opposite.__name__}", apply


def _shared_attribute(node: ast.Assign) -> Iterator[tuple[str, Callable[[], None]]]:
    """Turn `self.x = ...` into `type(self).x = ...`, so that all connections share it."""
    for target in node.targets:
        owner = getattr(target, "value", None)
        if isinstance(target, ast.Attribute) and isinstance(owner, ast.Name) and owner.id == "self":
            shared = ast.Call(ast.Name("type", ast.Load()), [owner], [])
            words = f"{ast.unparse(target)} {SHARED}"
            yield words, lambda target=target, shared=shared: setattr(target, "value", shared)


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


def _strict_lookup(node: ast.Call) -> Iterator[tuple[str, Callable[[], None]]]:
    """Turn `event.get(key)` into the same call with a missing key."""
    if isinstance(node.func, ast.Attribute) and node.func.attr == "get" and node.args:
        missing = ast.Constant("missing")
        yield f"{ast.unparse(node)} finds nothing", lambda: node.args.__setitem__(0, missing)


def _dropped_awaits(node: ast.AST) -> Iterator[tuple[str, Callable[[], None]]]:
    for field, value in ast.iter_fields(node):
        if isinstance(value, ast.Await):
            words = f"drop await of {ast.unparse(value.value)}"
            yield words, lambda field=field, value=value: setattr(node, field, value.value)
