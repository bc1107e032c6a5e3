"""The first request that a page offers for an exercise is one that its solution accepts."""

import pytest

from lessons.workshop.course.lesson_index import ACCOUNTS, lessons
from lessons.workshop.engine.script.steps import Step
from lessons.workshop.judge.study.compared_mistake import is_playable
from lessons.workshop.judge.study.predictions import predictions
from lessons.workshop.judge.study.recordings import record
from lessons.workshop.page.views.openings import openings

OVER_WEBSOCKET = [
    lesson for lesson in lessons() if lesson.path.startswith("/ws/") and is_playable(lesson)
]


def connect_step(lesson):
    opening = openings(lesson, predictions(lesson))["exercise"]
    path, _, query = opening["path"].partition("?")
    ticket = opening["handshake"].pop("ticket", "")
    known = [ticket, opening["account"], *(it.account for it in lesson.clients)]
    account = next(filter(None, known), "")
    given = {
        **opening["handshake"],
        "path": path if path != lesson.path else "",
        "query": query,
        "subprotocols": [it for it in opening["subprotocols"].split(", ") if it],
        "ticket" if ticket else "as": account if account in ACCOUNTS else account and "student",
    }
    return Step("connect", {name: value for name, value in given.items() if value})


@pytest.mark.parametrize("lesson", OVER_WEBSOCKET, ids=lambda lesson: lesson.slug)
def test_a_solution_accepts_the_first_request_of_its_page(lesson):
    events = record(lesson, "solution", [str(connect_step(lesson))]).events
    assert "websocket.accept" in [event.message.get("type") for event in events]
