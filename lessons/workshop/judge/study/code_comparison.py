"""Two classes side by side: their methods in pairs, the lines of each pair in aligned rows.

A mistake often inherits most of its methods from another class of its file. Here it is shown with
them, as one whole class. The code is read, and never imported.
"""

import ast
import difflib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from html import escape
from itertools import zip_longest
from pathlib import Path

from lessons.workshop.course.lesson_index import Lesson
from lessons.workshop.course.source_code import Definition, Source, parse_file


@dataclass(frozen=True)
class Part:
    """The head of a class, one of its methods, or one of its other statements, with its lines."""

    name: str
    source: Source
    is_inherited: bool = False

    @property
    def lines(self) -> list[str]:
        return self.source.text.split("\n")

    def json_lines(self, highlight: Callable[[str], str] = escape) -> list[dict]:
        """Each line as HTML, with its number in the file and its method."""
        html = highlight(self.source.text).split("\n")
        first = self.source.first_line
        return [
            {"number": number, "method": self.name, "html": line}
            for number, line in enumerate(html, start=first)
        ]


MAX_LINES = 400  # of code beside the solution: it takes the square of their number
HEAD = ""  # the name of the first part of a class
FUNCTION = "()"  # the name of the only part of a function


def read_parts(file: Path, name: str) -> list[Part]:
    """The parts of a class, with what it inherits in its file. Of a function, the function alone.

    Docstrings and the ids of diagnoses are left out. Raises OSError, SyntaxError, and LookupError
    if the file has no such definition.
    """
    text, tree = parse_file(file)
    by_name = {node.name: node for node in tree.body if isinstance(node, Definition)}
    node = by_name[name]
    lines = text.split("\n")
    if not isinstance(node, ast.ClassDef):
        return [Part(FUNCTION, _source(file, lines, node.lineno, node.end_lineno))]
    parts = {HEAD: Part(HEAD, _source(file, lines, node.lineno, node.lineno))}
    for ancestor in _with_bases(node, by_name):
        for part in _body_parts(file, lines, ancestor, is_inherited=ancestor is not node):
            parts.setdefault(part.name, part)
    return list(parts.values())


def _with_bases(node: ast.ClassDef, by_name: dict) -> Iterator[ast.ClassDef]:
    """The class, and its bases in the same file, in the order in which Python looks up a method."""
    yield node
    for base in node.bases:
        found = by_name.get(getattr(base, "id", ""))
        if isinstance(found, ast.ClassDef):
            yield from _with_bases(found, by_name)


def _body_parts(file, lines, node: ast.ClassDef, is_inherited: bool) -> Iterator[Part]:
    """The parts in the body of a class. A comment belongs to what follows it."""
    end = node.lineno
    for statement in node.body:
        first, end = end + 1, statement.end_lineno
        target = getattr(statement, "targets", [None])[0]
        name = getattr(statement, "name", None) or getattr(target, "id", None)
        is_docstring = isinstance(statement, ast.Expr)
        if is_docstring or name in (None, "diagnosis"):
            continue
        yield Part(name, _source(file, lines, first, end), is_inherited)


def _source(file: Path, lines: list[str], first: int, last: int) -> Source:
    while not lines[first - 1].strip():
        first += 1
    return Source(file, first, "\n".join(lines[first - 1 : last]))


def beside_solution(
    lesson: Lesson, file: Path, name: str, highlight: Callable[[str], str] = escape
) -> dict | None:
    """`{"right", "wrong", "rows"}`: the places of the solution and of a class, and both in rows.

    None if the class cannot be read, or is too long. Its file may come from a stranger.
    """
    try:
        right, wrong = read_parts(lesson.solution, lesson.exercise_name), read_parts(file, name)
    except (OSError, SyntaxError, ValueError, LookupError, RecursionError, MemoryError):
        return None
    if sum(len(part.lines) for part in wrong) > MAX_LINES:
        return None
    rows = aligned_rows(right, wrong, highlight)
    return {"right": right[0].source.place, "wrong": wrong[0].source.place, "rows": rows}


def aligned_rows(
    right: list[Part], wrong: list[Part], highlight: Callable[[str], str] = escape
) -> list[dict]:
    """The rows `{"right", "wrong", "differs"}`, a side is a line or None. Parts are apart.

    `highlight` turns the code of a part into HTML, in which no element spans two lines.

    A difference is marked where the mistake itself defines the part, or lacks it. What it only
    inherits is right, even if its words are not the solution's. A mistake that defines nothing
    itself has no such parts, so there all differences are marked.
    """
    pairs = {part.name: [part, None] for part in right}
    for part in wrong:
        pairs.setdefault(part.name, [None, None])[1] = part
    defines_nothing = all(part.is_inherited or part.name == HEAD for part in wrong)
    rows: list[dict] = []
    for name, (one, other) in pairs.items():
        if rows:
            rows.append({"right": None, "wrong": None, "differs": False})
        is_own = other is None or not other.is_inherited
        is_fault = name != HEAD and (is_own or defines_nothing)
        rows += _pair_rows(one, other, is_fault, highlight)
    return rows


def _pair_rows(
    one: Part | None, other: Part | None, is_fault: bool, highlight: Callable[[str], str]
) -> Iterator[dict]:
    right, wrong = (part.lines if part else [] for part in (one, other))
    shown = [part.json_lines(highlight) if part else [] for part in (one, other)]
    matcher = difflib.SequenceMatcher(None, right, wrong, autojunk=False)
    for kind, first, last, other_first, other_last in matcher.get_opcodes():
        for number, other_number in _aligned(
            right, range(first, last), wrong, range(other_first, other_last)
        ):
            sides = [
                lines[at] if at is not None else None
                for lines, at in zip(shown, (number, other_number), strict=True)
            ]
            is_comment = other_number is None and right[number].lstrip().startswith("#")
            differs = kind != "equal" and is_fault and not is_comment
            yield {"right": sides[0], "wrong": sides[1], "differs": differs}


def _aligned(right: list[str], some: range, wrong: list[str], others: range):
    """Pairs of line numbers. Of two blocks, the first lines or the last lines stand together."""
    if some and others and len(some) != len(others):
        likeness = [_likeness(right[some[at]], wrong[others[at]]) for at in (0, -1)]
        if likeness[1] > likeness[0]:
            return [*zip_longest(reversed(some), reversed(others))][::-1]
    return zip_longest(some, others)


def _likeness(one: str, other: str) -> float:
    return difflib.SequenceMatcher(None, one, other, autojunk=False).ratio()
