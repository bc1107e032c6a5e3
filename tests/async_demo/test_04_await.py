"""Lesson 4: Echo keeps a list for each connection; all connections share one Printer.

While the printer awaits, the event loop runs the handlers of other connections.
"""

import asyncio
from types import SimpleNamespace

import pytest
from channels.testing import WebsocketCommunicator

from async_demo import consumers
from async_demo.consumers import Echo, Printer

PATH = "/ws/async/await/"
PRINTED = {"type": "websocket.send", "text": "printed"}


async def connect(consumer):
    client = WebsocketCommunicator(consumer.as_asgi(), PATH)
    assert await client.connect() == (True, None)
    return client


@pytest.mark.parametrize("payload", [{"text": "hello"}, {"text": ""}, {"bytes": b"\x00\xff"}])
@pytest.mark.parametrize("unused", [{}, {"text": None, "bytes": None}])
async def test_text_stays_text_and_bytes_stay_bytes(payload, unused):
    client = await connect(Echo)
    await client.send_input({"type": "websocket.receive", **unused, **payload})
    assert await client.receive_output() == {"type": "websocket.send", **payload}
    await client.disconnect()


async def test_lists_the_kinds_of_frames_so_far():
    client = await connect(Echo)
    await client.send_to(text_data="a")
    await client.send_to(bytes_data=b"b")
    await client.send_to(text_data="c")
    await client.send_to(text_data="kinds?")
    answers = [await client.receive_from() for _ in range(4)]
    assert answers == ["a", b"b", "c", "text, bytes, text"]
    await client.disconnect()


async def test_each_connection_has_its_own_list():
    one, two = await connect(Echo), await connect(Echo)
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
    one, two = await connect(Printer), await connect(Printer)
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
    one, two = await connect(Printer), await connect(Printer)
    await one.send_to(text_data="letter")
    assert await one.receive_nothing(timeout=0.03)
    one.stop()  # cancels the consumer, as a server that stops does
    await one.wait()
    paper_is_out.set()
    await two.send_to(text_data="poster")
    assert await two.receive_output() == PRINTED
    await two.disconnect()
