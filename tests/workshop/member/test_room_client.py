"""The connection of a workshop to its room, against a real WebSocket server."""

import asyncio
import json
from contextlib import asynccontextmanager, suppress

import pytest
from websockets.asyncio.server import serve

from lessons.workshop.course.lesson_index import find
from lessons.workshop.member import membership, room_client
from lessons.workshop.member.membership import Membership
from lessons.workshop.member.protocol import (
    FromStudent,
    Message,
    Reading,
    Standing,
    State,
    decode,
    encode,
)
from lessons.workshop.member.room_client import RoomClient
from lessons.workshop.student.progress import Progress

TIMEOUT = 60  # seconds; only a test that fails waits this long
STATE = {"type": "state"}


@pytest.fixture(autouse=True)
def no_pause(state_dir, monkeypatch):
    for pause in ("MAX_PAUSE", "REFUSED_PAUSE"):
        monkeypatch.setattr(room_client, pause, 0.01)


class FakeRoom:
    """A room that remembers what it receives."""

    def __init__(self):
        self.connections, self.frames = [], []

    async def handle(self, connection):
        assert connection.request.headers["Authorization"] == "Bearer secret"
        assert "Origin" not in connection.request.headers
        self.connections.append(connection)
        await self.say()
        async for text in connection:
            self.frames.append(decode(text, FromStudent))

    async def say(self, **values):
        await self.connections[-1].send(encode(State(**values)))

    @property
    def states(self):
        """The states of the standings that were received, in order."""
        found = [frame for frame in self.frames if isinstance(frame, Standing)]
        return [(one.lesson, one.state) for one in found]


@asynccontextmanager
async def running_room():
    room = FakeRoom()
    async with serve(room.handle, "127.0.0.1", 0) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        membership.save(Membership(url, "secret", "Ann", "Monday"))
        yield room


@asynccontextmanager
async def running_client():
    """The workshop's side of the class that it has joined, connected."""
    client = RoomClient(membership.read())
    client.task = asyncio.create_task(client.run())
    try:
        await until(lambda: client.link == "connected")
        yield client
    finally:
        client.task.cancel()
        with suppress(asyncio.CancelledError, ExceptionGroup):
            await client.task


async def until(condition):
    async with asyncio.timeout(TIMEOUT):
        while not condition():  # noqa: ASYNC110 - a file, which sets no event
            await asyncio.sleep(0.005)


def change(slug, state):
    return {find(slug).key: Progress(state, was_green=True)}


async def test_sends_each_standing_that_changes_and_everything_after_a_new_connection():
    async with running_room() as room, running_client() as client:
        await client.report(change("stop", "green"))
        await until(lambda: room.states == [("stop", "green")])
        await client.report(change("group", "green"))
        await until(lambda: room.states[1:] == [("group", "green")])
        await client.send(Reading("group"))
        await until(lambda: room.frames[2:] == [Reading("group")])
        await room.connections[0].close(1011)
        await until(lambda: len(room.frames) == 6)
        assert sorted(room.states[2:]) == [("group", "green"), ("stop", "green")]
        assert room.frames[5] == Reading("group")


async def test_dismissed_messages_stay_dismissed_and_later_ones_are_shown():
    messages = [Message(5, "<b>Hi"), Message(6, "Break")]
    async with running_room() as room:
        async with running_client() as client:
            await room.say(messages=messages[:1])
            await until(lambda: client.messages == messages[:1])
            await client.dismiss(5)
        async with running_client() as client:
            await room.say(messages=messages)
            await until(lambda: client.messages == messages[1:])


@pytest.mark.parametrize("code", [4401, 4404])
async def test_a_class_that_has_ended_shows_and_holds_nothing_any_more(code):
    async with running_room() as room, running_client() as client:
        await room.say(messages=[Message(5, "Hi")], held=["hints"], today=["stop"], hand=True)
        await until(lambda: membership.is_held("hints"))
        await room.connections[0].close(code)
        await until(lambda: client.link == "ended")
        assert (client.state, client.membership.held) == (State(), [])
        assert not membership.is_held("hints")
        assert membership.todays_lessons() == ()
        assert len(room.connections) == 1


async def test_what_is_held_and_todays_lessons_stay_without_a_connection():
    async with running_room() as room, running_client():
        await room.say(held=["solutions"], today=["stop", "group"])
        await until(lambda: membership.is_held("solutions"))
    assert not membership.is_held("hints")
    assert membership.todays_lessons() == (find("stop"), find("group"))


HOSTILE = [
    "[" * 100_000,
    "null",
    '{"type": "shutdown"}',
    '{"type": "state", "held": 1}',
    json.dumps({**STATE, "held": ["everything"]}),
    json.dumps({**STATE, "messages": [{"id": 1, "text": "x" * 2_001}]}),
    json.dumps({**STATE, "messages": [{"id": True, "text": "x"}]}),
    json.dumps({**STATE, "look": {"id": 1, "lesson": "stop", "fragment": "../x"}}),
    json.dumps({**STATE, "timer": {"seconds": "soon", "label": "", "is_break": False}}),
]


async def test_a_lesson_that_this_workshop_does_not_have_is_left_out():
    async with running_room() as room, running_client() as client:
        look = {"id": 1, "lesson": "../../etc"}
        await room.say(today=["javascript:alert(1)", "stop"], look=look, hand=True)
        await until(lambda: client.state.hand)
        assert (client.membership.today, client.state.look) == (["stop"], None)


async def test_a_hostile_frame_ends_the_connection_and_changes_nothing():
    async with running_room() as room, running_client() as client:
        before = membership.read()
        for count, text in enumerate(HOSTILE, 2):
            await room.connections[-1].send(text)
            await until(lambda count=count: len(room.connections) == count)
            assert membership.read() == before
            assert not client.task.done()


def test_only_this_user_may_read_the_membership(state_dir, known):
    membership.save(known)
    assert (state_dir / "room.json").stat().st_mode & 0o777 == 0o600
    assert "secret" not in repr(membership.read())


@pytest.mark.parametrize("text", ["", "[]", '{"url": 1}', "[" * 100_000])
def test_a_damaged_file_counts_as_no_membership(state_dir, text):
    (state_dir / "room.json").write_text(text)
    assert membership.read() is None
