"""The sandbox says what it cannot do, and judges as the usual process does."""

import os
import shutil
import subprocess
import sys
import tempfile
import warnings
from dataclasses import replace

import pytest

from lessons.workshop.course.lesson_index import PROJECT_DIR, find
from lessons.workshop.engine.process import child_process, system_calls
from lessons.workshop.grading import sandbox as sandbox_module
from lessons.workshop.grading import submission
from lessons.workshop.grading.sandbox import Sandbox, find_sandbox
from lessons.workshop.grading.submission import NOT_JUDGED, judge_submission
from lessons.workshop.judge.runner import judge
from lessons.workshop.setup.external_programs import BUBBLEWRAP
from tests.support.submissions import LESSON, WITHOUT_BUBBLEWRAP, bubblewrap, judge_code


@pytest.fixture
def forks(monkeypatch):
    """The judging process is a copy of this one, so it has what a test has replaced.

    If earlier tests have left threads behind, it would be started in another way.
    """
    monkeypatch.setattr(child_process, "start_method", lambda: "fork")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of a fork with threads
        yield


@pytest.fixture
def program(tmp_path, monkeypatch):
    """Replaces `bwrap` by a shell script, or by nothing."""

    def replace(script: str | None) -> None:
        monkeypatch.setenv("PATH", str(tmp_path))
        if script is not None:
            file = tmp_path / "bwrap"
            file.write_text(f"#!/bin/sh\n{script}\n")
            file.chmod(0o755)
        find_sandbox.cache_clear()

    yield replace
    find_sandbox.cache_clear()


@pytest.mark.parametrize("key", ["stop", "http", "delivery", "ticket", "replay"])
def test_judges_a_solution_as_the_usual_process_does(key):
    lesson = find(key)
    usual = judge(lesson, "solution")
    found = judge_submission(lesson, lesson.solution, sandbox=bubblewrap())
    assert found.state == "green"
    assert [it.claim for it in found.verdict.outcomes] == [it.claim for it in usual.outcomes]


def test_judges_a_mistake_as_the_usual_process_does():
    usual = judge(LESSON, str(LESSON.original))
    found = judge_submission(LESSON, LESSON.original, sandbox=bubblewrap())
    assert found.state == "red"
    assert [it.state for it in found.verdict.outcomes] == [it.state for it in usual.outcomes]
    assert found.verdict.diagnosis_ids == usual.diagnosis_ids
    assert found.verdict.findings[0].line == usual.findings[0].line
    assert found.verdict.findings[0].file == "exercise.py"


def test_without_bubblewrap_the_warning_names_the_package(program):
    program(None)
    found = find_sandbox()
    assert not found.uses_bubblewrap
    assert found.warning.startswith("There is no bubblewrap on this machine.")
    assert BUBBLEWRAP.how_to_install() in found.warning
    assert "in a container: see lessons/guides/grading.md" in found.warning


def test_where_namespaces_are_forbidden_the_warning_says_so(program):
    program("echo 'bwrap: No permissions to create new namespace' >&2; exit 1")
    found = find_sandbox()
    assert not found.uses_bubblewrap
    assert "bwrap: No permissions to create new namespace." in found.warning
    assert "This system forbids namespaces to this user." in found.warning


def test_a_verdict_without_a_sandbox_carries_the_warning(tmp_path):
    found = judge_code(tmp_path, "", WITHOUT_BUBBLEWRAP)
    assert (found.state, found.warning) == ("green", "no bubblewrap")


def test_a_sandbox_that_does_not_start_is_neither_green_nor_red(program, tmp_path, forks):
    program("echo 'bwrap: Can'\"'\"'t mount proc' >&2; exit 1")
    found = judge_code(tmp_path, "", Sandbox(True))
    assert (found.state, found.reason) == (NOT_JUDGED, submission.SANDBOX_FAILED)
    assert found.detail == "bwrap: Can't mount proc"
    assert found.verdict is None


