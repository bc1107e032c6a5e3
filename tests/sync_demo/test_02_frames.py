"""Lesson 2, Echo: it sends each frame back, text as text and bytes as bytes."""

import pytest
from channels.routing import URLRouter

from lessons.judge import StrictCommunicator
from sync_demo.consumers import Echo
from sync_demo.routing import websocket_urlpatterns

PATH = "/ws/sync/frames/"


def new_client():
    return StrictCommunicator(Echo.as_asgi(), PATH)


def frame(**payload):
    return {"type": "websocket.send", **payload}


async def test_accepts_every_client_and_sends_nothing_first():
    async with new_client() as client:
        assert await client.connect() == (True, None)
        client.expect()


@pytest.mark.parametrize("text", ["hello", "ünïcödé ☂", " ", "None", "a\0b", "x" * 100_000, ""])
async def test_text_stays_text(text):
    async with new_client() as client:
        await client.connect()
        await client.send_to(text_data=text)
        client.expect(frame(text=text))


@pytest.mark.parametrize("data", [b"hello", b"\x00\xff", b"\xc3", b""])
async def test_bytes_stay_bytes(data):
    async with new_client() as client:
        await client.connect()
        await client.send_to(bytes_data=data)
        client.expect(frame(bytes=data))


async def test_answers_the_frames_in_order():
    async with new_client() as client:
        await client.connect()
        for word in ("one", "two", "two"):
            await client.send_to(text_data=word)
            await client.send_to(bytes_data=word.encode())
        words = ("one", "two", "two")
        client.expect(
            *(frame(**payload) for w in words for payload in ({"text": w}, {"bytes": w.encode()}))
        )


@pytest.mark.parametrize("payload", [{"text": "a"}, {"text": ""}, {"bytes": b"a"}, {"bytes": b""}])
async def test_an_unused_key_may_be_none(payload):
    unused = {"text": None, "bytes": None}
    async with new_client() as client:
        await client.connect()
        await client.send_input({"type": "websocket.receive", **unused, **payload})
        client.expect(frame(**payload))


async def test_each_client_gets_its_own_frames_back():
    async with new_client() as one, new_client() as two:
        await one.connect()
        await two.connect()
        await one.send_to(text_data="from one")
        two.expect()
        one.expect(frame(text="from one"))


@pytest.mark.parametrize("code", [1000, 1001, 1006, None])
async def test_stops_when_the_client_leaves(code):
    async with new_client() as client:
        await client.connect()
        await client.disconnect(code)
        assert client.finished


async def test_is_routed_at_its_path():
    async with StrictCommunicator(URLRouter(websocket_urlpatterns), PATH) as client:
        assert await client.connect() == (True, None)
        await client.send_to(text_data="hello")
        client.expect(frame(text="hello"))
