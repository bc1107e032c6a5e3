"""Lesson 10, LeanEcho: it uses the database thread only for events that query."""

import asyncio

import pytest
from channels.routing import URLRouter

from async_demo.consumers import LeanEcho
from async_demo.routing import websocket_urlpatterns
from lessons.judge import StrictCommunicator
from lessons.simulator.database import fresh_database
from lessons.simulator.finding import CheckFailed
from lessons.simulator.loop import SimulatedLoop

PATH = "/ws/async/cost/"


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


async def test_sends_the_number_of_accounts(database):
    for count, name in enumerate(["ada", "grace"]):
        async with new_client() as client:
            await client.send_input({"type": "websocket.connect"})
            client.expect(*welcome(count))
        await database.add_account(name)


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


async def test_uses_the_thread_to_close_old_connections_and_to_query(database):
    async with new_client() as client:
        assert await thread_jobs(client.connect()) == 2


async def test_frames_and_the_disconnect_use_no_thread(database):
    async with new_client() as client:
        await client.connect()
        assert await thread_jobs(client.send_to(text_data="hello")) == 0
        assert await thread_jobs(client.send_to(bytes_data=b"hello")) == 0
        assert await thread_jobs(client.disconnect()) == 0


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