def test_a_sandbox_without_memory_for_the_player_is_neither_green_nor_red(
    monkeypatch, tmp_path, forks
):
    limits = replace(sandbox_module.SUBMISSION, memory=40 * 1024**2)
    monkeypatch.setattr(sandbox_module, "SUBMISSION", limits)
    found = judge_code(tmp_path, "", bubblewrap())
    assert (found.state, found.reason) == (NOT_JUDGED, submission.SANDBOX_FAILED)


def test_on_another_processor_the_warning_says_what_is_not_refused(monkeypatch):
    bubblewrap()
    monkeypatch.setattr(system_calls.platform, "machine", lambda: "riscv64")
    find_sandbox.cache_clear()
    try:
        assert find_sandbox() == Sandbox(
            True, "On this processor, a submission can start processes."
        )
    finally:
        find_sandbox.cache_clear()


def test_a_judge_that_fails_is_neither_green_nor_red(monkeypatch, tmp_path, forks):
    def fail(*_, **__):
        raise ZeroDivisionError("broken")

    monkeypatch.setattr(submission, "judge", fail)
    found = judge_code(tmp_path, "", WITHOUT_BUBBLEWRAP)
    assert (found.state, found.reason) == (NOT_JUDGED, submission.JUDGE_FAILED)
    assert found.detail == "ZeroDivisionError: broken"


def test_a_verdict_can_be_given_another_file_name():
    found = judge_submission(LESSON, LESSON.original, sandbox=bubblewrap())
    renamed = found.renamed("ben.py")
    assert (renamed.name, renamed.verdict.target) == ("ben.py", "ben.py")
    assert renamed.verdict.findings[0].file == "ben.py"
    assert renamed.verdict.findings[0].line == found.verdict.findings[0].line
    assert "exercise.py" not in repr(renamed)


AS_ANOTHER_USER = """
import django
django.setup()
from lessons.workshop.grading.sandbox import find_sandbox
from tests.support.submissions import LESSON, judge_submission
for file in (LESSON.solution, LESSON.original):
    found = judge_submission(LESSON, file, sandbox=find_sandbox())
    print(found.state, found.reason, found.detail, found.warning)
"""


@pytest.fixture
def folder_of_others():
    """A folder of the user 65534. Other users cannot reach tmp_path."""
    if os.getuid() != 0:
        pytest.skip("Only root can become another user.")
    with tempfile.TemporaryDirectory() as folder:
        os.chown(folder, 65534, 65534)
        yield folder


def test_a_user_without_rights_has_the_same_sandbox(folder_of_others):
    bubblewrap()
    if not (setpriv := shutil.which("setpriv")):
        pytest.skip("There is no setpriv.")
    # setpriv itself still has rights when it starts a program. env has none.
    user = [setpriv, "--reuid=65534", "--regid=65534", "--clear-groups", "env"]

    def run(*command: str) -> subprocess.CompletedProcess:
        settings = {"DJANGO_SETTINGS_MODULE": "lessons.settings", "TMPDIR": folder_of_others}
        options = {"env": os.environ | settings, "capture_output": True, "text": True}
        return subprocess.run([*user, *command], cwd=PROJECT_DIR, timeout=120, **options)

    if run(BUBBLEWRAP.find(), "--ro-bind", "/", "/", "--unshare-user", "true").returncode:
        pytest.skip("This system forbids namespaces to such a user.")
    if run(sys.executable, "-c", "import django, lessons.workshop.course.lesson_index").returncode:
        pytest.skip("Such a user can read neither this Python nor the project.")
    ran = run(sys.executable, "-c", AS_ANOTHER_USER)
    assert (ran.stdout.splitlines(), ran.stderr) == (["green   ", "red   "], "")


def test_without_root_the_sandbox_has_its_own_users(monkeypatch):
    monkeypatch.setattr(sandbox_module.os, "getuid", lambda: 1000)
    assert "--unshare-user" in sandbox_module._bubblewrap([])
    assert "--cap-add" not in sandbox_module._bubblewrap([])
