"""How long each consumer of async_demo waits.

Strict, because its clock is simulated: three seconds take no time, and are exact.
"""

import asyncio
import logging

import pytest

from async_demo.asgi import application
from async_demo.consumers import Heartbeat
from tests.support.simulated_time import wait
from tests.support.strict_communicator import StrictCommunicator, StrictHttpCommunicator


@pytest.mark.parametrize(
    ("path", "text", "answer", "seconds"),
    [
        ("/ws/async/await/printer/", "letter", "printed", 3),
        ("/ws/async/blocking/", "sleep", "sleep: done", 3),
        ("/ws/async/blocking/", "queue", "queue: done", 3),
        ("/ws/async/blocking/", "thread", "thread: done", 3),
        ("/ws/async/blocking/own-thread/", "bake", "done", 3),
        ("/ws/async/push/", "slower", "tick 1", 1),
        ("/ws/async/stream/", "hare", "The", 0.5),
        ("/ws/async/deploy/", "hello", "hello", 1),
    ],
)
async def test_answers_after_so_many_seconds(path, text, answer, seconds):
    async with StrictCommunicator(application, path) as client:
        await client.connect()
        await client.send_to(text_data=text)
        await wait(seconds - 0.05)
        assert client.take_unread() == []
        await wait(0.1)
        assert client.take_unread() == [{"type": "websocket.send", "text": answer}]


async def test_a_beat_comes_each_second():
    async with StrictHttpCommunicator(Heartbeat.as_asgi(), "GET", "/") as client:
        await client.send_request()
        client.take_unread()
        await wait(0.95)
        assert client.take_unread() == []
        await wait(0.1)
        assert [it["body"] for it in client.take_unread()] == [b"data: beat 2\n\n"]


async def test_logs_how_long_each_connection_was_open(caplog):
    caplog.set_level(logging.INFO, "async_demo.connection_log")
    path = "/ws/async/deploy/"
    async with StrictCommunicator(application, path) as first:
        await first.connect()
        await asyncio.sleep(2)
        async with StrictCommunicator(application, path) as second:
            await second.connect()
            await first.disconnect()
    assert caplog.messages == [
        f"{path} code 1000, 2.0 s, in: 0, out: 0",
        f"{path} code 1001, 0.0 s, in: 0, out: 0",
    ]
