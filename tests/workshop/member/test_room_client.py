"""The connection of a workshop to its room, against a real WebSocket server."""

import asyncio
import json
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict, replace

import pytest
from websockets.asyncio.server import serve

from lessons.workshop.course.lesson_index import find
from lessons.workshop.member import membership, outbox, room_client
from lessons.workshop.member.membership import Membership, MembershipEnded
from lessons.workshop.member.outbox import Outbox, OutboxFull
from lessons.workshop.member.room_client import RoomClient, idle_snapshot
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
    monkeypatch.setattr(room_client, "FIRST_PAUSE", 0.01)
    monkeypatch.setattr(room_client, "REFUSED_PAUSE", 0.01)
    monkeypatch.setattr(room_client.judge_client, "find_judge", lambda: None)
    return tmp_path


class FakeRoom:
    """A room that stores reports, and breaks when a test says so."""

    def __init__(self):
        self.reports, self.hellos, self.frames = {}, [], []
        self.acknowledges = True
        self.greets_with = None
        self.changed = asyncio.Condition()

    async def handle(self, connection):
        self.connection = connection
        assert connection.request.headers["Authorization"] == "Bearer secret"
        assert "Origin" not in connection.request.headers
        async for text in connection:
            frame = json.loads(text)
            await getattr(self, f"do_{frame['type']}", self.keep)(frame)
            async with self.changed:
                self.changed.notify_all()

    async def keep(self, frame):
        self.frames.append(frame)

    async def do_hello(self, frame):
        self.hellos.append(frame)
        highest = max(self.reports, default=0)
        welcome = {"class": "Monday", "name": "Ann", "acknowledged": highest, "state": STATE}
        await self.say(**(self.greets_with or {"type": "welcome", **welcome}))

    async def do_report(self, frame):
        self.frames.append(frame)
        self.reports.setdefault(frame["sequence"], frame)
        if self.acknowledges:
            await self.say(type="acknowledged", sequence=frame["sequence"])

    async def say(self, **frame):
        await self.connection.send(json.dumps(frame))

    async def until(self, condition):
        async with asyncio.timeout(TIMEOUT), self.changed:
            await self.changed.wait_for(condition)


@asynccontextmanager
async def running_room():
    room = FakeRoom()
    async with serve(room.handle, "127.0.0.1", 0) as server:
        room.port = server.sockets[0].getsockname()[1]
        yield room


@asynccontextmanager
async def running_client(room, **values):
    """A workshop that has joined this room."""
    if membership.read() is None:
        url = f"http://127.0.0.1:{room.port}"
        known = Membership(url, "K7QM-3XTD", "secret", "PLACE", "Ann", "Monday", "laptop")
        membership.save(replace(known, **values))
    client = RoomClient(membership.read())
    task = asyncio.create_task(client.run())
    client.task = task
    try:
        yield client
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError, ExceptionGroup):
            await task


async def until(condition):
    async with asyncio.timeout(TIMEOUT):
        while not condition():  # noqa: ASYNC110 - a file, which sets no event
            await asyncio.sleep(0.005)


def change(version, slug="stop", **values):
    return {find(slug).key: asdict(Progress("red", version=version, **values))}


async def test_reports_each_change_and_forgets_what_is_acknowledged():
    async with running_room() as room, running_client(room) as client:
        client.take_progress(change(1))
        client.take_progress(change(2, hints=1))
        await until(lambda: membership.read().acknowledged == 2)
        assert [room.reports[n]["hints"] for n in (1, 2)] == [0, 1]
        assert room.reports[1]["lesson"] == "stop"
        assert outbox.count("laptop") == 0


async def test_does_not_report_the_same_version_again_after_a_restart():
    async with running_room() as room:
        async with running_client(room) as client:
            client.take_progress(change(1))
            await until(lambda: membership.read().acknowledged == 1)
        async with running_client(room) as client:
            client.take_progress(change(1))
            client.take_progress(change(2))
            await until(lambda: membership.read().acknowledged == 2)
        assert sorted(room.reports) == [1, 2]


async def test_sends_again_after_a_restart_what_was_not_acknowledged():
    async with running_room() as room:
        room.acknowledges = False
        async with running_client(room) as client:
            for version in (1, 2, 3):
                client.take_progress(change(version))
            await room.until(lambda: len(room.frames) == 3)
        room.reports.pop(3)
        room.acknowledges = True
        async with running_client(room):
            await until(lambda: membership.read().acknowledged == 3)
        assert [frame["sequence"] for frame in room.frames] == [1, 2, 3, 3]


async def test_reconnects_and_goes_on_after_the_room_has_closed_the_socket():
    async with running_room() as room, running_client(room) as client:
        await room.until(lambda: room.hellos)
        await room.connection.close(1011)
        client.take_progress(change(1))
        await until(lambda: membership.read().acknowledged == 1)
        assert len(room.hellos) == 2


