"""Lesson 5, Echo: the async echo, with a list for each connection."""

import pytest
from channels.routing import URLRouter

from async_demo.consumers import Echo
from async_demo.routing import websocket_urlpatterns
from lessons.judge import StrictCommunicator

PATH = "/ws/async/await/"


def new_client():
    return StrictCommunicator(Echo.as_asgi(), PATH)


def frame(**payload):
    return {"type": "websocket.send", **payload}


async def test_accepts_every_client_and_sends_nothing_first():
    async with new_client() as client:
        assert await client.connect() == (True, None)
        client.expect()


@pytest.mark.parametrize("payload", [{"text": "hello"}, {"text": ""}, {"bytes": b"\x00\xff"}])
async def test_text_stays_text_and_bytes_stay_bytes(payload):
    unused = {"text": None, "bytes": None}
    async with new_client() as client:
        await client.connect()
        await client.send_input({"type": "websocket.receive", **payload})
        client.expect(frame(**payload))
        await client.send_input({"type": "websocket.receive", **unused, **payload})
        client.expect(frame(**payload))


async def test_lists_the_kinds_of_frames_so_far():
    async with new_client() as client:
        await client.connect()
        for payload in ({"text_data": "a"}, {"bytes_data": b"b"}, {"text_data": "c"}):
            await client.send_to(**payload)
        client.expect(frame(text="a"), frame(bytes=b"b"), frame(text="c"))
        await client.send_to(text_data="kinds?")
        client.expect(frame(text="text, bytes, text"))


async def test_each_connection_has_its_own_list():
    async with new_client() as one, new_client() as two:
        await one.connect()
        await one.send_to(text_data="from one")
        await two.connect()
        await two.send_to(text_data="kinds?")
        two.expect(frame(text=""))
        one.expect(frame(text="from one"))
        await one.send_to(text_data="kinds?")
        one.expect(frame(text="text"))


@pytest.mark.parametrize("code", [1000, 1001, 1006, None])
async def test_stops_when_the_client_leaves(code):
    async with new_client() as client:
        await client.connect()
        await client.disconnect(code)
        assert client.finished


async def test_is_routed_at_its_path():
    async with StrictCommunicator(URLRouter(websocket_urlpatterns), PATH) as client:
        assert await client.connect() == (True, None)
