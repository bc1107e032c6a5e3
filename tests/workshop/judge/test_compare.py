"""A page compares a mistake with the solution."""

import json

import pytest

from lessons.workshop.course.lesson_index import find
from lessons.workshop.course.mistakes import read_mistakes
from lessons.workshop.engine.recording.events import Event
from lessons.workshop.judge.study import compared_mistake
from lessons.workshop.judge.study.recordings import Recording

pytestmark = pytest.mark.django_db

STOP = find("stop")


@pytest.fixture
def ask(client, own_feed):
    """`ask("stop", mistake=...)`: the answer to a page of this session."""

    def get(slug, **parameters):
        path = f"/lessons/{find(slug).key}/compare/"
        return client.get(path, {"feed": own_feed, **parameters}).json()

    return get


def written(steps):
    return [step["step"] for step in steps]


def types(side):
    return [event["message"]["type"] for event in side["events"]]


def test_shows_the_first_difference_with_the_diagnosis(ask):
    answer = ask("stop", mistake="StopsWithoutAClose")
    assert written(answer["steps"]) == ["connect", "text 7"]
    assert answer["differs"] == {"right": 5, "wrong": 5}
    assert types(answer["right"])[5:] == ["websocket.close", "websocket.disconnect", "finished"]
    assert types(answer["wrong"])[5:] == ["finished"]
    assert answer["diagnosis"]["title"] == "The consumer stopped, and the socket stayed open"


# What differs in each conversation: an event of this lane, or nothing.
JOINS, REPLIES, EQUAL = ("connect",), ("connect", "text on"), ("connect", "close")
LANES = {JOINS: "layer", REPLIES: "client"}


@pytest.mark.parametrize(
    ("conversations", "shown"),
    [([JOINS, REPLIES], REPLIES), ([EQUAL, JOINS], JOINS), ([EQUAL], None)],
)
def test_prefers_a_difference_that_a_client_sees(monkeypatch, conversations, shown):
    def record(lesson, target, steps):
        message = {"type": target if steps in LANES else "same"}
        lane = LANES.get(steps, "client")
        return Recording((Event(1, 0.0, lane, "out", message, "main", None, "a"),))

    monkeypatch.setattr(compared_mistake, "record", record)
    monkeypatch.setattr(compared_mistake, "lesson_conversations", lambda *_: conversations)
    found = compared_mistake.find_comparison(STOP, read_mistakes(STOP)[0])
    assert (found and found.steps) == shown


def test_plays_the_conversation_of_the_claim_if_none_of_the_lesson_differs(ask):
    answer = ask("stop", mistake="CountsForEveryone")
    clients = ["connect", "2 connect"]
    assert written(answer["steps"]) == [*clients, "text 5", "2 text 5", "text 5"]
    assert answer["claim"]
    assert answer["differs"]


def test_a_recording_that_was_json_does_not_differ_from_itself():
    headers = [(b"sec-websocket-protocol", b"weather.celsius")]
    scope = {"type": "scope", "headers": headers, "client": ("127.0.0.1", 50001)}
    event = Event(1, 0.0, "consumer", "mark", scope, "main", None, "a")
    copy = Event.from_json(json.loads(json.dumps(event.as_json())))
    assert copy.message != scope  # JSON has no tuples
    assert compared_mistake.find_first_difference([event], [copy]) is None
