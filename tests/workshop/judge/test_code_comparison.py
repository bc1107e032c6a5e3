"""The code of a mistake beside the code of the solution."""

import html
import re
from textwrap import dedent

import pytest
from django.contrib.auth.models import User

from lessons.workshop.course.lesson_index import find, lessons
from lessons.workshop.course.mistakes import read_mistakes
from lessons.workshop.judge.study.code_comparison import aligned_rows, read_parts
from lessons.workshop.page.live.feed import new_feed_id
from lessons.workshop.student import progress

STOP = find("stop")
RIGHT = """
    class Echo(SyncConsumer):
        def connect(self, event):
            self.tries = 3
            self.accept()

        def receive(self, event):
            # The limit.
            if not self.tries:
                return
            self.send("Wrong.")
"""


def rows(folder, right, wrong):
    """The rows as (right, mark, wrong), without indentation and without empty rows."""
    files = []
    for number, text in enumerate((right, wrong)):
        files.append(folder / f"{number}.py")
        files[-1].write_text(dedent(text))
    found = aligned_rows(read_parts(files[0], "Echo"), read_parts(files[1], "Wrong"))
    plain = [(_plain(row["right"]), row["differs"], _plain(row["wrong"])) for row in found]
    return [(one, "≠" if differs else "=", other) for one, differs, other in plain if one or other]


def _plain(line):
    return html.unescape(re.sub("<[^>]*>", "", line["html"])).strip() if line else ""


def test_marks_the_lines_that_the_mistake_changes(tmp_path):
    wrong = """
        class Base(SyncConsumer):
            def connect(self, event):
                self.tries = 3
                self.accept()

        class Wrong(Base):
            '''Forgets the limit.'''

            diagnosis = "wrong-limit"

            def receive(self, event):
                self.send("Wrong.")
    """
    assert rows(tmp_path, RIGHT, wrong) == [
        ("class Echo(SyncConsumer):", "=", "class Wrong(Base):"),
        ("def connect(self, event):", "=", "def connect(self, event):"),
        ("self.tries = 3", "=", "self.tries = 3"),
        ("self.accept()", "=", "self.accept()"),
        ("def receive(self, event):", "=", "def receive(self, event):"),
        ("# The limit.", "=", ""),
        ("if not self.tries:", "≠", ""),
        ("return", "≠", ""),
        ('self.send("Wrong.")', "=", 'self.send("Wrong.")'),
    ]


def test_numbers_are_those_of_the_files():
    found = aligned_rows(
        read_parts(STOP.solution, STOP.exercise_name), read_parts(STOP.mistakes, "DoesNotRaise")
    )
    for side, file in (("right", STOP.solution), ("wrong", STOP.mistakes)):
        lines = file.read_text().split("\n")
        for row in found:
            if row[side]:
                assert _plain(row[side]) == lines[row[side]["number"] - 1].strip()


@pytest.mark.django_db
def test_an_instructor_sees_the_code_of_a_mistake_without_a_verdict(client, monkeypatch, tmp_path):
    monkeypatch.setattr(progress, "state_dir", lambda: tmp_path)
    client.force_login(User.objects.create_user("grace", is_staff=True))
    query = {"feed": new_feed_id(client.session.session_key), "mistake": "DoesNotRaise"}
    code = client.get("/lessons/03-stop/compare/", query).json()["code"]
    assert code["right"].startswith("lessons/03_stop/solution.py:")
    assert [row["wrong"]["method"] for row in code["rows"] if row["differs"]] == [
        "websocket_disconnect"
    ]


@pytest.mark.parametrize("lesson", lessons(), ids=lambda lesson: lesson.slug)
def test_each_mistake_of_the_course_has_a_marked_row(lesson):
    for mistake in read_mistakes(lesson):
        found = aligned_rows(
            read_parts(lesson.solution, lesson.exercise_name),
            read_parts(lesson.mistakes, mistake.name),
        )
        assert any(row["differs"] for row in found), mistake.name
