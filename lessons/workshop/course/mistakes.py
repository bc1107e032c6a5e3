"""The mistakes of a lesson: classic wrong versions. Their file is read, and never run."""

import ast
import re
from dataclasses import dataclass

from lessons.workshop.course.lesson_index import Lesson
from lessons.workshop.course.source_code import Definition, parse_file

_WORD_START = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


@dataclass(frozen=True)
class Mistake:
    """One mistake: the name in the file, what the author misunderstood, the diagnosis's id."""

    name: str
    explanation: str
    diagnosis: str

    @property
    def title(self) -> str:
        return title_of(self.name)


def title_of(name: str) -> str:
    """The name of a mistake as words: `AlwaysRepeats`, `test_always_repeats` → Always repeats."""
    name = name.removeprefix("test_").replace("_", " ")
    text = " ".join(_lower(word) for word in _WORD_START.sub(" ", name).split())
    return text[:1].upper() + text[1:]


def _lower(word: str) -> str:
    is_abbreviation = len(word) > 1 and word[:2].isupper()  # as ORM, but not NaN
    return word if is_abbreviation else word.lower()


def read_mistakes(lesson: Lesson) -> tuple[Mistake, ...]:
    """All mistakes in the order of the file; none if the file cannot be read."""
    try:
        body = parse_file(lesson.mistakes)[1].body
    except (OSError, SyntaxError, ValueError):
        return ()
    of_functions = dict(filter(None, map(_assigned_diagnosis, body)))
    found = []
    for node in body:
        if isinstance(node, Definition):
            own = dict(filter(None, map(_assigned_diagnosis, node.body)))
            if diagnosis := own.get("") or of_functions.get(node.name):
                explanation = " ".join((ast.get_docstring(node) or "").split())
                found.append(Mistake(node.name, explanation, diagnosis))
    return tuple(found)


def _assigned_diagnosis(node: ast.AST) -> tuple[str, str] | None:
    """The name and the id in `name.diagnosis = "id"`; the name is "" in `diagnosis = "id"`."""
    match node:
        case ast.Assign(targets=[ast.Name(id="diagnosis")], value=ast.Constant(value=name)):
            return "", name
        case ast.Assign(
            targets=[ast.Attribute(value=ast.Name(id=owner), attr="diagnosis")],
            value=ast.Constant(value=name),
        ):
            return owner, name
    return None
