"""The connection of a server to the room, from joining a class to leaving it."""

import asyncio
import logging
from typing import ClassVar

import pytest

from lessons.workshop.member import membership, room_client, room_link
from lessons.workshop.member.room_link import RoomLink

TIMEOUT = 60  # seconds; only a test that fails waits this long


@pytest.fixture(autouse=True)
def no_pause(state_dir, monkeypatch):
    monkeypatch.setattr(room_link, "WATCH_INTERVAL", 0.005)


class FakeClient(room_client.RoomClient):
    """A client that connects to nothing."""

    made: ClassVar[list] = []
    failure = None

    async def run(self):
        self.made.append(self.membership.school_class)
        if self.failure:
            raise self.failure
        self.link = "connected"
        self.changed()
        await asyncio.Event().wait()


@pytest.fixture(autouse=True)
def made(monkeypatch):
    """The classes of the clients that were made, in order."""
    monkeypatch.setattr(room_link, "RoomClient", FakeClient)
    monkeypatch.setattr(FakeClient, "made", [])
    return FakeClient.made


@pytest.fixture
async def link():
    running = RoomLink()
    running.start()
    yield running
    running.stop()


async def until(link, condition):
    """Wait until the condition holds for what the link publishes to the pages."""
    async with asyncio.timeout(TIMEOUT):
        while not condition(link.client):
            await link.changed.wait()


def is_connected(client):
    return client and (client.link, client.membership.school_class) == ("connected", "Monday")


async def test_serves_a_later_membership_until_the_student_leaves(link, made, known):
    membership.save(known)
    await until(link, is_connected)
    membership.forget()
    await until(link, lambda client: client is None)
    assert made == ["Monday"]


async def test_sends_everything_again_when_the_student_decides_to_share_code(link, made, known):
    membership.save(known)
    await until(link, is_connected)
    membership.change(known, shares_code=True)
    await until(link, lambda _: made == ["Monday", "Monday"])


async def test_logs_a_failure_and_the_next_page_starts_it_again(link, known, monkeypatch, caplog):
    monkeypatch.setattr(FakeClient, "failure", RuntimeError("broken"))
    membership.save(known)
    await asyncio.wait([link._task], timeout=TIMEOUT)
    [record] = [one for one in caplog.records if one.levelno >= logging.ERROR]
    assert record.message.startswith("The connection to the class has failed.")
    assert record.exc_info
    assert link.client is None
    monkeypatch.setattr(FakeClient, "failure", None)
    link.start()
    await until(link, is_connected)
