"""Lesson 5: Echo keeps a list for each connection; all connections share one Printer.

While the printer awaits, the event loop runs the handlers of other connections.
"""

import asyncio
from types import SimpleNamespace

import pytest
from channels.routing import URLRouter
from channels.testing import WebsocketCommunicator

from async_demo import consumers
from async_demo.consumers import Echo, Printer
from async_demo.routing import websocket_urlpatterns

PATH = "/ws/async/await/"
PRINTED = {"type": "websocket.send", "text": "printed"}


@pytest.mark.parametrize("payload", [{"text": "hello"}, {"text": ""}, {"bytes": b"\x00\xff"}])
async def test_text_stays_text_and_bytes_stay_bytes(payload):
    client = WebsocketCommunicator(URLRouter(websocket_urlpatterns), PATH)
    assert await client.connect() == (True, None)
    await client.send_input({"type": "websocket.receive", **payload})
    assert await client.receive_output() == {"type": "websocket.send", **payload}
    await client.disconnect()


@pytest.mark.parametrize("payload", [{"text": "hello"}, {"text": ""}, {"bytes": b"\x00\xff"}])
async def test_an_unused_key_may_be_none(payload):
    client = WebsocketCommunicator(Echo.as_asgi(), PATH)
    await client.connect()
    await client.send_input({"type": "websocket.receive", "text": None, "bytes": None, **payload})
    assert await client.receive_output() == {"type": "websocket.send", **payload}
    await client.disconnect()


async def test_lists_the_kinds_of_frames_so_far():
    client = WebsocketCommunicator(Echo.as_asgi(), PATH)
    await client.connect()
    await client.send_to(text_data="a")
    await client.send_to(bytes_data=b"b")
    await client.send_to(text_data="c")
    await client.send_to(text_data="kinds?")
    answers = [await client.receive_from() for _ in range(4)]
    assert answers == ["a", b"b", "c", "text, bytes, text"]
    await client.disconnect()


async def test_each_connection_has_its_own_list():
    one = WebsocketCommunicator(Echo.as_asgi(), PATH)
    two = WebsocketCommunicator(Echo.as_asgi(), PATH)
    await one.connect()
    await two.connect()
    await one.send_to(text_data="hello")
    assert await one.receive_from() == "hello"
    await two.send_to(text_data="kinds?")
    assert await two.receive_from() == ""
    await one.disconnect()
    await two.disconnect()


@pytest.fixture
def paper_is_out(monkeypatch):
    """The printer waits for this event instead of three seconds."""
    event = asyncio.Event()
    monkeypatch.setattr(consumers, "asyncio", SimpleNamespace(sleep=lambda _: event.wait()))
    return event


async def test_the_printer_is_busy_for_a_client_that_comes_during_the_await(paper_is_out):
    one = WebsocketCommunicator(Printer.as_asgi(), PATH)
    two = WebsocketCommunicator(Printer.as_asgi(), PATH)
    await one.connect()
    await two.connect()
    await one.send_to(text_data="letter")
    assert await one.receive_nothing(timeout=0.03)  # the handler awaits
    await two.send_to(text_data="poster")
    assert await two.receive_from() == "busy"
    paper_is_out.set()
    assert await one.receive_output() == PRINTED
    await two.send_to(text_data="poster")
    assert await two.receive_output() == PRINTED
    await one.disconnect()
    await two.disconnect()


async def test_the_printer_is_free_again_when_the_server_cancels_the_consumer(paper_is_out):
    one = WebsocketCommunicator(Printer.as_asgi(), PATH)
    two = WebsocketCommunicator(Printer.as_asgi(), PATH)
    await one.connect()
    await two.connect()
    await one.send_to(text_data="letter")
    assert await one.receive_nothing(timeout=0.03)
    one.stop()  # cancels the consumer, as a server that stops does
    await one.wait()
    paper_is_out.set()
    await two.send_to(text_data="poster")
    assert await two.receive_output() == PRINTED
    await two.disconnect()
