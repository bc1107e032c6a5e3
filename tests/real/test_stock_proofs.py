"""A reader can take the proofs of the demos along.

Copied with the demos into an empty Django project, each tests/APP/test_NN_slug.py runs there, with
the conftest.py of its folder. It needs pytest, pytest-django and pytest-asyncio.
"""

import ast
import shutil

import pytest
from django.conf import settings

from lessons.workshop.course.lesson_index import lessons
from tests.support.programs.separate_pytest import run_pytest

DEMOS = ("sync_demo", "async_demo", "layers_demo", "auth_demo", "db_demo")
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
        # In a file: Django never closes a connection to a database in memory.
        "TEST": {{"NAME": "test.sqlite3"}},
    }}
}}
CHANNEL_LAYERS = {{"default": {{"BACKEND": "channels.layers.InMemoryChannelLayer"}}}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
""",
    "urls.py": "urlpatterns = []\n",
    # Before each event, Channels checks the connections that are open in the sync thread. In a test
    # that may not use the database, the check of one that is still open raises.
    "conftest.py": """
import pytest
from asgiref.sync import SyncToAsync
from django.db import connections

@pytest.fixture(autouse=True)
def close_connections_of_the_sync_thread():
    yield
    SyncToAsync.single_thread_executor.submit(connections.close_all).result()
""",
    "pytest.ini": """
[pytest]
DJANGO_SETTINGS_MODULE = settings
pythonpath = .
asyncio_mode = auto
asyncio_default_fixture_loop_scope = function
""",
}


def names_of_tests(file):
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    body = ast.parse(file.read_text(encoding="utf-8")).body
    names = [node.name for node in body if isinstance(node, functions)]
    return {name for name in names if name.startswith("test_")}


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """What pytest prints in an empty project with the demos and all proofs."""
    project = tmp_path_factory.mktemp("empty_project")
    for name, text in EMPTY_PROJECT.items():
        (project / name).write_text(text, encoding="utf-8")
    for demo in DEMOS:
        (project / demo).symlink_to(settings.BASE_DIR / demo)
        tests = settings.BASE_DIR / "tests" / demo
        copy = project / "tests" / demo
        copy.mkdir(parents=True)
        for file in (*tests.glob("conftest.py"), *tests.glob("test_[0-9][0-9]_*.py")):
            shutil.copy(file, copy)
    return run_pytest(project, "-rA", without=["xdist", "randomly", "cacheprovider"])


@pytest.mark.parametrize("lesson", lessons(), ids=lambda lesson: lesson.slug)
def test_a_proof_runs_in_an_empty_project(lesson, report):
    file = f"{lesson.tests.parent.name}/{lesson.tests.name}"
    beginnings = (f"{state} tests/{file}" for state in ("FAILED", "ERROR"))
    assert not any(beginning in report for beginning in beginnings), report
    passed = f"PASSED tests/{file}::"
    lines = [line.removeprefix(passed) for line in report.splitlines() if line.startswith(passed)]
    assert {line.partition("[")[0] for line in lines} == names_of_tests(lesson.tests)
