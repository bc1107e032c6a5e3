"""A class of the room for tests: rows of the database, pages, a student's machine, a board.

`new_class` and `new_student` are for async tests, `make_class` and `make_student` for other tests.
"""

import json
from contextlib import asynccontextmanager
from importlib import import_module

from channels.db import database_sync_to_async
from channels.testing import WebsocketCommunicator
from django.conf import settings
from django.contrib.auth import login
from django.contrib.auth.models import User
from django.http import HttpRequest
from django.test import Client

from lessons.workshop.member import class_codes
from lessons.workshop.room.models import Class, Poll, Student, Vote
from lessons.workshop.room.routing import websocket_application
from lessons.workshop.room.store.joining import Joined, join
from lessons.workshop.room.store.reports import NewReport, save_reports

TIMEOUT = 60  # seconds; only a server that is broken needs so long
HOST = (b"host", b"localhost")
PASSWORD = "a long password of these tests"
INSTRUCTOR = "instructor of these tests"
RED = {
    "outcomes": [
        {"claim": "It accepts.", "state": "green", "finding": None},
        {
            "claim": "It ends.",
            "state": "red",
            "finding": {"diagnosis": "no-stop-consumer", "message": "It goes on.", "detail": "≠ x"},
        },
    ],
    "problem": None,
}


def make_class(name="Monday", **values) -> Class:
    return Class.objects.create(name=name, code=class_codes.new_code(), **values)


def make_student(found: Class, name="Ann", shares_code=True) -> Student:
    return join(found.code, name, "", shares_code).student


new_class = database_sync_to_async(make_class)


@database_sync_to_async
def new_student(school_class: Class, name="Ann", shares_code=False) -> Joined:
    return join(school_class.code, name, "", shares_code)


def send_report(student: Student, sequence=1, **values) -> None:
    """Store a report of this student, by default a red verdict on lesson 3."""
    values = {"verdict": RED, "code": "class Operator: pass", **values}
    details = report(sequence, **values)
    assert save_reports([NewReport(student.pk, "laptop", details)]) == [True]


def vote(poll: Poll, student: Student, answer: str, round=1) -> None:
    Vote.objects.create(poll=poll, student=student, round=round, answer=answer)


def logged_in(is_staff=True, **options) -> Client:
    """A client of a new user."""
    name = INSTRUCTOR if is_staff else "user of these tests"
    user = User.objects.create_user(name, password=PASSWORD, is_staff=is_staff)
    client = Client(**options)
    client.force_login(user)
    return client


@database_sync_to_async
def session_cookie(name="instructor", is_staff=True) -> tuple[bytes, bytes]:
    """The header of a browser in which this user, new or known, is logged in."""
    user, _ = User.objects.get_or_create(username=name, defaults={"is_staff": is_staff})
    request = HttpRequest()
    request.session = import_module(settings.SESSION_ENGINE).SessionStore()
    login(request, user, settings.AUTHENTICATION_BACKENDS[0])
    request.session.save()
    return b"cookie", f"{settings.SESSION_COOKIE_NAME}={request.session.session_key}".encode()


class RoomClient(WebsocketCommunicator):
    """One socket of the room. `frames` holds what was received and not yet asked for."""

    def __init__(self, path: str, headers):
        super().__init__(websocket_application, path, [HOST, *headers])

    async def open(self) -> bool:
        accepted, self.code = await self.connect(timeout=TIMEOUT)
        return accepted

    async def say(self, type: str, **values) -> None:
        await self.send_to(text_data=json.dumps({"type": type, **values}))

    async def next(self, *types: str) -> dict:
        """The next frame of one of these types; others are discarded."""
        while True:
            event = await self.receive_output(TIMEOUT)
            assert event["type"] == "websocket.send", event
            frame = json.loads(event["text"])
            if not types or frame["type"] in types:
                return frame

    async def close_code(self) -> int:
        """The code with which the room closes; frames before it are discarded."""
        while True:
            event = await self.receive_output(TIMEOUT)
            if event["type"] == "websocket.close":
                return event["code"]


def student_client(token: str, *headers) -> RoomClient:
    authorization = (b"authorization", f"Bearer {token}".encode())
    return RoomClient("/room/student/", [authorization, *headers])


@asynccontextmanager
async def student_socket(joined: Joined, device="laptop", after=0):
    """A student's machine that has said hello. `welcome` is the answer."""
    client = student_client(joined.token)
    assert await client.open()
    await client.say("hello", device=device, after=after)
    client.welcome = await client.next("welcome")
    try:
        yield client
    finally:
        await client.disconnect()


def board_client(school_class: Class, cookie, origin=b"http://localhost") -> RoomClient:
    headers = [cookie, (b"origin", origin)]
    return RoomClient(f"/ws/room/board/{school_class.pk}/", headers)


@asynccontextmanager
async def board_socket(school_class: Class):
    """A board that has received its snapshot, as `snapshot`."""
    client = board_client(school_class, await session_cookie())
    assert await client.open()
    client.snapshot = await client.next("snapshot")
    try:
        yield client
    finally:
        await client.disconnect()


def report(sequence=1, **values) -> dict:
    """The values of a valid report."""
    return {
        "sequence": sequence,
        "lesson": "stop",
        "state": "red",
        "was_green": False,
        "is_read": False,
        "hints": 0,
        "verdict": None,
        "code": None,
        **values,
    }
