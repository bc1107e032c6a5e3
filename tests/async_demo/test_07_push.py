"""Lesson 7: Metronome sends ticks that no frame asks for, and none after its connection has ended.

A task sends them. It ends with the consumer, however the consumer ends.
"""

import asyncio

import pytest
from channels.testing import WebsocketCommunicator

from async_demo.consumers import Metronome

PATH = "/ws/async/push/"


class Fast(Metronome):
    interval = 0.005


async def connect(consumer):
    client = WebsocketCommunicator(consumer.as_asgi(), PATH)
    assert await client.connect() == (True, None)
    return client


def tasks():
    return asyncio.all_tasks() - {asyncio.current_task()}


async def test_sends_ticks_that_no_frame_asks_for():
    client = await connect(Fast)
    assert await client.receive_output() == {"type": "websocket.send", "text": "tick 1"}
    assert await client.receive_output() == {"type": "websocket.send", "text": "tick 2"}
    await client.disconnect()


async def test_faster_halves_the_interval_down_to_a_tenth_of_a_second():
    metronome = Metronome()
    for seconds in (0.5, 0.25, 0.125, 0.1, 0.1):
        await metronome.websocket_receive({"type": "websocket.receive", "text": "faster"})
        assert metronome.interval == seconds
    await metronome.websocket_receive({"type": "websocket.receive", "text": "slower"})
    assert metronome.interval == 0.1  # any other frame changes nothing
    assert Metronome.interval == 1  # other connections have their own speed


@pytest.mark.parametrize("code", [1000, 1006, None])
async def test_no_task_is_left_when_the_client_leaves(code):
    client = await connect(Fast)
    await client.disconnect(code)
    assert not tasks()


async def test_no_task_is_left_when_a_handler_raises():
    client = await connect(Fast)
    await client.send_input({"type": "no.such.handler"})
    with pytest.raises(ValueError, match="No handler for message type"):
        await client.wait()
    assert not tasks()


async def test_no_task_is_left_when_the_server_cancels_the_consumer():
    client = await connect(Fast)
    client.stop()  # cancels the consumer, as a server that stops does
    await client.wait()
    assert not tasks()


async def test_waits_until_its_task_has_ended():
    class Slow(Metronome):
        async def tick(self):
            try:
                await super().tick()
            finally:
                await asyncio.sleep(0.01)

    client = await connect(Slow)
    await asyncio.sleep(0)  # lets the task begin
    await client.disconnect()
    assert not tasks()


async def test_stops_normally_after_its_task_has_failed():
    class Broken(Metronome):
        async def tick(self):
            raise LookupError("no clock")

    client = await connect(Broken)
    await client.disconnect()
    assert client.future.done()
    assert not client.future.cancelled()
