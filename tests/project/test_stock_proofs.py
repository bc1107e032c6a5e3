"""Each lesson's test module begins with a proof that a reader can take along.

The part above HEADING uses the stock communicators of Channels. Copied with the demos into an empty
Django project, it runs there with pytest and pytest-django.
"""

import ast
import sys

import pytest
from django.conf import settings

from lessons.workshop.course.lesson_index import lessons
from tests.support.programs.separate_pytest import run_pytest

HEADING = "# ── What only the strict communicator sees ──"
DEMOS = ("sync_demo", "async_demo", "layers_demo", "auth_demo", "db_demo")
LIBRARIES = {"pytest", "asgiref", "channels", "django", *DEMOS, *sys.stdlib_module_names}
EMPTY_PROJECT = {
    "settings.py": f"""
SECRET_KEY = "for tests"
ALLOWED_HOSTS = ["*"]
USE_TZ = True
ROOT_URLCONF = "urls"
INSTALLED_APPS = [
    "daphne",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "channels",
    *{DEMOS!r},
]
DATABASES = {{
    "default": {{
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": "db.sqlite3",
        # In a file: Django never closes a connection to a database in memory, and with an open one
        # Channels would use the database in a later test that must not use one.
        "TEST": {{"NAME": "test.sqlite3"}},
    }}
}}
CHANNEL_LAYERS = {{"default": {{"BACKEND": "channels.layers.InMemoryChannelLayer"}}}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
""",
    "urls.py": "urlpatterns = []\n",
    "pytest.ini": "[pytest]\nDJANGO_SETTINGS_MODULE = settings\npythonpath = .\n",
}


def stock_proof_of(lesson):
    return lesson.tests.read_text(encoding="utf-8").partition(HEADING)[0]


ALL = pytest.mark.parametrize("lesson", lessons(), ids=lambda lesson: lesson.slug)


@ALL
def test_a_test_module_separates_its_stock_proof_from_the_strict_tests(lesson):
    assert lesson.tests.read_text(encoding="utf-8").count(f"\n{HEADING}\n") == 1


@ALL
def test_a_stock_proof_imports_the_demo_and_libraries_only(lesson):
    tree = ast.parse(stock_proof_of(lesson))
    modules = [node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    modules += [
        one.name for node in ast.walk(tree) if isinstance(node, ast.Import) for one in node.names
    ]
    assert {module.partition(".")[0] for module in modules} <= LIBRARIES
    assert "channels.testing" in modules


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """What pytest prints in an empty project with the demos and all proofs."""
    project = tmp_path_factory.mktemp("empty_project")
    for name, text in EMPTY_PROJECT.items():
        (project / name).write_text(text, encoding="utf-8")
    for demo in DEMOS:
        (project / demo).symlink_to(settings.BASE_DIR / demo)
    for lesson in lessons():
        text = stock_proof_of(lesson)
        (project / lesson.tests.name).write_text(text, encoding="utf-8")
    return run_pytest(project, "-rA", without=["asyncio", "xdist", "randomly", "cacheprovider"])


@ALL
def test_a_stock_proof_runs_in_an_empty_project(lesson, report):
    name = lesson.tests.name
    passed = [line for line in report.splitlines() if line.startswith(f"PASSED {name}::")]
    tests = [
        node
        for node in ast.parse(stock_proof_of(lesson)).body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    ]
    assert len(tests) >= 2
    assert {line.partition("::")[2].partition("[")[0] for line in passed} == {
        test.name for test in tests
    }, report
    assert f"FAILED {name}" not in report
