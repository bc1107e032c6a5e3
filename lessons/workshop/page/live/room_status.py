"""Sends an open page the state of the class that this workshop has joined.

Only a workshop on a student's own machine joins a class: one with several users has no membership.
"""

import json
import time
from collections.abc import AsyncIterator
from contextlib import suppress

from django.conf import settings
from django.urls import reverse
from msgspec import ValidationError, convert
from msgspec.structs import asdict

from lessons.workshop.course.lesson_index import UnknownLesson, find
from lessons.workshop.member.protocol import Frame, Hand, Id, Look, Poll, Reading, Vote
from lessons.workshop.member.room_client import RoomClient
from lessons.workshop.member.room_link import RoomLink, link
from lessons.workshop.setup.network_access import Mode

LINKS = {
    "connected": "connected",
    "waiting": "waiting for the room",
    "refused": "the room does not know this workshop; ask your instructor",
    "ended": "the class has ended, or your instructor has removed you",
}


def may_join() -> bool:
    """Whether this workshop may be in a class."""
    return settings.MODE is Mode.LOCAL


def room_link() -> RoomLink:
    """The connection to the room. It is served from now on, if it has not been started yet."""
    link.start()
    return link


class Dismiss(Frame, tag="dismiss"):
    """The student has read the messages up to this one."""

    id: Id


async def class_news() -> AsyncIterator[dict]:
    """`{"class": page_state()}` whenever it changes. A page begins without a class."""
    link = room_link()
    sent = json.dumps(None)
    while True:
        changed, state = link.changed, page_state(link.client)
        if sent != (sent := json.dumps(state)):
            yield {"class": state}
        await changed.wait()


async def take_from_page(frame: dict) -> None:
    """What the student does in the class. A page sends one of these:

    {"type": "hand", "text": "a sentence"}, or null to lower the hand
    {"type": "reading", "lesson": "03-stop"}
    {"type": "vote", "poll": 9, "round": 1, "answer": "A"}
    {"type": "dismiss", "id": 7}

    To a lesson's question, the answer has the ticked boxes ("2:0" is client 2 and the first card),
    or the cards in the student's order, then after "|" those that are left out: "2 0 | 1".
    """
    client = room_link().client
    if client is None:
        return
    with suppress(ValidationError, UnknownLesson):
        match convert(frame, Hand | Reading | Vote | Dismiss):
            case Dismiss(number):
                await client.dismiss(number)
            case Reading(key):
                await client.send(Reading(find(key).slug))
            case sent:
                await client.send(sent)


def page_state(client: RoomClient | None) -> dict | None:
    """What a page shows of the class. None after the student has left it."""
    if client is None:
        return None
    known, state = client.membership, client.state
    timer = state.timer and asdict(state.timer)
    if timer:
        timer["seconds"] = max(0.0, timer["seconds"] - (time.monotonic() - client.state_at))
    return {
        "class": known.school_class,
        "is_connected": client.link == "connected",
        "link": LINKS[client.link],
        "hand": state.hand,
        "messages": [asdict(one) for one in client.messages],
        "timer": timer,
        "look": state.look and _look(state.look),
        "poll": state.poll and _poll(state.poll),
    }


def _look(look: Look) -> dict:
    lesson = find(look.lesson)
    return {
        "id": look.id,
        "url": reverse("lesson", args=[lesson.key]) + look.fragment,
        "text": f"lesson {lesson.number} {lesson.slug}{look.detail}",
    }


def _poll(poll: Poll) -> dict:
    """`question` is the URL of a lesson's question; `text` is the question that the class has."""
    if not poll.lesson:
        return {**asdict(poll), "url": None, "question": None}
    lesson, number = find(poll.lesson), poll.question
    return {
        **asdict(poll),
        "text": f"lesson {lesson.number} {lesson.slug}, question {number}",
        "url": f"{reverse('lesson', args=[lesson.key])}#question-{number}",
        "question": reverse("prediction_question", args=[lesson.key, number]),
    }
