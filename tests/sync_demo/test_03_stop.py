"""Lesson 3, Operator: it logs how the connection ended, and stops, whichever side closed."""

import logging

import pytest
from asgiref.sync import async_to_sync
from channels.routing import URLRouter
from channels.testing import WebsocketCommunicator

from sync_demo.consumers import Operator
from sync_demo.routing import websocket_urlpatterns

PATH = "/ws/sync/stop/"


@pytest.fixture
def log(caplog):
    """Return the logged messages when called."""
    caplog.set_level(logging.INFO, "sync_demo")
    return lambda: caplog.messages


def text_frame(text):
    return {"type": "websocket.send", "text": text}


def closed(code):
    return {"type": "websocket.close", "code": code}


def test_bye_closes_with_1000_and_ends_the_consumer():
    async def conversation():
        client, other = (
            WebsocketCommunicator(URLRouter(websocket_urlpatterns), PATH) for _ in range(2)
        )
        assert await client.connect() == (True, None)
        assert await other.connect() == (True, None)
        await client.send_to(text_data="bye")
        assert await client.receive_output() == text_frame("Goodbye.")
        assert await client.receive_output() == closed(1000)
        await client.disconnect(1000)
        # A cancelled consumer did not stop: disconnect() cancels it and raises no error.
        assert not client.future.cancelled()
        for text in ("hello", ""):
            await other.send_input({"type": "websocket.receive", "text": text})
            assert await other.receive_output() == text_frame(f"You said: {text}")
        await other.disconnect()

    async_to_sync(conversation)()


def test_a_binary_frame_closes_with_an_application_code():
    async def conversation():
        client = WebsocketCommunicator(Operator.as_asgi(), PATH)
        await client.connect()
        await client.send_to(bytes_data=b"bye")
        assert await client.receive_output() == closed(4003)
        await client.disconnect(4003)
        assert not client.future.cancelled()

    async_to_sync(conversation)()


@pytest.mark.parametrize("code", [1000, 1001, 1006, 4001, None])
def test_stops_and_logs_the_code_when_the_client_leaves(log, code):
    async def conversation():
        client = WebsocketCommunicator(Operator.as_asgi(), PATH)
        await client.connect()
        await client.send_input({"type": "websocket.disconnect", "code": code})
        await client.wait()
        assert not client.future.cancelled()
        assert await client.receive_nothing()

    async_to_sync(conversation)()
    assert log() == [f"Connection closed with code {code}."]


# ── What only the strict communicator sees ──
# The stock communicator does not send websocket.disconnect after a close of the consumer, as Daphne
# does. It also accepts a frame that is sent after the close.

from lessons.workshop.judge import StrictCommunicator


def new_client():
    return StrictCommunicator(Operator.as_asgi(), PATH)


async def test_stops_if_the_server_sends_no_code(log):
    async with new_client() as client:
        await client.connect()
        await client.send_input({"type": "websocket.disconnect"})
        assert client.finished
    assert log() == ["Connection closed with code None."]


async def test_bye_closes_with_1000_and_then_the_disconnect_arrives(log):
    async with new_client() as client:
        await client.connect()
        client.expect()
        await client.send_to(text_data="bye")
        client.expect(text_frame("Goodbye."), closed(1000))
        assert client.transcript[-2].message == {"type": "websocket.disconnect", "code": 1000}
        assert client.finished
    assert log() == ["Connection closed with code 1000."]


async def test_frames_that_arrive_after_the_close_get_no_answer():
    async with new_client() as client:
        await client.connect()
        client.expect()
        for text in ("bye", "hello", "bye"):
            client.input_queue.put_nowait({"type": "websocket.receive", "text": text})
        await client.send_to(bytes_data=b"and one more")
        client.expect(text_frame("Goodbye."), closed(1000))
