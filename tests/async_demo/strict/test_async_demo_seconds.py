"""How long each consumer of async_demo waits.

Strict, because its clock is simulated: three seconds take no time, and are exact.
"""

import pytest

from async_demo.asgi import application
from async_demo.consumers import Heartbeat
from lessons.workshop.judge import StrictCommunicator, StrictHttpCommunicator


@pytest.mark.parametrize(
    ("path", "text", "answer", "seconds"),
    [
        ("/ws/async/await/printer/", "letter", "printed", 3),
        ("/ws/async/blocking/", "sleep", "sleep: done", 3),
        ("/ws/async/push/", "slower", "tick 1", 1),
        ("/ws/async/stream/", "hare", "The", 0.5),
        ("/ws/async/deploy/", "hello", "hello", 1),
    ],
)
async def test_answers_after_so_many_seconds(path, text, answer, seconds):
    async with StrictCommunicator(application, path) as client:
        await client.connect()
        await client.send_to(text_data=text)
        assert await client.receive_nothing(timeout=seconds - 0.05)
        assert await client.receive_from(timeout=0.1) == answer


async def test_a_beat_comes_each_second():
    async with StrictHttpCommunicator(Heartbeat.as_asgi(), "GET", "/") as client:
        await client.send_request()
        await client.read_so_far()
        assert await client.receive_nothing(timeout=0.95)
        assert await client.receive_nothing(timeout=0.1) is False
        assert await client.read_so_far() == b"data: beat 2\n\n"
