"""The conversation of a claim of the verdict, as the page plays it."""

import pytest
from django.test import Client

from lessons.workshop.course.lesson_index import find
from lessons.workshop.judge.runner import judge
from lessons.workshop.page.live.feed import new_feed_id
from lessons.workshop.student import progress

LESSON = find("stop")


@pytest.fixture(scope="module")
def verdict():
    return judge(LESSON, "mistake:DoesNotRaise")


@pytest.fixture
def page(db, state_dir, verdict):
    """A client that has opened lesson 3, whose exercise has the verdict on a mistake."""
    progress.save_verdict(LESSON, verdict)
    client = Client()
    client.get("/lessons/03-stop/")
    client.feed = new_feed_id(client.cookies["sessionid"].value)
    return client


def failing(page, claim, **changes):
    return page.get("/lessons/03-stop/judged/", {"feed": page.feed, "claim": claim} | changes)


def types(recording):
    return [event["message"]["type"] for event in recording["events"]]


def test_shows_the_students_events_beside_the_solutions_and_where_they_part(page):
    outcomes = progress.of(LESSON).verdict["outcomes"]
    claim = [one["state"] for one in outcomes].index("red")
    answer = failing(page, claim).json()
    assert answer["title"] == "The consumer did not stop when its client had left"
    assert answer["steps"][0]["action"] == "connect"
    right, wrong = answer["differs"]["right"], answer["differs"]["wrong"]
    assert types(answer["expected"])[:right] == types(answer["received"])[:right]
    assert types(answer["expected"])[right] == "finished"
    assert types(answer["received"])[wrong:] == ["cancelled"]


@pytest.mark.parametrize("claim", ["99", "-1", "x"])
def test_a_claim_without_a_conversation_is_refused_with_the_reason(page, claim):
    response = failing(page, claim)
    assert response.status_code == 400
    assert response.json() == {
        "error": "The last verdict holds no conversation of this claim. Save again."
    }
