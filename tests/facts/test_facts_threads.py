"""Whom slow work delays, by the thread that does it: the facts of lesson 6."""

import asyncio
import threading

import pytest
from asgiref.sync import ThreadSensitiveContext, sync_to_async
from channels.testing import WebsocketCommunicator

from tests.support.accepting_consumers import Accepts, AcceptsInAThread

TEST_TIMEOUT = 60  # seconds; only a test that fails waits this long
BEGUN, GATE = threading.Event(), threading.Event()


def slow_work():
    BEGUN.set()
    GATE.wait(TEST_TIMEOUT)


class Ticks(Accepts):
    async def websocket_receive(self, event):
        await self.send({"type": "websocket.send", "text": "tock"})


class Queued(Ticks):
    async def websocket_receive(self, event):
        await sync_to_async(slow_work)()


class InAThread(Ticks):
    async def websocket_receive(self, event):
        await sync_to_async(slow_work, thread_sensitive=False)()


class SlowHandler(AcceptsInAThread):
    def websocket_receive(self, event):
        slow_work()


class OnItsOwnThread(SlowHandler):
    async def __call__(self, scope, receive, send):
        async with ThreadSensitiveContext():
            await super().__call__(scope, receive, send)


async def connected(consumer):
    client = WebsocketCommunicator(consumer.as_asgi(), "/")
    assert await client.connect(TEST_TIMEOUT) == (True, None)
    return client


@pytest.fixture
async def tick(request):
    """A client that has sent a tick, while a client of the test's consumer causes slow work."""
    BEGUN.clear()
    GATE.clear()
    slow, other = await connected(request.param), await connected(Ticks)
    await slow.send_to(text_data="work")
    await asyncio.to_thread(BEGUN.wait, TEST_TIMEOUT)
    await other.send_to(text_data="tick")
    yield other
    GATE.set()
    await slow.disconnect(timeout=TEST_TIMEOUT)
    await other.disconnect(timeout=TEST_TIMEOUT)


@pytest.mark.parametrize("tick", [SlowHandler, Queued], indirect=True)
async def test_a_busy_sync_thread_keeps_async_consumers_and_handshakes_waiting(tick):
    new = WebsocketCommunicator(Ticks.as_asgi(), "/")
    await new.send_input({"type": "websocket.connect"})
    assert await new.receive_nothing(timeout=0.05)
    assert await tick.receive_nothing(timeout=0.05)
    GATE.set()
    assert await tick.receive_from(TEST_TIMEOUT) == "tock"
    assert await new.receive_output(TEST_TIMEOUT) == {"type": "websocket.accept"}
    await new.disconnect(timeout=TEST_TIMEOUT)


@pytest.mark.parametrize("tick", [InAThread, OnItsOwnThread], indirect=True)
async def test_work_in_a_separate_thread_delays_no_client(tick):
    assert await tick.receive_from(TEST_TIMEOUT) == "tock"
    assert not GATE.is_set()
