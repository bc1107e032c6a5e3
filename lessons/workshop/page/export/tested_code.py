"""The code that an exported test plays with: a class and what it uses, or a student's file."""

import ast
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from django.apps import apps

from lessons.workshop.course.lesson_index import PROJECT_DIR, Lesson
from lessons.workshop.course.source_code import Definition, find_source, parse_module
from lessons.workshop.engine.subject import Subject, read_python


class Import(NamedTuple):
    """`from module import name as alias`; without a name, `import module as alias`."""

    module: str
    name: str = ""
    alias: str = ""

    @classmethod
    def of(cls, qualified_name: str) -> "Import":
        module, _, name = qualified_name.rpartition(".")
        return cls(module, name)

    @property
    def bound_name(self) -> str:
        return self.alias or self.name or self.module.partition(".")[0]


@dataclass(frozen=True)
class TestedCode:
    """`body` is the code, `imports` are those that it needs and does not make itself.

    `modules` are all modules that it imports. `place` is the file that it comes from.
    """

    __test__ = False  # pytest does not collect it

    body: str
    imports: frozenset[Import]
    modules: frozenset[str]
    place: str = ""

    def defines(self, name: str) -> bool:
        """Whether the code has a function, class or variable of that name at the top level."""
        return name in _definitions(ast.parse(self.body))


def project_apps(modules: Iterable[str]) -> set[str]:
    """Those apps of this project to which the modules belong."""
    tops = {module.partition(".")[0] for module in modules}
    return {top for top in tops if apps.is_installed(top) and (PROJECT_DIR / top).is_dir()}


def find_tested_code(names: Iterable[str]) -> TestedCode:
    """The code of these qualified names, and what that code uses from the same modules."""
    parts, imports = {}, set()
    for name in names:
        module, _, wanted = name.rpartition(".")
        tree = parse_module(module)
        definitions, bound = _definitions(tree), _imports(tree)
        waiting, found = [wanted], set()
        while waiting:
            one = waiting.pop()
            if one in definitions and one not in found:
                found.add(one)
                waiting += _names_in(definitions[one])
            elif one in bound:
                imports.add(bound[one])
        for one in sorted(found, key=lambda found: definitions[found].lineno):
            parts[f"{module}.{one}"] = isinstance(definitions[one], Definition)
    body = ""
    for name, is_block in parts.items():
        blank = "\n\n\n" if is_block or body.endswith("\n\n") else "\n"
        body = f"{body.rstrip()}{blank}{find_source(name).text}" + "\n\n" * is_block
    return TestedCode(body.strip(), frozenset(imports), frozenset(one.module for one in imports))


def read_tested_file(target: Subject) -> TestedCode:
    """The whole file, as it is, without the text of the task at its beginning."""
    text = read_python(target.file)
    tree = ast.parse(text)
    lines = text.split("\n")
    imports = set()
    for node in tree.body:
        is_docstring = node is tree.body[0] and ast.get_docstring(tree) is not None
        is_future = isinstance(node, ast.ImportFrom) and node.module == "__future__"
        if is_docstring or is_future:
            lines[node.lineno - 1 : node.end_lineno] = [""] * (node.end_lineno - node.lineno + 1)
        if is_future:  # allowed at the beginning of a module only
            imports |= {Import("__future__", one.name) for one in node.names}
    modules = {one.module for one in _imports(tree).values()}
    body = "\n".join(lines).strip()
    is_own = target.file.is_relative_to(PROJECT_DIR)
    place = target.file.relative_to(PROJECT_DIR).as_posix() if is_own else target.file.name
    return TestedCode(body, frozenset(imports), frozenset(modules), place)


def find_mistake(lesson: Lesson, name: str) -> TestedCode:
    """The class of that name in the lesson's mistakes, what it uses, and what issues tickets."""
    module = ".".join(lesson.mistakes.relative_to(PROJECT_DIR).with_suffix("").parts)
    names = [name, *({"issue"} & _definitions(parse_module(module)).keys())]
    return find_tested_code(f"{module}.{one}" for one in names)


def _definitions(tree: ast.Module) -> dict[str, ast.stmt]:
    """What the module defines, by name: classes, functions and variables."""
    found = {}
    for node in tree.body:
        if isinstance(node, Definition):
            found[node.name] = node
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                found |= {one.id: node for one in ast.walk(target) if isinstance(one, ast.Name)}
    return found


def _imports(tree: ast.Module) -> dict[str, Import]:
    """What the module imports, by the name that it gets."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            found += [Import(node.module or "", one.name, one.asname or "") for one in node.names]
        elif isinstance(node, ast.Import):
            found += [Import(one.name, "", one.asname or "") for one in node.names]
    return {one.bound_name: one for one in found}


def _names_in(node: ast.AST) -> list[str]:
    return [one.id for one in ast.walk(node) if isinstance(one, ast.Name)]
