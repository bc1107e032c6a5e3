"""Lesson 10, LeanEcho: its frames do not use the sync thread, and its queries still work."""

import pytest
from asgiref.sync import async_to_sync
from channels.consumer import AsyncConsumer
from channels.db import aclose_old_connections
from channels.testing import WebsocketCommunicator
from django.contrib.auth.models import User

from async_demo.consumers import LeanEcho

PATH = "/ws/async/cost/"


@pytest.fixture
def checks(monkeypatch):
    """A list that gets an item for each check of the database connections."""
    done = []

    async def check():
        done.append("check")
        await aclose_old_connections()

    monkeypatch.setattr("channels.consumer.aclose_old_connections", check)
    return done


@pytest.mark.django_db(transaction=True)
def test_sends_the_number_of_accounts():
    async def conversation():
        for count, name in enumerate(["ada", "grace"]):
            client = WebsocketCommunicator(LeanEcho.as_asgi(), PATH)
            assert await client.connect() == (True, None)
            assert await client.receive_from() == f"There are {count} accounts."
            await client.disconnect()
            await User.objects.acreate(username=name)

    async_to_sync(conversation)()


@pytest.mark.django_db(transaction=True)
def test_a_frame_costs_no_check_of_the_connections(checks):
    class PlainEcho(LeanEcho):
        dispatch = AsyncConsumer.dispatch

    async def conversation(consumer):
        """Return the number of checks after the connect, a frame and the disconnect."""
        counts = []
        client = WebsocketCommunicator(consumer.as_asgi(), PATH)
        await client.connect()
        await client.receive_from()
        counts.append(len(checks))
        await client.send_to(text_data="hello")
        assert await client.receive_from() == "hello"
        counts.append(len(checks))
        await client.disconnect()
        return [*counts, len(checks)]

    assert async_to_sync(conversation)(PlainEcho) == [1, 2, 3]
    checks.clear()
    assert async_to_sync(conversation)(LeanEcho) == [1, 1, 2]


# ── What only the strict communicator sees ──
# The stock communicator hides a missing StopConsumer. The tests below also restart a database and
# count all jobs that the event loop gives to threads.
import asyncio

from channels.routing import URLRouter

from async_demo.routing import websocket_urlpatterns
from lessons.workshop.engine.faults.finding import CheckFailed
from lessons.workshop.engine.world.database import fresh_database
from lessons.workshop.engine.world.loop import SimulatedLoop
from lessons.workshop.judge import StrictCommunicator


@pytest.fixture
async def database():
    async with fresh_database() as fresh:
        yield fresh


def new_client():
    return StrictCommunicator(LeanEcho.as_asgi(), PATH)


def text_frame(text):
    return {"type": "websocket.send", "text": text}


def welcome(count):
    return {"type": "websocket.accept"}, text_frame(f"There are {count} accounts.")


async def thread_jobs(action) -> int:
    """Run the action. Return how many jobs it gave to threads."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, SimulatedLoop)
    before = loop.thread_jobs_started
    await action
    return loop.thread_jobs_started - before


async def test_returns_text_as_text_and_bytes_as_bytes(database):
    async with new_client() as client:
        await client.connect()
        assert await client.receive_from() == "There are 0 accounts."
        for text in ("hello", ""):
            await client.send_to(text_data=text)
            client.expect(text_frame(text))
        await client.send_to(bytes_data=b"\x00\xff")
        client.expect({"type": "websocket.send", "bytes": b"\x00\xff"})
        await client.send_input({"type": "websocket.receive", "text": None, "bytes": b"x"})
        client.expect({"type": "websocket.send", "bytes": b"x"})


async def test_frames_use_no_thread(database):
    async with new_client() as client:
        assert await thread_jobs(client.connect()) == 2  # the check and the query
        assert await thread_jobs(client.send_to(text_data="hello")) == 0
        assert await thread_jobs(client.send_to(bytes_data=b"hello")) == 0
        assert await thread_jobs(client.disconnect()) == 1  # the check


async def test_reconnects_after_a_restart_of_the_database(database):
    for _ in range(2):
        await database.restart()
        async with new_client() as client:
            await client.send_input({"type": "websocket.connect"})
            client.expect(*welcome(0))


@pytest.mark.parametrize(
    "message, error",
    [
        ({"type": "no.such.event"}, "No handler for message type no.such.event"),
        ({"type": "__eq__"}, "Malformed type in message (leading underscore)"),
        ({}, "Incoming message has no 'type' attribute"),
    ],
)
async def test_rejects_invalid_messages_like_every_async_consumer(database, message, error):
    async with new_client() as client:
        await client.connect()
        with pytest.raises(CheckFailed, match="ValueError") as red:
            await client.send_input(message)
        assert str(red.value.__cause__) == error


async def test_is_routed_at_its_path(database):
    async with StrictCommunicator(URLRouter(websocket_urlpatterns), PATH) as client:
        assert await client.connect() == (True, None)
        assert await client.receive_from() == "There are 0 accounts."