async def test_gets_announcements_once_and_asks_for_those_after_the_last():
    async with running_room() as room:
        async with running_client(room) as client:
            await room.until(lambda: room.hellos)
            for _ in range(2):
                await room.say(type="announcement", id=5, kind="message", data={"text": "<b>Hi"})
            await room.say(type="state", **{**STATE, "hand": True})
            await until(lambda: client.state.hand)  # so both have arrived
        async with running_client(room) as client:
            await room.until(lambda: len(room.hellos) == 2)
            assert room.hellos[1]["after"] == 5
            assert client.snapshot()["messages"] == [{"id": 5, "text": "<b>Hi"}]
            client.dismiss(5)
            assert membership.read().messages == []


async def test_a_report_that_the_room_refuses_is_not_sent_again():
    async with running_room() as room, running_client(room) as client:
        room.acknowledges = False
        client.take_progress(change(1))
        await room.until(lambda: room.reports)
        await room.say(type="error", text="no", sequence=1)
        await until(lambda: outbox.count("laptop") == 0)


async def test_what_is_held_stays_held_without_a_connection():
    async with running_room() as room, running_client(room):
        await room.until(lambda: room.hellos)
        await room.say(type="state", **{**STATE, "hints_held": ["*"], "solutions_held": ["stop"]})
        await until(lambda: membership.is_held("hints", find("group")))
    assert membership.is_held("solutions", find("stop"))
    assert not membership.is_held("solutions", find("group"))


async def test_sends_hand_and_vote():
    async with running_room() as room, running_client(room) as client:
        await until(lambda: client.link == "connected")
        await client.raise_hand(True)
        await client.vote(7, 2, "0 1 | 2")
        await room.until(lambda: len(room.frames) == 2)
        assert room.frames == [
            {"type": "hand", "raised": True},
            {"type": "vote", "poll": 7, "round": 2, "answer": "0 1 | 2"},
        ]


@pytest.mark.parametrize("code", [4401, 4404])
async def test_does_not_return_after_the_class_or_the_student_was_deleted(code):
    async with running_room() as room, running_client(room) as client:
        await room.until(lambda: room.hellos)
        await room.connection.close(code)
        await until(lambda: client.link == "ended")
        assert len(room.hellos) == 1


@pytest.mark.parametrize("code", [4401, 4404])
async def test_keeps_no_report_for_a_class_that_has_ended(code):
    async with running_room() as room, running_client(room) as client:
        await room.until(lambda: room.hellos)
        await room.connection.close(code)
        await until(lambda: client.link == "ended")
        client.take_progress(change(1))
        assert (len(client.outbox), client.snapshot()["waiting"]) == (0, 0)
    assert outbox.count("laptop") == 0


def test_a_page_beside_another_process_counts_reports_and_reads_none(monkeypatch):
    known = Membership("http://localhost", "C", "secret", "P", "Ann", "Monday", "laptop")
    membership.save(known)
    Outbox(known).add({}, "03-stop", 1)
    monkeypatch.setattr(Outbox, "_read", lambda *_: pytest.fail("a report was read"))
    assert idle_snapshot(known)["waiting"] == 1


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


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
async def test_a_hostile_frame_ends_the_connection_and_changes_nothing(text):
    async with running_room() as room, running_client(room) as client:
        await room.until(lambda: room.hellos)
        before = membership.read()
        await room.connection.send(text)
        await room.until(lambda: len(room.hellos) == 2)
        assert membership.read() == before
        assert not client.task.done()


async def test_an_acknowledgement_of_what_was_never_sent_loses_no_later_report():
    async with running_room() as room, running_client(room) as client:
        await room.until(lambda: room.hellos)
        await room.say(type="acknowledged", sequence=10**9)
        client.take_progress(change(1))
        await until(lambda: membership.read().acknowledged == 1)
        assert sorted(room.reports) == [1]


async def test_a_copied_folder_becomes_another_device():
    async with running_room() as room:
        room.reports = {n: {} for n in (1, 2, 3)}
        async with running_client(room):
            await room.until(lambda: len(room.hellos) == 2)
            assert room.hellos[1]["device"] != "laptop"


async def test_a_membership_that_was_left_ends_the_client():
    async with running_room() as room, running_client(room) as client:
        await room.until(lambda: room.hellos)
        membership.forget()
        client.take_progress(change(1))
        with pytest.raises(ExceptionGroup) as ended:
            await asyncio.wait_for(asyncio.shield(client.task), TIMEOUT)
        assert ended.group_contains(MembershipEnded)


def test_a_full_outbox_says_so(monkeypatch):
    monkeypatch.setattr(outbox, "MAX_REPORTS", 1)
    known = Membership("http://localhost", "C", "secret", "P", "Ann", "Monday", "laptop")
    membership.save(known)
    client = RoomClient(known)
    client.take_progress(change(1))
    client.take_progress(change(2))
    assert client.problem == "1 reports wait. Until the room answers, no more fit."
    with pytest.raises(OutboxFull):
        Outbox(known).add({}, "03-stop", 3)


def test_only_this_user_may_read_the_membership(state_dir):
    membership.save(Membership("http://x", "C", "secret", "P", "Ann", "Monday", "laptop"))
    assert (state_dir / "room.json").stat().st_mode & 0o777 == 0o600
    assert "secret" not in repr(membership.read())


@pytest.mark.parametrize("text", ["", "[]", '{"url": 1}', "[" * 100_000])
def test_a_damaged_file_counts_as_no_membership(state_dir, text):
    (state_dir / "room.json").write_text(text)
    assert membership.read() is None
