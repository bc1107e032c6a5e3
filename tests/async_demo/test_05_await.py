"""Lesson 5, Echo and Printer: the async echo, and a printer that all connections share."""

import asyncio
from types import SimpleNamespace

import pytest
from asgiref.sync import async_to_sync
from channels.testing import WebsocketCommunicator

from async_demo.consumers import Echo, Printer


@pytest.fixture
def finish_printing(monkeypatch):
    """The printer waits for this event instead of three seconds."""
    finished = asyncio.Event()
    only_sleep = SimpleNamespace(sleep=lambda seconds: finished.wait())
    monkeypatch.setattr("async_demo.consumers.asyncio", only_sleep)
    return finished


def test_each_connection_has_its_own_list():
    async def conversation():
        one = WebsocketCommunicator(Echo.as_asgi(), "/ws/async/await/")
        two = WebsocketCommunicator(Echo.as_asgi(), "/ws/async/await/")
        await one.connect()
        await two.connect()
        await one.send_to(text_data="hello")
        assert await one.receive_from() == "hello"
        await two.send_to(text_data="kinds?")
        assert await two.receive_from() == ""
        await one.send_to(text_data="kinds?")
        assert await one.receive_from() == "text"
        await one.disconnect()
        await two.disconnect()

    async_to_sync(conversation)()


def test_the_printer_is_busy_for_a_client_that_comes_during_the_await(finish_printing):
    async def conversation():
        one = WebsocketCommunicator(Printer.as_asgi(), "/ws/async/await/printer/")
        two = WebsocketCommunicator(Printer.as_asgi(), "/ws/async/await/printer/")
        await one.connect()
        await two.connect()
        await one.send_to(text_data="letter")
        assert await one.receive_nothing()
        await two.send_to(text_data="poster")
        assert await two.receive_from() == "busy"
        finish_printing.set()
        assert await one.receive_from() == "printed"
        await two.send_to(text_data="poster")
        assert await two.receive_from() == "printed"
        await one.disconnect()
        await two.disconnect()

    async_to_sync(conversation)()


# ── What only the strict communicator sees ──
# The stock communicator never sends a key that a frame does not use as None, and does not notice
# a consumer that goes on after its client has left. It also waits in real time.

from channels.routing import URLRouter

from async_demo.routing import websocket_urlpatterns
from lessons.workshop.judge import StrictCommunicator

PATH = "/ws/async/await/"


def new_client(consumer=Echo):
    return StrictCommunicator(consumer.as_asgi(), PATH)


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


async def test_prints_for_three_seconds():
    async with new_client(Printer) as one, new_client(Printer) as two:
        await one.connect()
        await two.connect()
        one.expect()
        two.expect()
        for client, other in ((one, two), (two, one)):
            await client.send_to(text_data="letter")
            await other.send_to(text_data="poster")
            other.expect(frame(text="busy"))
            await asyncio.sleep(2.9)
            client.expect()
            await asyncio.sleep(0.1)
            client.expect(frame(text="printed"))


async def test_the_printer_is_free_again_when_the_server_cancels_the_consumer():
    async with new_client(Printer) as one, new_client(Printer) as two:
        await one.connect()
        await two.connect()
        await one.send_to(text_data="letter")
        await one.kill()
        two.expect()
        await two.send_to(text_data="poster")
        await asyncio.sleep(3)
        two.expect(frame(text="printed"))


@pytest.mark.parametrize("consumer", [Echo, Printer])
@pytest.mark.parametrize("code", [1000, 1001, 1006, None])
async def test_stops_when_the_client_leaves(consumer, code):
    async with new_client(consumer) as client:
        await client.connect()
        await client.disconnect(code)
        assert client.finished


@pytest.mark.parametrize("path", [PATH, f"{PATH}printer/"])
async def test_is_routed_at_its_path(path):
    async with StrictCommunicator(URLRouter(websocket_urlpatterns), path) as client:
        assert await client.connect() == (True, None)
