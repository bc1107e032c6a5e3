"""A class of the room for tests: rows of the database, pages, a student's workshop, a board.

The app of the room is installed in its mode only: see the fixture `room_app`.
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
from msgspec import convert

from lessons.workshop.member import protocol
from lessons.workshop.room import actions
from lessons.workshop.room.joining import join
from lessons.workshop.room.models import Class, Student, Vote
from lessons.workshop.room.routing import websocket_application
from tests.support.standings import standing

TIMEOUT = 60  # seconds; only a server that is broken needs so long
HOST = (b"host", b"localhost")
PASSWORD = "a long password of these tests"
INSTRUCTOR = "instructor of these tests"


def new_student(school_class: Class, name="Ann") -> Student:
    student, student_token = join(school_class.code, name)
    student.token = student_token
    return student


def report(student: Student, *standings: dict) -> None:
    for one in standings or [standing()]:
        actions.save_standing(student, convert(one, protocol.Standing))


def act(class_id: int, values: dict) -> None:
    """Do what a board would ask for with these values."""
    actions.act(class_id, convert(values, actions.Action))


def open_poll(school_class: Class) -> int:
    """The id of a new poll."""
    act(school_class.pk, {"type": "ask", "text": "Done?", "options": "yes, no"})
    school_class.refresh_from_db()
    return school_class.poll["id"]


def vote(poll: int, student: Student, answer: str) -> None:
    Vote.objects.create(poll=poll, student=student, round=1, answer=answer)


def logged_in(is_staff=True) -> Client:
    """A client of a new user."""
    name = INSTRUCTOR if is_staff else "user of these tests"
    user = User.objects.create_user(name, password=PASSWORD, is_staff=is_staff)
    client = Client()
    client.force_login(user)
    return client


def session_cookie(name="instructor", is_staff=True) -> tuple[bytes, bytes]:
    """The header of a browser in which this user, new or known, is logged in."""
    user, _ = User.objects.get_or_create(username=name, defaults={"is_staff": is_staff})
    request = HttpRequest()
    request.session = import_module(settings.SESSION_ENGINE).SessionStore()
    login(request, user, settings.AUTHENTICATION_BACKENDS[0])
    request.session.save()
    return b"cookie", f"{settings.SESSION_COOKIE_NAME}={request.session.session_key}".encode()


in_database = database_sync_to_async


class RoomClient(WebsocketCommunicator):
    """One socket of the room."""

    def __init__(self, path: str, headers):
        super().__init__(websocket_application, path, [HOST, *headers])

    async def open(self) -> bool:
        accepted, _ = await self.connect(timeout=TIMEOUT)
        return accepted

    async def say(self, type: str, **values) -> None:
        await self.send_to(text_data=json.dumps({"type": type, **values}))

    async def until(self, condition) -> dict:
        """The next frame for which the condition holds; others are discarded."""
        while True:
            event = await self.receive_output(TIMEOUT)
            assert event["type"] == "websocket.send", event
            frame = json.loads(event["text"])
            if condition(frame):
                return frame

    async def close_code(self) -> int:
        """The code with which the room closes; frames before it are discarded."""
        while True:
            event = await self.receive_output(TIMEOUT)
            if event["type"] == "websocket.close":
                return event["code"]


def student_client(token: str) -> RoomClient:
    return RoomClient("/room/student/", [(b"authorization", f"Bearer {token}".encode())])


def board_client(school_class: Class, cookie, origin=b"http://localhost") -> RoomClient:
    return RoomClient(f"/ws/room/board/{school_class.pk}/", [cookie, (b"origin", origin)])


@asynccontextmanager
async def opened(client: RoomClient):
    """The client with an open socket; `first` is its first frame."""
    assert await client.open()
    client.first = await client.until(lambda _: True)
    try:
        yield client
    finally:
        await client.disconnect()


@asynccontextmanager
async def room_with_ann():
    """A class, the socket of its student Ann, and a board."""
    monday = await Class.objects.acreate(name="Monday")
    ann = await in_database(new_student)(monday)
    cookie = await in_database(session_cookie)()
    board, student = board_client(monday, cookie), student_client(ann.token)
    async with opened(board), opened(student):
        student.row, student.school_class = ann, monday
        yield board, student
