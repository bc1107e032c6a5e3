"""Lesson 30: a frame of LeanEcho costs no check of the database connections.

Its first event queries the database, so it still costs a check.
"""

import re

import pytest
from channels.consumer import AsyncConsumer
from channels.db import aclose_old_connections
from channels.testing import WebsocketCommunicator
from django.contrib.auth.models import User

from async_demo.consumers import LeanEcho

PATH = "/ws/async/cost/"

pytestmark = pytest.mark.django_db(transaction=True)


async def connect(consumer):
    client = WebsocketCommunicator(consumer.as_asgi(), PATH)
    assert await client.connect() == (True, None)
    return client


@pytest.fixture
def checks(monkeypatch):
    """A list with an item for each check of the database connections."""
    done = []

    async def check():
        done.append("check")
        await aclose_old_connections()

    monkeypatch.setattr("channels.consumer.aclose_old_connections", check)
    return done


class PlainEcho(LeanEcho):
    """The same consumer with the dispatch of Channels."""

    dispatch = AsyncConsumer.dispatch


@pytest.mark.parametrize("names", [[], ["ada", "grace"]])
async def test_sends_the_number_of_accounts(names):
    for name in names:
        await User.objects.acreate(username=name)
    client = await connect(LeanEcho)
    assert await client.receive_from() == f"There are {len(names)} accounts."
    await client.disconnect()


@pytest.mark.parametrize("payload", [{"text": "hello"}, {"text": ""}, {"bytes": b"\x00\xff"}])
@pytest.mark.parametrize("unused", [{}, {"text": None, "bytes": None}])
async def test_sends_text_back_as_text_and_bytes_as_bytes(payload, unused):
    client = await connect(LeanEcho)
    await client.receive_from()
    await client.send_input({"type": "websocket.receive", **unused, **payload})
    assert await client.receive_output() == {"type": "websocket.send", **payload}
    await client.disconnect()


@pytest.mark.parametrize(("consumer", "counts"), [(PlainEcho, [1, 2, 3]), (LeanEcho, [1, 1, 2])])
async def test_a_frame_costs_no_check_of_the_connections(checks, consumer, counts):
    client = await connect(consumer)
    await client.receive_from()
    after_the_connect = len(checks)
    await client.send_to(text_data="hello")
    assert await client.receive_from() == "hello"
    after_the_frame = len(checks)
    await client.disconnect()
    assert [after_the_connect, after_the_frame, len(checks)] == counts


@pytest.mark.parametrize(
    ("event", "error"),
    [
        ({"type": "no.such.event"}, "No handler for message type no.such.event"),
        ({"type": "__eq__"}, "Malformed type in message (leading underscore)"),
        ({}, "Incoming message has no 'type' attribute"),
    ],
)
async def test_refuses_an_invalid_event_like_every_async_consumer(event, error):
    client = await connect(LeanEcho)
    await client.send_input(event)
    with pytest.raises(ValueError, match=re.escape(error)):
        await client.wait()
