"""`manage.py doctor`: what each check says about a machine, and how the report shows it."""

import sys

import pytest

from lessons.workshop.course.lesson_index import Lesson
from lessons.workshop.setup import virtual_environment
from lessons.workshop.terminal import cluster, doctor, project_checks
from lessons.workshop.terminal.doctor import OK, OPTIONAL, WRONG, Row

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
    "solved, state, text", [(False, OK, "red, as it must be"), (True, WRONG, "It is green.")]
)
def test_a_red_exercise_proves_that_the_judge_works(monkeypatch, solved, state, text):
    if solved:
        monkeypatch.setattr(Lesson, "original", Lesson.solution)
    row = project_checks.judge()
    assert (row.state, text in row.text) == (state, True)


def test_the_report_wraps_texts_but_no_command(monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "80")
    rows = [Row("Python", OK, "3.13."), Row("Judge", WRONG, "word " * 30, "command " * 20)]
    assert doctor.show(rows)
    first, *text, command = capsys.readouterr().out.splitlines()
    assert first == "ok        Python       3.13."
    assert text[0].startswith("wrong     Judge        word word")
    assert max(map(len, text)) <= 80
    assert command.strip() == ("command " * 20).strip()
