"""Finds code by its qualified name. It reads files and imports nothing, so no code runs."""

import ast
import re
import sys
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from threading import Lock

from lessons.workshop.course.lesson_index import PROJECT_DIR
from lessons.workshop.engine.subject import read_python

Definition = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef

# Several threads render pages. On Python 3.11, two threads that parse at once share the count of
# the recursion depth, which on rare occasions raises SystemError.
_parse_lock = Lock()


class UnknownName(LookupError):
    """No module, class, function, method or variable has this qualified name."""


@dataclass(frozen=True)
class Source:
    """A part of a file: `first_line` is its number in the file; `text` is not indented."""

    file: Path
    first_line: int
    text: str

    @property
    def place(self) -> str:
        """`sync_demo/consumers.py:12`, as editors and terminals write links."""
        root = next((root for root in _roots() if self.file.is_relative_to(root)), None)
        path = self.file.relative_to(root) if root else self.file
        return f"{path.as_posix()}:{self.first_line}"

    def methods(self) -> dict[str, range]:
        """The line numbers of each method or function, with its decorators."""
        return {
            node.name: range(_first_line(node), node.end_lineno + 1)
            for node in ast.walk(parse_file(self.file)[1])
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            and self.first_line <= node.lineno <= self.first_line + self.text.count("\n")
        }


def find_source(name: str) -> Source:
    """The code with that name: `sync_demo.consumers.Echo.websocket_receive`. Raises UnknownName."""
    file, attributes = _module_of(name)
    return find_in_file(file, *attributes)


def find_in_file(file: Path, *attributes: str) -> Source:
    """The code of a file, or of the class, method or variable in it. Raises UnknownName."""
    text, tree = parse_file(file)
    if not attributes:
        return Source(file, 1, text.rstrip())
    node = tree
    for attribute in attributes:
        node = _definition(node, attribute)
        if node is None:
            raise UnknownName(f"{file} defines no {'.'.join(attributes)}")
    first = _first_line(node)
    # Not textwrap.dedent: an unindented line in a multi-line string would stop it.
    indentation = " " * node.col_offset
    lines = text.split("\n")[first - 1 : node.end_lineno]
    return Source(file, first, "\n".join(line.removeprefix(indentation) for line in lines))


def find_demo_source(name: str) -> Source:
    """The code with that name; of a class, also its base classes in the same file, before it."""
    source, attribute = find_source(name), name.rpartition(".")[2]
    has_base = _first_base(parse_file(source.file)[1], attribute) is not None
    return find_class(source.file, attribute) if has_base else source


def find_class(file: Path, name: str) -> Source:
    """A class of a file, with its base classes in the same file before it. Raises UnknownName."""
    text, tree = parse_file(file)
    node = _definition(tree, name)
    if node is None:
        raise UnknownName(f"{file} defines no {name}")
    first = _first_base(tree, name) or _first_line(node)
    return Source(file, first, "\n".join(text.split("\n")[first - 1 : node.end_lineno]))


def _first_base(tree: ast.Module, name: str) -> int | None:
    """The first line of the class's first base class in this module, or None."""
    node = _definition(tree, name)
    names = [base.id for base in getattr(node, "bases", []) if isinstance(base, ast.Name)]
    found = map(partial(_definition, tree), names)
    bases = [base for base in found if isinstance(base, ast.ClassDef)]
    lines = [_first_base(tree, base.name) or _first_line(base) for base in bases]
    return min(lines, default=None)


def definitions_in(tree: ast.Module) -> list[str]:
    """The names of the classes and functions at the top level, in order."""
    return [node.name for node in tree.body if isinstance(node, Definition)]


def definitions_named(name: str) -> tuple[str, list[str]]:
    """The module in a qualified name, and the classes and functions that the name stands for.

    A module's name stands for all in it, a variable's name for none.
    """
    file, attributes = _module_of(name)
    node = parse_file(file)[1]
    if not attributes:
        return name, definitions_in(node)
    for attribute in attributes:
        node = _definition(node, attribute)
    rest = ".".join(attributes)
    return name.removesuffix(f".{rest}"), [rest] if isinstance(node, Definition) else []


def _roots() -> list[Path]:
    """The folders of packages; the project first, so that no installed package hides it."""
    return [PROJECT_DIR, *(Path(entry) for entry in sys.path if entry)]


def _module_of(name: str) -> tuple[Path, list[str]]:
    """The file of the longest module name that `name` begins with, and the rest of `name`."""
    if re.fullmatch(r"\w+(\.\w+)*", name):
        parts = name.split(".")
        for root in _roots():
            for length in range(len(parts), 0, -1):
                path = root.joinpath(*parts[:length])
                for file in (path.with_suffix(".py"), path / "__init__.py"):
                    if file.is_file():
                        return file, parts[length:]
    raise UnknownName(f"{name} names no module")


def parse_file(file: Path) -> tuple[str, ast.Module]:
    """The text and the tree of a Python file. Raises OSError, SyntaxError and ValueError."""
    return _parsed(file, file.stat().st_mtime_ns)


@lru_cache(maxsize=64)
def _parsed(file: Path, mtime: int) -> tuple[str, ast.Module]:
    text = read_python(file)
    with _parse_lock:
        return text, ast.parse(text)


def _definition(parent: ast.AST, name: str) -> ast.AST | None:
    """The last definition of `name` in the body of a module, class or function."""
    for node in reversed(parent.body if hasattr(parent, "body") else []):
        if isinstance(node, Definition) and node.name == name:
            return node
        if isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if any(isinstance(target, ast.Name) and target.id == name for target in targets):
                return node
    return None


def _first_line(node: ast.AST) -> int:
    decorators = getattr(node, "decorator_list", [])
    return min([node.lineno, *(decorator.lineno for decorator in decorators)])
