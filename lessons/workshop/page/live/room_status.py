"""Sends an open page the state of the class that this workshop has joined.

Only a workshop on a student's own machine joins a class: one with several users has no membership.
"""

import json
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from urllib.parse import quote, urlencode

from django.conf import settings
from django.urls import reverse
from msgspec.structs import asdict

from lessons.workshop.course.lesson_index import UnknownLesson, find
from lessons.workshop.engine.script.steps import split_steps
from lessons.workshop.member.protocol import MAX_LABEL, Hand, Place, Poll, Reading, Vote
from lessons.workshop.member.room_client import RoomClient
from lessons.workshop.member.room_link import RoomLink, link
from lessons.workshop.setup.network_access import Mode

LESSON_STEPS = ("predict", "see", "do")
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


async def class_news() -> AsyncIterator[dict]:
    """`{"class": page_state()}` whenever it changes. A page begins without a class."""
    link = room_link()
    changed = link.join()
    sent = json.dumps(None)
    try:
        while True:
            changed.clear()
            state = page_state(link.client)
            if sent != (sent := json.dumps(state)):
                yield {"class": state}
            await changed.wait()
    finally:
        link.leave(changed)


async def take_from_page(frame: dict) -> None:
    """What the student does in the class. A page sends one of these:

    {"type": "hand", "text": "a sentence"}, or null to lower the hand
    {"type": "reading", "lesson": "03-stop"}
    {"type": "dismiss", "id": 7}
    {"type": "vote", "poll": 9, "round": 1, "answer": "A"}
    {"type": "vote", "poll": 9, "round": 1, "given": ["0"], "never": ["1"]}

    `given` are the ticked boxes ("2:0" is client 2 and the first card), or the cards in the
    student's order; `never` are the cards left out.
    """
    client = room_link().client
    if client is None:
        return
    match frame:
        case {"type": "hand", "text": str() | None as text}:
            await client.send(Hand(text and text[:MAX_LABEL]))
        case {"type": "reading", "lesson": str(key)}:
            with suppress(UnknownLesson):
                await client.send(Reading(find(key).slug))
        case {"type": "dismiss", "id": int(number)}:
            await client.dismiss(number)
        case {"type": "vote"}:
            await _vote(client, frame)


async def _vote(client: RoomClient, frame: dict) -> None:
    """Send the vote to the room, if the poll still asks what the page has answered."""
    poll = client.state.poll
    if not poll or (poll.id, poll.round) != (frame.get("poll"), frame.get("round")):
        return
    match frame:
        case {"answer": str(answer)} if not poll.lesson:
            await client.send(Vote(poll.id, poll.round, answer))
        case {"given": [*given], "never": [*never]} if poll.lesson:
            if all(isinstance(one, str) for one in (*given, *never)):
                sides = [" ".join(given), " ".join(never)]
                answer = " | ".join(sides) if never else sides[0]
                await client.send(Vote(poll.id, poll.round, answer))


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
        "look": state.look and _look(state.look.id, state.look.place),
        "poll": state.poll and _poll(state.poll),
    }


def _look(id: int, place: Place) -> dict:
    lesson = find(place.lesson)
    fragment, detail = "", ""
    if place.mistake:
        fragment, detail = f"#mistake-{quote(place.mistake)}", f", mistake {place.mistake}"
    elif place.conversation:
        steps = [("step", step) for step in split_steps(place.conversation)]
        fragment, detail = f"#{urlencode(steps)}", ", a conversation"
    elif place.step in LESSON_STEPS:
        fragment, detail = f"#{place.step}", f", {place.step.title()}"
    return {
        "id": id,
        "url": reverse("lesson", args=[lesson.key]) + fragment,
        "text": f"lesson {lesson.number} {lesson.slug}{detail}",
    }


def _poll(poll: Poll) -> dict:
    """`question` is the URL of a lesson's question; `text` is the question that the class has."""
    known = {name: getattr(poll, name) for name in ("id", "round", "state", "options", "voted")}
    if not poll.lesson:
        return {**known, "text": poll.text, "url": None, "question": None}
    lesson, number = find(poll.lesson), poll.question
    return {
        **known,
        "text": f"lesson {lesson.number} {lesson.slug}, question {number}",
        "url": f"{reverse('lesson', args=[lesson.key])}#question-{number}",
        "question": reverse("prediction_question", args=[lesson.key, number]),
    }
