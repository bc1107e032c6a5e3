"""What may import what, where import-linter cannot look: a lesson's folder is no package."""

import ast
import sys

import pytest
from django.conf import settings

from lessons.core import catalogue

# asgiref comes with Django, and the only home of sync_to_async and ThreadSensitiveContext is there.
PLAIN = {"django", "channels", "asgiref", *sys.stdlib_module_names}
# What the lessons on the database keep there; an exercise has no tables of its own.
MODELS = {"db_demo.models"}
DEMOS = ("sync_demo", "async_demo", "layers_demo", "auth_demo", "db_demo")
FILES = [file for demo in DEMOS for file in (settings.BASE_DIR / demo).rglob("*.py")]
FILES += [
    file
    for lesson in catalogue.lessons()
    for file in (lesson.original, lesson.solution, lesson.mistakes)
]


def imported(file) -> set[str]:
    """The modules that the file names in its imports."""
    names = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module or ".")
    return names


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}/{file.name}")
def test_what_a_student_may_copy_is_plain_channels(file):
    own = set(file.relative_to(settings.BASE_DIR).parts[:1]) & set(DEMOS)
    assert {name.partition(".")[0] for name in imported(file) - MODELS} <= PLAIN | own


@pytest.mark.parametrize("lesson", catalogue.lessons(), ids=lambda lesson: lesson.key)
def test_a_check_knows_of_ours_the_checking_alone(lesson):
    for name in imported(lesson.check) - MODELS:
        top = name.partition(".")[0]
        assert top in PLAIN or name.startswith("lessons.judge")
