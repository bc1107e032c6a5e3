"""A lesson's mistakes as they stand in their file, which is read and not run."""

import ast
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from lessons.core.catalogue import Lesson

_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


@dataclass(frozen=True)
class Mistake:
    """One mistake: its name, what was misunderstood, and the id of what it is diagnosed as."""

    name: str
    misunderstood: str
    diagnosis: str

    @property
    def words(self) -> str:
        """`GoesOnAfterTheRefusal` and `test_goes_on_after...` in words."""
        name = self.name.removeprefix("test_").replace("_", " ")
        words = [_in_a_sentence(word) for word in _HUMP.sub(" ", name).split()]
        text = " ".join(words)
        return text[:1].upper() + text[1:]


def _in_a_sentence(word: str) -> str:
    is_short_for_more = len(word) > 1 and word[:2].isupper()  # ORM, NaN is not
    return word if is_short_for_more else word.lower()


def wrong_versions(lesson: Lesson) -> tuple[Mistake, ...]:
    """All of them, in the order of the file; none where it cannot be read."""
    try:
        return _read(lesson.mistakes, lesson.mistakes.stat().st_mtime_ns)
    except (OSError, SyntaxError):
        return ()


@lru_cache(maxsize=64)
def _read(file: Path, saved: int) -> tuple[Mistake, ...]:
    body = ast.parse(file.read_text(encoding="utf-8")).body
    diagnoses = dict(found for node in body if (found := _diagnosis_given(node)))
    versions = []
    for node in body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            own = dict(found for inner in node.body if (found := _diagnosis_given(inner)))
            diagnosis = own.get("") or diagnoses.get(node.name)
            if diagnosis:
                told = " ".join((ast.get_docstring(node) or "").split())
                versions.append(Mistake(node.name, told, diagnosis))
    return tuple(versions)


def _diagnosis_given(node: ast.AST) -> tuple[str, str] | None:
    """Whose diagnosis an assignment gives, and its id; in a class body, whose is clear."""
    if not isinstance(node, ast.Assign) or not isinstance(node.value, ast.Constant):
        return None
    target = node.targets[0]
    if isinstance(target, ast.Name) and target.id == "diagnosis":
        return "", node.value.value
    if isinstance(target, ast.Attribute) and target.attr == "diagnosis":
        return getattr(target.value, "id", ""), node.value.value
    return None
