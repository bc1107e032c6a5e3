"""Lesson 2's worked example: the echo gives each frame back as what it was."""

import pytest
from channels.routing import URLRouter

from lessons.judge import StrictCommunicator
from sync_demo.consumers import Echo
from sync_demo.routing import websocket_urlpatterns

PATH = "/ws/sync/frames/"


def visitor():
    return StrictCommunicator(Echo.as_asgi(), PATH)


def frame(**payload):
    return {"type": "websocket.send", **payload}


async def test_accepts_everyone_and_waits_to_be_spoken_to():
    async with visitor() as client:
        assert await client.connect() == (True, None)
        client.expect()


@pytest.mark.parametrize("text", ["hello", "ünïcödé ☂", " ", "None", "a\0b", "x" * 100_000, ""])
async def test_text_stays_text(text):
    async with visitor() as client:
        await client.connect()
        await client.send_to(text_data=text)
        client.expect(frame(text=text))


@pytest.mark.parametrize("data", [b"hello", b"\x00\xff", b"\xc3", b""])
async def test_bytes_stay_bytes(data):
    async with visitor() as client:
        await client.connect()
        await client.send_to(bytes_data=data)
        client.expect(frame(bytes=data))


async def test_each_frame_is_answered_in_turn():
    async with visitor() as client:
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
    async with visitor() as client:
        await client.connect()
        await client.send_input({"type": "websocket.receive", **unused, **payload})
        client.expect(frame(**payload))


async def test_each_client_gets_its_own_frames_back():
    async with visitor() as one, visitor() as two:
        await one.connect()
        await two.connect()
        await one.send_to(text_data="from one")
        two.expect()
        one.expect(frame(text="from one"))


@pytest.mark.parametrize("code", [1000, 1001, 1006, None])
async def test_stops_when_the_client_leaves(code):
    async with visitor() as client:
        await client.connect()
        await client.disconnect(code)
        assert client.finished


async def test_is_routed_at_its_path():
    async with StrictCommunicator(URLRouter(websocket_urlpatterns), PATH) as client:
        assert await client.connect() == (True, None)
        await client.send_to(text_data="hello")
        client.expect(frame(text="hello"))
