"""`manage.py doctor`: what each check says about a machine, and how the report shows it."""

import subprocess
import sys

import pytest

from lessons.workshop.setup import virtual_environment
from lessons.workshop.terminal import cluster, doctor, project_checks
from lessons.workshop.terminal.doctor import OK, OPTIONAL, WRONG, Row
from tests.support.modes import SHARED

SECRET = "a-password-that-no-report-shows"


@pytest.fixture
def project(tmp_path, monkeypatch):
    """An empty project, whose Python is the one of the tests."""
    for name, file in {"PROJECT": "", "VENV": ".venv", "REQUIREMENTS": "requirements.txt"}.items():
        monkeypatch.setattr(virtual_environment, name, tmp_path / file)
    return tmp_path


def test_a_python_that_is_too_old_is_wrong(monkeypatch):
    assert doctor.python().state == OK
    monkeypatch.setattr(sys, "version_info", (3, 10, 13))
    row = doctor.python()
    assert (row.state, row.cure) == (WRONG, "python3.12 manage.py doctor")


def test_a_missing_environment_is_wrong_and_the_cure_creates_it(project, monkeypatch):
    monkeypatch.setattr(doctor, "has_packages", lambda: False)
    monkeypatch.setattr(virtual_environment, "is_complete", lambda: False)
    row = doctor.environment()
    assert (row.state, row.cure) == (WRONG, "python3 manage.py lesson")
    assert row.text.startswith("There is no .venv yet.")


@pytest.mark.parametrize(
    "line, state, text",
    [
        ("a==1 ; sys_platform == 'amiga'", OK, "As locked"),
        ("lacking==1", WRONG, "lacking (not installed)"),
        ("django==0.1", WRONG, "django ("),
    ],
)
def test_packages_must_be_those_that_are_locked(project, monkeypatch, line, state, text):
    monkeypatch.setattr(virtual_environment, "is_inside", lambda: True)
    (project / "requirements.txt").write_text(line)
    row = project_checks.packages()
    assert row.state == state
    assert text in row.text
    assert row.cure == ("rm -rf .venv && python3 manage.py lesson" if state == WRONG else "")


def test_a_folder_that_cannot_be_written_is_wrong(project):
    assert doctor.folder("work") == Row("work/", OK, "Is created when needed.")
    (project / "work").touch()
    assert doctor.folder("work").state == WRONG


@pytest.mark.parametrize(
    "url, binaries, state",
    [("", [], OPTIONAL), ("", ["x"], OK), (f"redis://:{SECRET}@127.0.0.1:1/0", ["x"], WRONG)],
)
def test_redis_is_wrong_only_where_redis_url_leads_to_none(
    settings, monkeypatch, url, binaries, state
):
    settings.REDIS_URL = url
    monkeypatch.setattr(cluster.redis_server, "find_binaries", lambda: binaries)
    row = project_checks.redis()
    assert row.state == state
    assert SECRET not in str(row)


@pytest.mark.parametrize(
    "code, stdout, stderr, state, text",
    [
        (1, "  ✗ a claim\nred  Lesson 1 accept", "", OK, "red, as it must be"),
        (0, "green  Lesson 1 accept", "", WRONG, "must be red"),
        (1, "", "Traceback:\n  File x\nOSError: no room\n", WRONG, "OSError: no room"),
    ],
)
def test_a_red_exercise_proves_that_the_judge_works(monkeypatch, code, stdout, stderr, state, text):
    seen = {}

    def run(command, variables):
        seen.update(variables)
        return subprocess.CompletedProcess([], code, stdout.encode(), stderr.encode())

    for name, value in {**SHARED, "REDIS_URL": "x", "DATABASE_URL": "y"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(doctor, "_run", run)
    row = doctor.judge(sys.executable)
    assert row.state == state
    assert text in row.text
    assert seen.keys().isdisjoint({*SHARED, "REDIS_URL", "DATABASE_URL"})


def test_the_report_wraps_texts_but_no_command_and_ends_with_what_to_repair(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    rows = [Row("Python", OK, "3.13."), Row("Packages", WRONG, "word " * 30, "command " * 20)]
    first, *text, command, _, summary = doctor.as_text(rows, "ascii").splitlines()
    assert first == "ok        Python       3.13."
    assert text[0].startswith("wrong     Packages     word word")
    assert max(map(len, text)) <= 80
    assert command.strip() == ("command " * 20).strip()
    assert summary == "Repair this: Packages."
