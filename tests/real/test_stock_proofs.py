"""A reader can take the proofs of the demos along.

Copied with the demos into an empty Django project, as tests/README.md says, each
tests/APP/test_NN_slug.py runs there, with the conftest.py of its folder.
"""

import ast
import os
import re
import shutil
import subprocess
import sys

import pytest
from django.conf import settings

from lessons.workshop.course.lesson_index import lessons

MAX_SECONDS = 120  # for all proofs
DEMOS = ("sync_demo", "async_demo", "layers_demo", "auth_demo", "db_demo")
README = (settings.BASE_DIR / "tests" / "README.md").read_text(encoding="utf-8")
SETTINGS = """
SECRET_KEY = "for tests"
USE_TZ = True
ROOT_URLCONF = "urls"
"""


def block(kind: str) -> str:
    """A block of code that the README tells a reader to write."""
    return re.search(rf"^```\w+ {kind}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)[1]


def names_of_tests(file):
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    body = ast.parse(file.read_text(encoding="utf-8")).body
    names = [node.name for node in body if isinstance(node, functions)]
    return {name for name in names if name.startswith("test_")}


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """What pytest prints in an empty project with the demos and all proofs."""
    project = tmp_path_factory.mktemp("empty_project")
    (project / "settings.py").write_text(SETTINGS + block("settings"), encoding="utf-8")
    (project / "pytest.ini").write_text(block("pytest"), encoding="utf-8")
    (project / "urls.py").write_text("urlpatterns = []\n", encoding="utf-8")
    (project / "tests").mkdir()
    shutil.copy(settings.BASE_DIR / "tests/auth_demo/conftest.py", project / "tests")
    for demo in DEMOS:
        (project / demo).symlink_to(settings.BASE_DIR / demo)
        tests = settings.BASE_DIR / "tests" / demo
        copy = project / "tests" / demo
        copy.mkdir()
        for file in (*tests.glob("conftest.py"), *tests.glob("test_[0-9][0-9]_*.py")):
            shutil.copy(file, copy)
    plugins = [f"-pno:{name}" for name in ("xdist", "randomly", "cacheprovider")]
    # As in a shell that knows nothing of this project. A warning fails a test.
    names = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-rA", "-W", "error", *plugins],
        cwd=project,
        env=names | {"PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        encoding="utf-8",
        timeout=MAX_SECONDS,
    )
    return done.stdout + done.stderr


@pytest.mark.parametrize("lesson", lessons(), ids=lambda lesson: lesson.slug)
def test_a_proof_runs_in_an_empty_project(lesson, report):
    file = f"{lesson.tests.parent.name}/{lesson.tests.name}"
    beginnings = (f"{state} tests/{file}" for state in ("FAILED", "ERROR"))
    assert not any(beginning in report for beginning in beginnings), report
    passed = f"PASSED tests/{file}::"
    lines = [line.removeprefix(passed) for line in report.splitlines() if line.startswith(passed)]
    assert {line.partition("[")[0] for line in lines} == names_of_tests(lesson.tests)
