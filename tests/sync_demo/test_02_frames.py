"""Lesson 2: Echo sends each frame back, text as text and bytes as bytes."""

import pytest
from channels.testing import WebsocketCommunicator

from sync_demo.asgi import application
from sync_demo.consumers import Echo

PATH = "/ws/sync/frames/"


@pytest.mark.parametrize("text", ["hello", "ünïcödé ☂", " ", "None", "a\0b", "x" * 100_000])
async def test_sends_text_back_as_text(text):
    client = WebsocketCommunicator(application, PATH)
    assert await client.connect() == (True, None)
    await client.send_to(text_data=text)
    assert await client.receive_output() == {"type": "websocket.send", "text": text}
    await client.disconnect()


@pytest.mark.parametrize("data", [b"hello", b"\x00\xff"])
async def test_sends_bytes_back_as_bytes(data):
    client = WebsocketCommunicator(Echo.as_asgi(), PATH)
    await client.connect()
    await client.send_to(bytes_data=data)
    assert await client.receive_output() == {"type": "websocket.send", "bytes": data}
    await client.disconnect()


@pytest.mark.parametrize("payload", [{"text": ""}, {"bytes": b""}])
async def test_an_empty_frame_is_a_frame(payload):
    client = WebsocketCommunicator(Echo.as_asgi(), PATH)
    await client.connect()
    await client.send_input({"type": "websocket.receive", **payload})
    assert await client.receive_output() == {"type": "websocket.send", **payload}
    await client.disconnect()


@pytest.mark.parametrize("payload", [{"text": "a"}, {"text": ""}, {"bytes": b"a"}, {"bytes": b""}])
async def test_an_unused_key_may_be_none(payload):
    client = WebsocketCommunicator(Echo.as_asgi(), PATH)
    await client.connect()
    await client.send_input({"type": "websocket.receive", "text": None, "bytes": None, **payload})
    assert await client.receive_output() == {"type": "websocket.send", **payload}
    await client.disconnect()


async def test_one_frame_gets_one_answer():
    client = WebsocketCommunicator(Echo.as_asgi(), PATH)
    await client.connect()
    await client.send_to(text_data="one")
    await client.send_to(text_data="two")
    assert await client.receive_from() == "one"
    assert await client.receive_from() == "two"
    assert await client.receive_nothing(timeout=0.03)
    await client.disconnect()


async def test_each_client_gets_its_own_frames_back():
    one = WebsocketCommunicator(Echo.as_asgi(), PATH)
    other = WebsocketCommunicator(Echo.as_asgi(), PATH)
    await one.connect()
    await other.connect()
    await one.send_to(text_data="from one")
    assert await one.receive_from() == "from one"
    assert await other.receive_nothing(timeout=0.03)
    await one.disconnect()
    await other.disconnect()
