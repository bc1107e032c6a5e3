"""`manage.py doctor`: what each check says about a machine, and how the report shows it."""

import io

import pytest
from django.core.management import call_command

from lessons.workshop.course.lesson_index import Lesson
from lessons.workshop.setup import redis_server
from lessons.workshop.terminal import doctor
from lessons.workshop.terminal.doctor import OK, OPTIONAL, WRONG, Row
from lessons.workshop.terminal.terminal_output import open_console

NAMES = ["Environment", "work/", ".workshop/", "Database", "Redis", "Judge"]


@pytest.mark.django_db
def test_everything_that_is_required_works_in_the_environment_of_the_tests():
    report = io.StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("doctor", stdout=report)
    rows = [line.split()[:2] for line in report.getvalue().splitlines() if line[:1].islower()]
    assert (ended.value.code, [name for _, name in rows]) == (0, NAMES)
    assert {state for state, _ in rows} <= {OK, OPTIONAL}


def test_an_environment_without_what_is_new_is_wrong_and_the_cure_installs_it(monkeypatch):
    for name in ("is_inside", "is_stale"):
        monkeypatch.setattr(doctor, name, lambda: True)
    row = doctor.environment()
    assert (row.state, row.cure) == (WRONG, "deactivate; python3 manage.py lesson")


def test_a_folder_that_cannot_be_written_is_wrong(tmp_path, monkeypatch):
    monkeypatch.setattr(doctor, "PROJECT_DIR", tmp_path)
    assert doctor.folder("work") == Row("work/", OK, "Is created when needed.")
    (tmp_path / "work").touch()
    assert doctor.folder("work").state == WRONG


@pytest.mark.parametrize(
    "url, binaries, state",
    [("", [], OPTIONAL), ("", ["x"], OK), ("redis://127.0.0.1:1/0", ["x"], WRONG)],
)
def test_redis_is_wrong_only_if_its_url_leads_to_none(settings, monkeypatch, url, binaries, state):
    settings.REDIS_URL = url
    monkeypatch.setattr(redis_server, "find_binaries", lambda: binaries)
    assert doctor.redis().state == state


def test_a_green_exercise_proves_that_the_judge_does_not_work(monkeypatch):
    monkeypatch.setattr(Lesson, "original", Lesson.solution)
    row = doctor.judge()
    assert (row.state, "It is green." in row.text) == (WRONG, True)


def test_a_wrong_row_ends_with_1_and_its_command_is_not_wrapped(monkeypatch):
    monkeypatch.setattr(doctor, "judge", lambda: Row("Judge", WRONG, "word " * 40, "command " * 20))
    for name in ("environment", "database", "redis"):
        monkeypatch.setattr(doctor, name, lambda: Row("Name", OK, "Works."))
    report = io.StringIO()
    assert doctor.examine(open_console(report)) == 1
    assert "command " * 20 in report.getvalue()
