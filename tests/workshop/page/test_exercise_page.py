"""A student's exercise on its page: the verdict, hints, the solution, and the reset."""

import re

import pytest

from lessons.workshop.engine.faults.finding import Finding
from lessons.workshop.engine.recording.events import Event
from lessons.workshop.judge.verdict import Outcome, Verdict
from lessons.workshop.student import progress

PART = {"X-Part": "exercise"}
CONNECT = Event(
    1, 0.0, "client", "in", {"type": "websocket.connect"}, "T", "websocket_connect", "c"
)
BYTES = {"type": "websocket.send", "bytes": b"\x00\xff"}
SENT = Event(2, 0.0, "client", "out", BYTES, "T", "websocket_receive", "c")


@pytest.fixture
def lamp(course, settings):
    settings.WORKSHOP = True
    return course[0]


def url(lesson, action=""):
    return f"/lessons/{lesson.key}/{action}"


def part(client, lesson):
    response = client.get(url(lesson, "exercise/"))
    assert response.status_code == 200
    return response.content.decode()


def post(client, lesson, action):
    return client.post(url(lesson, action), headers=PART).content.decode()


def keep(lesson, state="green", *findings, output=""):
    outcomes = [Outcome("test_a", "It lights.", state)] if not findings else []
    for finding in findings:
        outcomes.append(Outcome("test_b", "It ends.", "red", finding, (CONNECT, SENT)))
    progress.save_verdict(lesson, Verdict(lesson.key, "exercise", tuple(outcomes), output=output))


@pytest.mark.django_db
def test_the_panel_alone_equals_the_panel_on_the_page(client, lamp):
    keep(lamp, "red", Finding("no-stop-consumer", "it", line=4))
    token = re.compile(r'value="\w{64}"')
    whole = client.get(url(lamp)).content.decode()
    assert token.sub("", part(client, lamp)) in token.sub("", whole)


def test_shows_the_first_finding_in_full_and_counts_the_others(client, lamp):
    first, other = Finding("no-stop-consumer", "it"), Finding("no-accept", "it", line=7)
    keep(lamp, "red", first, other, output="printed text")
    shown = part(client, lamp)
    assert "<i>client</i><i>→</i><code><b>websocket.connect</b></code>" in shown
    assert r"<b>websocket.send</b>  bytes: b'\x00\xff'" in shown
    assert "1 more claim is red. Repair this one first." in shown
    assert "printed text" in shown


def test_shows_hints_one_by_one_and_keeps_them(client, lamp):
    assert "Begin with" not in part(client, lamp)
    assert "Begin with" in post(client, lamp, "hint/")
    second = post(client, lamp, "hint/")
    assert "Hint 2 of 3" in second
    assert "Begin with" in second
    assert 'id="hint"' not in post(client, lamp, "hint/")
    assert progress.of(lamp).hints == 3


def test_offers_the_solution_after_the_last_hint_and_says_what_it_costs(client, course, lamp):
    for shown in [part(client, lamp), *(post(client, lamp, "hint/") for _ in range(2))]:
        assert 'id="show-solution"' not in shown
    assert "this lesson counts as <em>read</em>, not as solved" in post(client, lamp, "hint/")
    shown = post(client, lamp, "solution/")
    assert 'id="solution" open' in shown
    assert "You have read this lesson." in shown
    assert f'href="{url(course[1])}"' in shown
    keep(lamp)
    assert "You have read this lesson." not in part(client, lamp)


def test_a_reset_keeps_the_students_version_and_names_it(client, lamp):
    original = lamp.exercise.read_text()
    lamp.exercise.write_text("# mine")
    keep(lamp, "red")
    shown = post(client, lamp, "reset/")
    assert lamp.exercise.read_text() == original
    backup = progress.state_dir().parent / re.search(r"<code>(work/01_lamp\.2.*)</code>", shown)[1]
    assert backup.read_text() == "# mine"
    assert progress.of(lamp).state == "new"


@pytest.mark.parametrize("action", ["hint/", "reset/", "solution/"])
def test_without_javascript_a_form_returns_to_the_exercise(client, lamp, action):
    response = client.post(url(lamp, action))
    assert response["Location"] == f"{url(lamp)}#exercise"
