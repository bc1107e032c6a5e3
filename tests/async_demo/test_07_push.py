"""Lesson 7, Metronome: it sends ticks by itself, and none after the connection has ended."""

import asyncio

import pytest
from asgiref.sync import async_to_sync
from channels.testing import WebsocketCommunicator

from async_demo.consumers import Metronome


@pytest.fixture
def fast(monkeypatch):
    """The metronome ticks a hundred times a second."""
    monkeypatch.setattr(Metronome, "interval", 0.01)


def test_sends_ticks_that_no_frame_asks_for(fast):
    async def conversation():
        client = WebsocketCommunicator(Metronome.as_asgi(), "/ws/async/push/")
        await client.connect()
        assert await client.receive_from() == "tick 1"
        assert await client.receive_from() == "tick 2"
        await client.disconnect()

    async_to_sync(conversation)()


def test_no_task_is_left_when_the_client_leaves(fast):
    async def conversation():
        client = WebsocketCommunicator(Metronome.as_asgi(), "/ws/async/push/")
        await client.connect()
        assert await client.receive_from() == "tick 1"
        await client.disconnect()
        assert asyncio.all_tasks() == {asyncio.current_task()}

    async_to_sync(conversation)()


# ── What only the strict communicator sees ──
# A stock test waits in real time, and cannot cancel a consumer as a stopped server does. The strict
# communicator simulates the clock, and ends a connection in every way in which Daphne ends one.

from channels.routing import URLRouter

from async_demo.routing import websocket_urlpatterns
from lessons.workshop.judge import StrictCommunicator

PATH = "/ws/async/push/"


def new_client():
    return StrictCommunicator(Metronome.as_asgi(), PATH)


def ticked(number):
    return {"type": "websocket.send", "text": f"tick {number}"}


async def ticks(client, *numbers, after=1.0):
    """Expect these ticks, each exactly `after` seconds after the one before."""
    for number in numbers:
        assert await client.receive_nothing(timeout=after - 0.05)
        assert not await client.receive_nothing(timeout=0.1)
        client.expect(ticked(number))


async def test_ticks_each_second_without_a_request():
    async with new_client() as client:
        assert await client.connect() == (True, None)
        client.expect()
        await ticks(client, 1, 2, 3)


async def test_handles_frames_between_two_ticks():
    async with new_client() as client:
        await client.connect()
        client.expect()
        await ticks(client, 1)
        await client.send_to(text_data="faster")
        client.expect()
        assert not client.is_busy
        assert await client.receive_nothing(timeout=0.95)  # the task had already begun to sleep
        await ticks(client, 2, after=0.05)
        await ticks(client, 3, 4, after=0.5)


async def test_the_speed_has_a_limit():
    async with new_client() as client:
        await client.connect()
        client.expect()
        for _ in range(20):
            await client.send_to(text_data="faster")
        await ticks(client, 1)
        await ticks(client, *range(2, 12), after=0.1)


@pytest.mark.parametrize("frame", [{"text_data": "slower"}, {"bytes_data": b"faster"}])
async def test_any_other_frame_changes_nothing(frame):
    async with new_client() as client:
        await client.connect()
        client.expect()
        await client.send_to(**frame)
        await ticks(client, 1, 2)


async def test_each_client_has_its_own_ticks_and_speed():
    async with new_client() as first, new_client() as second:
        await first.connect()
        first.expect()
        await first.send_to(text_data="faster")
        await ticks(first, 1)
        await second.connect()
        second.expect()
        await ticks(first, 2, after=0.5)
        second.expect()
        await first.disconnect()
        assert await second.receive_from(timeout=0.6) == "tick 1"
        await ticks(second, 2)


async def ends_silently(client):
    """Check that no task runs and that no tick follows."""
    assert client.finished
    assert asyncio.all_tasks() == {asyncio.current_task()}
    before = client.transcript
    await asyncio.sleep(5)
    assert client.transcript == before


@pytest.mark.parametrize("code", [None, 1000, 1001, 1006])
async def test_no_tick_is_left_when_the_client_leaves(code):
    async with new_client() as client:
        await client.connect()
        await client.receive_from()
        await client.disconnect(code)
        await ends_silently(client)


@pytest.mark.parametrize("end", ["crash", "kill"])
async def test_no_tick_is_left_when_a_handler_raises_or_the_server_cancels(end):
    async with new_client() as client:
        await client.connect()
        await client.receive_from()
        await getattr(client, end)()
        await ends_silently(client)


async def test_survives_a_cancel_before_its_first_event():
    async with new_client() as client:
        await client.kill()
        await ends_silently(client)


async def test_waits_until_its_task_has_ended():
    ended = []

    class Slow(Metronome):
        async def tick(self):
            try:
                await super().tick()
            finally:
                await asyncio.sleep(1)
                ended.append(self)

    async with StrictCommunicator(Slow.as_asgi(), PATH) as client:
        await client.connect()
        await client.kill()
        assert len(ended) == 1


async def test_stops_normally_after_its_task_has_failed():
    class Broken(Metronome):
        async def tick(self):
            raise LookupError("no clock")

    async with StrictCommunicator(Broken.as_asgi(), PATH) as client:
        await client.connect()
        await client.disconnect()
        assert client.finished


async def test_is_routed_at_its_path():
    async with StrictCommunicator(URLRouter(websocket_urlpatterns), PATH) as client:
        assert await client.connect() == (True, None)
        await ticks(client, 1)
