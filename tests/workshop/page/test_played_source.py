"""The source of what a lesson's page plays."""

import pytest

from lessons.workshop.course.lesson_index import find
from lessons.workshop.page.live.page_socket import new_feed_id
from lessons.workshop.student import progress
from lessons.workshop.student.progress import Progress

pytestmark = pytest.mark.django_db

URL = "/lessons/01-lamp/source/"


@pytest.fixture(autouse=True)
def workshop(settings, course):
    settings.WORKSHOP = True


@pytest.fixture
def source(client):
    """`source("exercise")`: the server's answer to a page of the client's session."""
    session = client.session
    session.create()
    client.cookies["sessionid"] = session.session_key

    def get(target, feed=None):
        feed = new_feed_id(session.session_key) if feed is None else feed
        return client.get(URL, {"feed": feed, "target": target})

    return get


def test_the_exercise_is_the_whole_file_of_the_student(source):
    find("lamp").exercise.write_text("X = 1\n\n\nclass Lamp:\n    def on(self):\n        pass\n")
    answer = source("exercise").json()
    assert answer["place"].endswith("work/01_lamp.py:1")
    assert [line["number"] for line in answer["lines"]] == [1, 2, 3, 4, 5, 6]
    assert [line["method"] for line in answer["lines"]] == ["", "", "", "", "on", "on"]


def test_a_file_with_a_syntax_error_has_lines_without_methods(source):
    find("lamp").exercise.write_text("class Lamp(:\n    <b>\n")
    answer = source("exercise").json()
    assert [line["method"] for line in answer["lines"]] == ["", ""]
    assert "&lt;" in answer["lines"][1]["html"]


def test_the_solution_is_shown_once_the_exercise_was_green(source, monkeypatch):
    assert source("solution").json() == {
        "error": "You can use the solution once your exercise was green, or once you have read it."
    }
    monkeypatch.setattr(progress, "of", lambda lesson: Progress(was_green=True))
    assert source("solution").status_code == 200


def test_a_stranger_gets_no_source(source):
    assert source("exercise", feed=new_feed_id("their0session0key")).status_code == 404
