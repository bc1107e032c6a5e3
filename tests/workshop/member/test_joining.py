"""The request with which a workshop joins a class, and what a student reads if it fails."""

import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace

import pytest
from django.core.management import call_command

from lessons.workshop.course.lesson_index import find
from lessons.workshop.member import membership
from lessons.workshop.member.joining import Wish, is_readable, join_class, normal_url
from lessons.workshop.member.protocol import Refused
from lessons.workshop.page.exercise.exercise_state import exercise_json
from lessons.workshop.page.live.feed import new_feed_id
from lessons.workshop.student import progress
from tests.support.join_server import JOINED
from tests.support.join_server import answering_room as room

pytestmark = pytest.mark.usefixtures("state_dir")


@pytest.fixture
def hold(known):
    """`hold("hints")`: join a class whose instructor holds this back."""
    return lambda *held: membership.save(replace(known, held=list(held)))


def join(url, **values):
    return join_class(Wish(**{"url": url, "code": "K7QM-3XTD", "name": "Ann", **values}))


def test_joins_and_keeps_what_the_room_gives():
    with room(200, {**JOINED, "today": ["stop", "of another course"]}) as (url, requests):
        found = join(url, shares_code=True)
    assert found == membership.read()
    assert membership.todays_lessons() == (find("stop"),)
    assert (found.token, found.school_class, found.shares_code) == ("secret", "Monday", True)
    assert requests == [("/room/join/", {"code": "K7QM-3XTD", "name": "Ann"})]


NOT_A_ROOM = "no room answers"
REFUSED = [  # what the student typed, the room's status and answer, the field, and the text
    ({"url": "javascript:alert(1)"}, 200, JOINED, "url", "is not the address of a room"),
    ({"url": "x" * 400}, 200, JOINED, "url", "is not the address of a room"),
    ({}, 404, b"<h1>nginx</h1>", "url", NOT_A_ROOM),
    ({}, 302, b"", "url", NOT_A_ROOM),
    ({}, 503, b"", "url", NOT_A_ROOM),
    ({}, 200, b"[1]", "url", NOT_A_ROOM),
    ({}, 200, {**JOINED, "token": "a\r\nX-Evil: 1"}, "url", NOT_A_ROOM),
    ({}, 400, {"error": "No class has this code.", "field": "code"}, "code", "No class has"),
    ({}, 400, {"error": "The name Ann is taken.", "field": "name"}, "name", "Ann is taken"),
    ({}, 400, {"error": "no"}, "", "no"),
    ({}, 400, {"error": "no", "field": "<img>"}, "url", NOT_A_ROOM),
]


@pytest.mark.parametrize("typed, status, answer, field, text", REFUSED)
def test_a_failure_says_what_is_wrong_with_which_value(typed, status, answer, field, text):
    failure = pytest.raises(Refused, match=text)
    with room(status, answer) as (url, _), failure as error:
        join(**{"url": url, **typed})
    assert error.value.field == field


def test_an_address_without_a_scheme_means_https_except_on_this_machine():
    assert normal_url("room.example:9000") == "https://room.example:9000"
    assert normal_url("localhost:9000/room/") == "http://localhost:9000"
    assert is_readable("http://10.0.0.1:9000")
    assert not is_readable("http://127.0.0.1:9000")


def test_a_room_that_does_not_answer_is_refused():
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))  # no other program can listen there
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(Refused, match="does not answer"):
            join(url)
    assert membership.read() is None


def test_a_second_click_joins_once():
    """Two requests at once, of which the room answers the first slowly."""
    with room(200, JOINED) as (url, requests):
        with ThreadPoolExecutor() as pool:
            list(pool.map(join, [url, url]))
        assert len(requests) == 1


@pytest.mark.parametrize("action", ["hint", "solution"])
def test_the_terminal_shows_nothing_that_is_held(action, hold, capsys):
    hold("hints", "solutions")
    with suppress(SystemExit):
        call_command("lesson", action, "stop")
    assert membership.NOT_RELEASED in capsys.readouterr().out
    assert progress.of(find("stop")).hints == 0


@pytest.mark.django_db
def test_the_page_shows_no_hint_and_no_solution_that_is_held(client, hold, monkeypatch):
    monkeypatch.setattr(progress, "of", lambda _: progress.Progress("green", was_green=True))
    hold("hints", "solutions")
    answer = client.post("/lessons/03-stop/hint/")
    assert answer.json() == {"error": membership.NOT_RELEASED}
    shown = exercise_json(find("stop"))
    assert (shown["hints"], shown["solution"]) == ([], None)
    assert shown["held"] == ["hints", "solutions"]
    assert progress.of(find("stop")).hints == 0


STANDINGS = {  # the progress, and whether the solution is open: before it is held, and after
    "new": (progress.Progress(), False, False),
    "green": (progress.Progress("green", was_green=True), True, False),
    "read": (progress.Progress("red", is_read=True), True, True),
}


@pytest.mark.django_db
@pytest.mark.parametrize("standing, free, held", STANDINGS.values(), ids=STANDINGS)
def test_source_and_comparison_are_open_as_long_as_the_solution_is(
    client, hold, monkeypatch, standing, free, held
):
    monkeypatch.setattr(progress, "of", lambda _: standing)
    client.get("/lessons/03-stop/")
    feed = new_feed_id(client.session.session_key)
    what = {"feed": feed, "target": "solution", "mistake": "DoesNotRaise"}

    def is_open():
        return {
            exercise_json(find("stop"))["solution"] is not None,
            client.get("/lessons/03-stop/source/", what).status_code == 200,
            client.get("/lessons/03-stop/compare/", what).json()["code"] is not None,
        }

    assert is_open() == {free}
    hold("solutions")
    assert is_open() == {held}
