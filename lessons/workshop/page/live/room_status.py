"""Sends an open page the state of the class that this workshop has joined.

Only a workshop on a student's own machine joins a class: one with several users has no membership.
"""

import asyncio
import json
import logging
import time
from urllib.parse import quote, urlencode

from django.conf import settings
from django.urls import reverse

from lessons.workshop.course.lesson_index import find
from lessons.workshop.engine.script.steps import split_steps
from lessons.workshop.judge.study.recordings import PLAYBACK_ERRORS
from lessons.workshop.member import membership
from lessons.workshop.member.protocol import SWITCHES
from lessons.workshop.member.room_link import RoomLink, link
from lessons.workshop.page.live.page_socket import NewsSocket
from lessons.workshop.page.live.vote import vote_of
from lessons.workshop.setup.network_access import Mode

LESSON_STEPS = ("predict", "see", "do")
LINKS = {
    "connected": "connected",
    "waiting": "waiting for the room",
    "refused": "the room does not know this workshop; ask your instructor",
    "ended": "the class has ended, or your instructor has removed you",
    "other process": "another workshop of this folder is connected",
}

log = logging.getLogger(__name__)


def may_join() -> bool:
    """Whether this workshop may be in a class."""
    return settings.MODE is Mode.LOCAL


def in_class() -> bool:
    """Whether this workshop has joined a class."""
    return may_join() and membership.read() is not None


def room_link() -> RoomLink:
    """The connection to the room. Its thread runs from now on, if it has not been started yet."""
    link.start()
    return link


class ClassFollower(NewsSocket):
    """Sends what `news` makes of the state of the class: at once, and whenever it changes."""

    def news(self, snapshot: dict | None):
        raise NotImplementedError

    def join_class(self):
        self.link = room_link()
        self.start(self.follow())

    async def follow(self):
        changed = self.link.join()
        sent = None
        try:
            while True:
                changed.clear()
                text = json.dumps(self.news(self.link.snapshot))
                if text != sent:
                    await self.send({"type": "websocket.send", "text": text})
                    sent = text
                await changed.wait()
        finally:
            self.link.leave(changed)


class Alive(ClassFollower):
    """A page keeps this socket open, and so learns when the server has ended.

    It sends {"class": true} or {"class": false}: whether this workshop is in a class.
    """

    async def websocket_connect(self, event):
        await self.send({"type": "websocket.accept"})
        if may_join():
            self.join_class()

    def news(self, snapshot):
        return {"class": snapshot is not None}


class RoomStatus(ClassFollower):
    """Sends `page_state` whenever it changes. A page may send:

    {"type": "hand", "raised": true}
    {"type": "dismiss", "id": 7}
    {"type": "vote", "poll": 9, "round": 1, "feed": "...", "given": ["0"], "never": ["1"]}

    `given` and `never` are what `vote_of` takes.
    """

    async def websocket_connect(self, event):
        if not may_join():
            await self.send({"type": "websocket.close"})
            return
        await self.send({"type": "websocket.accept"})
        self.join_class()

    def news(self, snapshot):
        return page_state(snapshot)

    async def websocket_receive(self, event):
        try:
            frame = json.loads(event.get("text") or "")
        except (ValueError, RecursionError):
            return
        match frame:
            case {"type": "hand", "raised": bool(is_raised)}:
                self.link.do(lambda client: client.raise_hand(is_raised))
            case {"type": "dismiss", "id": int(number)}:
                self.link.do(lambda client: client.dismiss(number))
            case {"type": "vote"}:
                await self.vote(frame)

    async def vote(self, frame: dict):
        """Send the vote to the room, if the poll still asks what the page has answered."""
        poll = (self.link.snapshot or {}).get("poll")
        if poll is None or (poll["id"], poll["round"]) != (frame.get("poll"), frame.get("round")):
            return
        feed, *cards = (frame.get(name) for name in ("feed", "given", "never"))
        try:
            if not all(isinstance(one, str) for part in cards for one in part):
                raise ValueError("not the numbers of cards")
            lesson = find(poll["lesson"])
            answer = await asyncio.to_thread(vote_of, lesson, poll["question"], feed, *cards)
        except (ValueError, TypeError, IndexError, *PLAYBACK_ERRORS) as error:
            log.warning("This vote cannot be sent: %s", error)
            return
        self.link.do(lambda client: client.vote(poll["id"], poll["round"], answer))


def page_state(snapshot: dict | None) -> dict | None:
    """What a page shows of the class. None after the student has left it."""
    if snapshot is None:
        return None
    waiting, messages = snapshot["waiting"], snapshot["messages"]
    return {
        "class": snapshot["class"],
        "is_connected": snapshot["link"] == "connected",
        "link": LINKS[snapshot["link"]],
        "problem": snapshot["problem"],
        "waiting": waiting,
        "hand": snapshot["hand"],
        "message": messages[-1] if messages else None,
        "timer": _timer(snapshot["timer"]),
        "look": _look(snapshot["look"]),
        "poll": _poll(snapshot["poll"]),
        "held": dict(zip(SWITCHES, snapshot["held"], strict=True)),
    }


def _timer(timer: dict | None) -> dict | None:
    """Its label, and the seconds that are left now."""
    if timer is None:
        return None
    return {"label": timer["label"], "seconds": max(0.0, timer["ends"] - time.monotonic())}


def _look(place: dict | None) -> dict | None:
    if place is None:
        return None
    lesson = find(place["lesson"])
    fragment, detail = "", ""
    if mistake := place.get("mistake"):
        fragment, detail = f"#mistake-{quote(mistake)}", f", mistake {mistake}"
    elif conversation := place.get("conversation"):
        steps = [("step", step) for step in split_steps(conversation)]
        fragment, detail = f"#{urlencode(steps)}", ", a conversation"
    elif (step := place.get("step")) in LESSON_STEPS:
        fragment, detail = f"#{step}", f", {step.title()}"
    return {
        "id": place["id"],
        "url": reverse("lesson", args=[lesson.key]) + fragment,
        "text": f"lesson {lesson.number} {lesson.slug}{detail}",
    }


def _poll(poll: dict | None) -> dict | None:
    if poll is None:
        return None
    lesson, number = find(poll["lesson"]), poll["question"]
    return {
        "url": f"{reverse('lesson', args=[lesson.key])}#question-{number}",
        "text": f"lesson {lesson.number} {lesson.slug}, question {number}",
        "question": reverse("prediction_question", args=[lesson.key, number]),
        "id": poll["id"],
        "round": poll["round"],
        "state": poll["state"],
        "has_voted": poll["voted"] is not None,
    }
