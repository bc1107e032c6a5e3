"""Import rules for demos and lessons. .ci/run also runs import-linter, which checks packages."""

import ast
import sys
from graphlib import TopologicalSorter

import grimp
import pytest
from django.conf import settings

from lessons.workshop.course import lesson_index

# asgiref is a dependency of Django. sync_to_async and ThreadSensitiveContext exist only there.
ALLOWED = {"django", "channels", "asgiref", *sys.stdlib_module_names}
# Lessons about the database use these models, because an exercise has no tables.
MODELS = {"db_demo.models", "layers_demo.models"}
DEMOS = ("sync_demo", "async_demo", "layers_demo", "auth_demo", "db_demo")
FILES = [file for demo in DEMOS for file in (settings.BASE_DIR / demo).rglob("*.py")]
FILES += [
    file
    for lesson in lesson_index.lessons()
    for file in (lesson.original, lesson.solution, lesson.mistakes)
]


def imported(file) -> set[str]:
    """Return the names of the modules that the file imports."""
    names = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module or ".")
    return names


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}/{file.name}")
def test_files_that_students_copy_import_only_channels(file):
    own = set(file.relative_to(settings.BASE_DIR).parts[:1]) & set(DEMOS)
    assert {name.partition(".")[0] for name in imported(file) - MODELS} <= ALLOWED | own


@pytest.mark.parametrize("lesson", lesson_index.lessons(), ids=lambda lesson: lesson.key)
def test_a_check_imports_only_the_judge(lesson):
    for name in imported(lesson.check) - MODELS:
        top = name.partition(".")[0]
        assert top in ALLOWED or name == "lessons.workshop.judge"


def test_modules_do_not_import_each_other_in_a_circle():
    graph = grimp.build_graph("lessons", cache_dir=None)
    imports = {name: graph.find_modules_directly_imported_by(name) for name in graph.modules}
    TopologicalSorter(imports).prepare()  # raises CycleError, which names the circle


def test_no_folder_of_the_workshop_holds_more_than_sixteen_modules():
    folders = [folder for folder in (settings.BASE_DIR / "lessons").rglob("*/") if folder.is_dir()]
    sizes = {str(folder): len(list(folder.glob("[!_]*.py"))) for folder in folders}
    assert {name: size for name, size in sizes.items() if size > 16} == {}
