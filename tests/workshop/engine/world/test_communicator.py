"""What is wrong with an answer, and with a handler that goes on.

The mistakes of lessons 7 and 8 prove the other diagnoses of an end.
"""

import asyncio

import pytest
from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer

from lessons.workshop.engine.faults.finding import CheckFailed
from tests.support.accepting_consumers import Accepts
from tests.support.strict_communicator import StrictCommunicator, StrictHttpCommunicator

START = {"type": "http.response.start", "status": 200}
BODY = {"type": "http.response.body"}


class Stuck(Accepts):
    async def websocket_disconnect(self, event):
        await asyncio.Event().wait()


async def test_a_handler_that_never_returns_is_named():
    client = StrictCommunicator(Stuck.as_asgi(), "/")
    await client.connect()
    with pytest.raises(CheckFailed) as failed:
        await client.disconnect()
    assert failed.value.finding.diagnosis == "handler-never-returned"


class Answers(AsyncConsumer):
    """Sends `replies`. A number in them is a pause."""

    replies = ()

    async def http_request(self, event):
        for reply in self.replies:
            await (asyncio.sleep(reply) if isinstance(reply, int) else self.send(reply))

    async def http_disconnect(self, event):
        raise StopConsumer


async def ask(consumer):
    async with StrictHttpCommunicator(consumer.as_asgi(), "GET", "/") as client:
        await client.send_request()
        await client.receive_output()


@pytest.mark.parametrize(
    ("diagnosis", "replies"),
    [
        ("answered-twice", [START, BODY, START, BODY]),
        ("response-missing", [1]),
        ("handler-never-returned", [START, BODY, 100]),
    ],
)
async def test_names_what_is_wrong_with_a_response_or_its_end(diagnosis, replies):
    consumer = type("Wrong", (Answers,), {"replies": replies})
    with pytest.raises(CheckFailed) as failed:
        await ask(consumer)
    assert failed.value.finding.diagnosis == diagnosis
