"""Lesson 2, Echo: it sends each frame back, text as text and bytes as bytes."""

import pytest
from asgiref.sync import async_to_sync
from channels.routing import URLRouter
from channels.testing import WebsocketCommunicator

from sync_demo.consumers import Echo
from sync_demo.routing import websocket_urlpatterns

PATH = "/ws/sync/frames/"


def frame(**payload):
    return {"type": "websocket.send", **payload}


def test_sends_text_back_as_text_and_bytes_as_bytes():
    async def conversation():
        client = WebsocketCommunicator(URLRouter(websocket_urlpatterns), PATH)
        assert await client.connect() == (True, None)
        for word in ("one", "two", "ünïcödé ☂", " ", "None", "a\0b", "x" * 100_000):
            await client.send_to(text_data=word)
            await client.send_to(bytes_data=word.encode())
            assert await client.receive_output() == frame(text=word)
            assert await client.receive_output() == frame(bytes=word.encode())
        await client.send_to(bytes_data=b"\x00\xff")
        assert await client.receive_output() == frame(bytes=b"\x00\xff")
        assert await client.receive_nothing()
        await client.disconnect()

    async_to_sync(conversation)()


@pytest.mark.parametrize("payload", [{"text": "a"}, {"text": ""}, {"bytes": b"a"}, {"bytes": b""}])
@pytest.mark.parametrize("unused", [{}, {"text": None, "bytes": None}])
def test_an_unused_key_may_be_none(payload, unused):
    async def conversation():
        client = WebsocketCommunicator(Echo.as_asgi(), PATH)
        await client.connect()
        await client.send_input({"type": "websocket.receive", **unused, **payload})
        assert await client.receive_output() == frame(**payload)
        await client.disconnect()

    async_to_sync(conversation)()


def test_each_client_gets_its_own_frames_back():
    async def conversation():
        one, other = (WebsocketCommunicator(Echo.as_asgi(), PATH) for _ in range(2))
        await one.connect()
        await other.connect()
        await one.send_to(text_data="from one")
        assert await other.receive_nothing()
        assert await one.receive_from() == "from one"
        await one.disconnect()
        await other.disconnect()

    async_to_sync(conversation)()


# ── What only the strict communicator sees ──
# The stock communicator cancels a consumer that does not stop, and the test passes. It also accepts
# a reply with both keys or with a dict as its text.

from lessons.workshop.judge import StrictCommunicator


@pytest.mark.parametrize("code", [1000, 1001, 1006, None])
async def test_stops_when_the_client_leaves(code):
    async with StrictCommunicator(Echo.as_asgi(), PATH) as client:
        await client.connect()
        await client.disconnect(code)
        assert client.finished


@pytest.mark.parametrize("payload", [{"text": "a"}, {"text": ""}, {"bytes": b"a"}, {"bytes": b""}])
async def test_a_reply_has_one_key(payload):
    async with StrictCommunicator(Echo.as_asgi(), PATH) as client:
        await client.connect()
        await client.send_input({"type": "websocket.receive", **payload})
        client.expect({"type": "websocket.send", **payload})
