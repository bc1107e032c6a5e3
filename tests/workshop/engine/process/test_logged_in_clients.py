"""A client with a user or a session, in a check and in a conversation."""

import dataclasses
import json
from textwrap import dedent

import pytest
from channels.auth import AuthMiddlewareStack
from channels.consumer import AsyncConsumer
from channels.db import database_sync_to_async
from channels.exceptions import StopConsumer

from lessons.workshop.course.lesson_index import find
from lessons.workshop.engine.process.conversation import play
from lessons.workshop.engine.process.target import Target
from lessons.workshop.engine.recording.redaction import HIDDEN
from lessons.workshop.engine.world.database import fresh_database
from lessons.workshop.engine.world.student_module import (
    application_for,
    load_subject,
    reload_subject,
)
from lessons.workshop.judge import StrictCommunicator


class UserReport(AsyncConsumer):
    async def websocket_connect(self, event):
        user, session = self.scope["user"], self.scope["session"]
        may = await database_sync_to_async(user.has_perm)("auth.change_user")
        cart = await session.aget("cart")
        await self.send({"type": "websocket.accept"})
        await self.send({"type": "websocket.send", "text": f"{user} {may} {cart}"})

    async def websocket_disconnect(self, event):
        raise StopConsumer()


@pytest.fixture
async def database():
    async with fresh_database() as fresh:
        yield fresh


async def greeting(headers=()):
    async with StrictCommunicator(AuthMiddlewareStack(UserReport.as_asgi()), "/", headers) as one:
        await one.connect()
        return await one.receive_from()


async def test_a_client_has_the_user_permissions_or_session_that_it_was_given(database):
    assert await greeting(await database.log_in("ada")) == "ada False None"
    assert await greeting(await database.log_in("ada", "auth.change_user")) == "ada True None"
    assert await greeting(await database.log_in("grace")) == "grace False None"
    assert await greeting(await database.start_session(cart=3)) == "AnonymousUser False 3"
    assert await greeting() == "AnonymousUser False None"


async def test_no_transcript_contains_the_session_key(database):
    headers = await database.log_in("ada")
    key = headers[0][1].partition(b"=")[2].decode()
    async with StrictCommunicator(AuthMiddlewareStack(UserReport.as_asgi()), "/", headers) as one:
        await one.connect()
        assert len(key) == 32
        assert one.transcript[0].message["headers"] == [(b"cookie", HIDDEN.encode())]
        assert key not in json.dumps([event.as_json() for event in one.transcript])
        one.unread.clear()


async def test_each_database_is_empty():
    for _ in range(2):
        async with fresh_database() as database:
            assert await greeting() == "AnonymousUser False None"
            await database.add_account("ada")


FILE = """
    from channels.consumer import AsyncConsumer

    class Gate(AsyncConsumer):
        pass

    async def application(scope, receive, send):
        scope["seen"].append({seen})
    """


async def seen_by(application):
    seen = []
    await application({"type": "websocket", "seen": seen}, None, None)
    return seen


async def test_an_application_in_a_file_wraps_its_consumer(tmp_path):
    source = dedent(FILE.format(seen="id(Gate)"))
    target = Target("trial", tmp_path / "gate.py", "Gate", "AsyncConsumer", source)
    subject = load_subject(target)
    reloaded = reload_subject(subject)
    assert reloaded is not subject
    for one in (subject, reloaded):
        application = application_for(one, find("accept"))
        assert application.consumer_class is one
        assert await seen_by(application) == [id(one)]


async def test_a_lesson_may_name_a_stack(database):
    lesson = find("accept")
    stacked = dataclasses.replace(lesson)
    stacked.__dict__["_fields_and_text"] = ({"stack": "channels.auth.AuthMiddlewareStack"}, "")
    headers = await database.log_in("ada")
    async with StrictCommunicator(application_for(UserReport, stacked), "/", headers) as one:
        await one.connect()
        assert await one.receive_from() == "ada False None"


def test_a_conversation_may_have_a_logged_in_client_with_an_origin():
    steps = ["connect as=ada origin=http://a.test", "close 1001"]
    lesson = find("accept")
    events = play(lesson, lesson.demo, steps)
    assert events[0].message["headers"] == [
        (b"cookie", HIDDEN.encode()),
        (b"origin", b"http://a.test"),
    ]
