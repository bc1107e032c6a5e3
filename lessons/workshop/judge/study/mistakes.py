"""Reads the mistakes of a lesson from the source of its mistakes.py, without running it."""

import ast
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from lessons.workshop.course.lesson_index import Lesson
from lessons.workshop.course.source_code import read_python

_WORD_START = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


@dataclass(frozen=True)
class Mistake:
    """One mistake: the name in the file, what the author misunderstood, the diagnosis's id."""

    name: str
    explanation: str
    diagnosis: str

    @property
    def title(self) -> str:
        """The name as words: `AlwaysRepeats` and `test_always_repeats` are "Always repeats"."""
        name = self.name.removeprefix("test_").replace("_", " ")
        text = " ".join(_lower(word) for word in _WORD_START.sub(" ", name).split())
        return text[:1].upper() + text[1:]


def _lower(word: str) -> str:
    is_abbreviation = len(word) > 1 and word[:2].isupper()  # as ORM, but not NaN
    return word if is_abbreviation else word.lower()


def read_mistakes(lesson: Lesson) -> tuple[Mistake, ...]:
    """All mistakes in the order of the file; none if the file cannot be read."""
    try:
        return _read(lesson.mistakes, lesson.mistakes.stat().st_mtime_ns)
    except (OSError, SyntaxError):
        return ()


@lru_cache(maxsize=64)
def _read(file: Path, saved: int) -> tuple[Mistake, ...]:
    body = ast.parse(read_python(file)).body
    diagnoses = dict(found for node in body if (found := _assigned_diagnosis(node)))
    mistakes = []
    for node in body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            inner = dict(found for one in node.body if (found := _assigned_diagnosis(one)))
            diagnosis = inner.get("") or diagnoses.get(node.name)
            if diagnosis:
                explanation = " ".join((ast.get_docstring(node) or "").split())
                mistakes.append(Mistake(node.name, explanation, diagnosis))
    return tuple(mistakes)


def _assigned_diagnosis(node: ast.AST) -> tuple[str, str] | None:
    """The name and the id in `name.diagnosis = "id"`; the name is "" in `diagnosis = "id"`."""
    if not isinstance(node, ast.Assign) or not isinstance(node.value, ast.Constant):
        return None
    target = node.targets[0]
    if isinstance(target, ast.Name) and target.id == "diagnosis":
        return "", node.value.value
    if isinstance(target, ast.Attribute) and target.attr == "diagnosis":
        return getattr(target.value, "id", ""), node.value.value
    return None
