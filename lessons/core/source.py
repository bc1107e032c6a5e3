"""Finds code by its qualified name, by reading files. Nothing is imported, so nothing runs."""

import ast
import re
import sys
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from threading import Lock

from lessons.core.catalogue import PROJECT_DIR

Definition = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef

# Pages are made in several threads, and on Python 3.11 two that parse at once share one count of
# how deep they are: seldom, and only then, a SystemError.
_one_parses = Lock()


class UnknownName(LookupError):
    """No module, class, function, method or variable has this qualified name."""


@dataclass(frozen=True)
class Source:
    """A piece of a file: `first_line` is its place there, `text` has the indentation taken off."""

    file: Path
    first_line: int
    text: str

    @property
    def place(self) -> str:
        """`sync_demo/consumers.py:12`, as an editor's or a terminal's link has it."""
        root = next((root for root in _roots() if self.file.is_relative_to(root)), None)
        path = self.file.relative_to(root) if root else self.file
        return f"{path.as_posix()}:{self.first_line}"

    def methods(self) -> dict[str, range]:
        """The lines of the file that each method (or function) takes, decorators included."""
        return {
            node.name: range(_first_line(node), node.end_lineno + 1)
            for node in ast.walk(_parsed(self.file, self.file.stat().st_mtime_ns)[1])
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            and self.first_line <= node.lineno <= self.first_line + self.text.count("\n")
        }


def find_source(name: str) -> Source:
    """The code that `sync_demo.consumers.Echo.websocket_receive` names. Raises UnknownName."""
    file, attributes = _module_of(name)
    text, tree = _parsed(file, file.stat().st_mtime_ns)
    if not attributes:
        return Source(file, 1, text.rstrip())
    node = tree
    for attribute in attributes:
        node = _definition(node, attribute)
        if node is None:
            raise UnknownName(f"{file} defines no {'.'.join(attributes)}")
    first = _first_line(node)
    # Not textwrap.dedent: a line at the margin, in a string of several, would keep the rest inside.
    indentation = " " * node.col_offset
    lines = text.split("\n")[first - 1 : node.end_lineno]
    return Source(file, first, "\n".join(line.removeprefix(indentation) for line in lines))


def definitions_in(tree: ast.Module) -> list[str]:
    """The names of the classes and functions at the top level, in the order of the file."""
    return [node.name for node in tree.body if isinstance(node, Definition)]


def definitions_named(name: str) -> tuple[str, list[str]]:
    """The module that a qualified name begins with, and the classes and functions that it means.

    They are all of the module's where the name is its own, and none where it is a variable's.
    """
    file, attributes = _module_of(name)
    node = _parsed(file, file.stat().st_mtime_ns)[1]
    if not attributes:
        return name, definitions_in(node)
    for attribute in attributes:
        node = _definition(node, attribute)
    inside = ".".join(attributes)
    return name.removesuffix(f".{inside}"), [inside] if isinstance(node, Definition) else []


def _roots() -> list[Path]:
    """Where packages are looked for; the project first, so that no installed one hides it."""
    return [PROJECT_DIR, *(Path(entry) for entry in sys.path if entry)]


def _module_of(name: str) -> tuple[Path, list[str]]:
    """The file of the longest module that `name` begins with, and the names that are left."""
    if re.fullmatch(r"\w+(\.\w+)*", name):
        parts = name.split(".")
        for root in _roots():
            for length in range(len(parts), 0, -1):
                path = root.joinpath(*parts[:length])
                for file in (path.with_suffix(".py"), path / "__init__.py"):
                    if file.is_file():
                        return file, parts[length:]
    raise UnknownName(f"there is no module for {name}")


@lru_cache(maxsize=64)
def _parsed(file: Path, mtime: int) -> tuple[str, ast.Module]:
    text = file.read_text(encoding="utf-8")
    with _one_parses:
        return text, ast.parse(text)


def _definition(parent: ast.AST, name: str) -> ast.AST | None:
    """What `name` is at last in the body of a module, class or function."""
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
