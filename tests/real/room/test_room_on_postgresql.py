"""What an instructor deletes while students report, on a database with many writers at a time."""

import subprocess
import sys
from importlib.util import find_spec

import pytest

from lessons.workshop.course.lesson_index import PROJECT_DIR
from tests.support.programs.postgres import TEST_TIMEOUT, Postgres
from tests.support.programs.processes import project_environment
from tests.support.required_programs import skip_or_fail

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no Unix sockets.")

ACTION = """
import sys, django
django.setup()
from lessons.workshop.room.models import Class
from lessons.workshop.member.protocol import Frame
from lessons.workshop.room.store import board_actions, classes
found = Class.objects.get()
if sys.argv[1] == "delete":
    classes.delete_class(found)
else:
    board_actions.act(found.pk, Frame("remove", {"student": found.students.get().pk}, {}))
"""
NEW_CLASS = (
    "INSERT INTO room_class (name, code, created, last_activity, pseudonyms, hints_held, "
    "solutions_held, timer_label, version) "
    "VALUES ('Monday', 'C', now(), now(), false, '[]', '[]', '', 0) RETURNING id"
)
NEW_STUDENT = (
    "INSERT INTO room_student (school_class_id, name, name_key, number, place_digest, joined, "
    "shares_code, lesson, version) VALUES ({}, 'Ann', 'ann', 1, '', now(), false, '', 0) "
    "RETURNING id"
)
NEW_REPORT = (
    "INSERT INTO room_report (student_id, device, sequence, lesson, state, hints, received) "
    "VALUES ({}, 'laptop', 1, 'stop', 'red', 0, now())"
)
WAITING = "SELECT count(*) FROM pg_locks WHERE NOT granted"


@pytest.fixture(scope="module")
def postgres():
    """A server with the tables of a room."""
    if find_spec("psycopg") is None:
        skip_or_fail("There is no psycopg: pip install --require-hashes -r .ci/postgres.txt")
    with Postgres() as server:
        with room_program(server, "manage.py", "migrate", "-v0") as migrating:
            assert migrating.wait(TEST_TIMEOUT) == 0
        yield server


def room_program(server, *words) -> subprocess.Popen:
    settings = {"DJANGO_MODE": "room", "DJANGO_SETTINGS_MODULE": "lessons.settings"}
    environment = project_environment(DATABASE_URL=server.url, **settings)
    command = [sys.executable, *words]
    return subprocess.Popen(
        command, cwd=PROJECT_DIR, env=environment, stderr=subprocess.PIPE, text=True
    )


@pytest.mark.parametrize("action", ["delete", "remove"])
def test_deletes_a_student_whose_report_arrives_at_the_same_time(postgres, action):
    with postgres.session() as room, postgres.session() as report:
        [school_class] = room(NEW_CLASS)
        [student] = room(NEW_STUDENT.format(school_class))
        report("BEGIN")
        report(f"SELECT id FROM room_student WHERE id = {student} FOR UPDATE")
        with room_program(postgres, "-c", ACTION, action) as deleting:
            while room(WAITING) == ["0"] and deleting.poll() is None:
                pass
            report(NEW_REPORT.format(student))
            report("COMMIT")
            _, errors = deleting.communicate(timeout=TEST_TIMEOUT)
        assert (deleting.returncode, errors) == (0, "")
        assert room("SELECT id FROM room_student UNION SELECT id FROM room_report") == []
        room("DELETE FROM room_class")
