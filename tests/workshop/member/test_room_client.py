"""The connection of a workshop to its room, against a real WebSocket server."""

import asyncio
import json
from contextlib import asynccontextmanager, suppress

import pytest
from websockets.asyncio.server import serve

from lessons.workshop.course.lesson_index import find
from lessons.workshop.member import membership, outbox, room_client
from lessons.workshop.member.membership import Membership
from lessons.workshop.member.room_client import RoomClient
from lessons.workshop.student import progress
from lessons.workshop.student.progress import Progress

TIMEOUT = 60  # seconds; only a test that fails waits this long
STATE = {
    "hints_held": [], "solutions_held": [], "hand": False, "look": None, "timer": None,
    "poll": None,
}  # fmt: skip


@pytest.fixture(autouse=True)
def state_dir(tmp_path, monkeypatch):
    monkeypatch.setattr(progress, "state_dir", lambda: tmp_path)
    for pause in ("FIRST_PAUSE", "MAX_PAUSE", "REFUSED_PAUSE"):
        monkeypatch.setattr(room_client, pause, 0.01)
    return tmp_path


class FakeRoom:
    """A room that stores reports, and acknowledges them when a test says so."""

    def __init__(self):
        self.reports, self.hellos, self.frames = {}, [], []
        self.acknowledges = True

    async def handle(self, connection):
        self.connection = connection
        assert connection.request.headers["Authorization"] == "Bearer secret"
        assert "Origin" not in connection.request.headers
        async for text in connection:
            frame = json.loads(text)
            if frame["type"] == "hello":
                self.hellos.append(frame)
                values = {"class": "Monday", "name": "Ann", "state": STATE}
                await self.say("welcome", acknowledged=max(self.reports, default=0), **values)
                continue
            self.frames.append(frame)
            if frame["type"] == "report":
                self.reports[frame["sequence"]] = frame
                if self.acknowledges:
                    await self.say("acknowledged", sequence=frame["sequence"])

    async def say(self, type, **values):
        await self.connection.send(json.dumps({"type": type, **values}))


@asynccontextmanager
async def running_room():
    room = FakeRoom()
    async with serve(room.handle, "127.0.0.1", 0) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        membership.save(Membership(url, "CODE", "secret", "PLACE", "Ann", "Monday", "laptop"))
        yield room


@asynccontextmanager
async def running_client():
    """The workshop's side of the class that it has joined."""
    client = RoomClient(membership.read())
    client.task = asyncio.create_task(client.run())
    try:
        yield client
    finally:
        client.task.cancel()
        with suppress(asyncio.CancelledError, ExceptionGroup):
            await client.task


async def until(condition):
    async with asyncio.timeout(TIMEOUT):
        while not condition():  # noqa: ASYNC110 - a file, which sets no event
            await asyncio.sleep(0.005)


def change(version):
    return {find("stop").key: Progress("red", version=version)}


async def test_a_restart_loses_no_report_that_the_room_has_not_stored():
    async with running_room() as room:
        room.acknowledges = False
        async with running_client() as client:
            for version in (1, 2, 3):
                client.take_progress(change(version))
            await until(lambda: len(room.frames) == 3)
        room.reports.pop(3)
        room.acknowledges = True
        async with running_client():
            await until(lambda: membership.read().acknowledged == 3)
        assert [frame["sequence"] for frame in room.frames] == [1, 2, 3, 3]
        assert room.reports[1]["lesson"] == "stop"
        assert outbox.count("laptop") == 0


async def test_gets_announcements_once_and_asks_for_those_after_the_last():
    async with running_room() as room:
        async with running_client() as client:
            await until(lambda: room.hellos)
            for _ in range(2):
                await room.say("announcement", id=5, kind="message", data={"text": "<b>Hi"})
            await room.say("state", **{**STATE, "hand": True})
            await until(lambda: client.state.hand)  # so both have arrived
        async with running_client() as client:
            await until(lambda: len(room.hellos) == 2)
            assert room.hellos[1]["after"] == 5
            assert client.snapshot()["messages"] == [{"id": 5, "text": "<b>Hi"}]
            client.dismiss(5)
            assert membership.read().messages == []


async def test_goes_on_after_the_room_has_closed_the_socket_until_the_class_ends():
    async with running_room() as room, running_client() as client:
        await until(lambda: client.link == "connected")
        await client.raise_hand(True)
        await until(lambda: room.frames == [{"type": "hand", "raised": True}])
        await room.connection.close(1011)
        client.take_progress(change(1))
        await until(lambda: membership.read().acknowledged == 1)
        await client.vote(7, 2, "0 1 | 2")
        await until(lambda: len(room.frames) == 3)
        assert room.frames[2] == {"type": "vote", "poll": 7, "round": 2, "answer": "0 1 | 2"}
        await room.connection.close(4404)
        await until(lambda: client.link == "ended")
        assert len(room.hellos) == 2


async def test_what_is_held_stays_held_without_a_connection():
    async with running_room() as room, running_client():
        await until(lambda: room.hellos)
        await room.say("state", **{**STATE, "hints_held": ["*"], "solutions_held": ["stop"]})
        await until(lambda: membership.is_held("hints", find("group")))
    assert membership.is_held("solutions", find("stop"))
    assert not membership.is_held("solutions", find("group"))


HOSTILE = [
    "[" * 100_000,
    "null",
    '{"type": "shutdown"}',
    '{"type": "acknowledged", "sequence": -1}',
    '{"type": "acknowledged", "sequence": true}',
    '{"type": "announcement", "id": 1, "kind": "look", "data": {"lesson": "../../etc"}}',
    json.dumps({"type": "announcement", "id": 1, "kind": "message", "data": {"text": "x" * 1001}}),
    json.dumps({"type": "state", **STATE, "look": {"lesson": "javascript:alert(1)"}}),
    json.dumps({"type": "state", **STATE, "timer": {"seconds": "soon"}}),
    '{"type": "state", "hints_held": 1}',
]


async def test_a_hostile_frame_ends_the_connection_and_changes_nothing():
    async with running_room() as room, running_client() as client:
        await until(lambda: room.hellos)
        before = membership.read()
        for count, text in enumerate(HOSTILE, 2):
            await room.connection.send(text)
            await until(lambda count=count: len(room.hellos) == count)
            assert membership.read() == before
            assert not client.task.done()


def test_only_this_user_may_read_the_membership(state_dir):
    membership.save(Membership("http://x", "C", "secret", "P", "Ann", "Monday", "laptop"))
    assert (state_dir / "room.json").stat().st_mode & 0o777 == 0o600
    assert "secret" not in repr(membership.read())


@pytest.mark.parametrize("text", ["", "[]", '{"url": 1}', "[" * 100_000])
def test_a_damaged_file_counts_as_no_membership(state_dir, text):
    (state_dir / "room.json").write_text(text)
    assert membership.read() is None
