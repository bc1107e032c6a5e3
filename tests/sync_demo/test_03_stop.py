"""Lesson 3, Operator: it logs how the connection ended, and stops, whichever side closed."""

import logging

import pytest
from channels.routing import URLRouter

from lessons.judge import StrictCommunicator
from sync_demo.consumers import Operator
from sync_demo.routing import websocket_urlpatterns

PATH = "/ws/sync/stop/"


@pytest.fixture
def log(caplog):
    """Return the logged messages when called."""
    caplog.set_level(logging.INFO, "sync_demo")
    return lambda: caplog.messages


def new_client():
    return StrictCommunicator(Operator.as_asgi(), PATH)


def text_frame(text):
    return {"type": "websocket.send", "text": text}


def closed(code):
    return {"type": "websocket.close", "code": code}


async def test_repeats_text_and_stays_connected():
    async with new_client() as client:
        assert await client.connect() == (True, None)
        client.expect()
        await client.send_to(text_data="hello")
        client.expect(text_frame("You said: hello"))
        await client.send_to(text_data="")
        client.expect(text_frame("You said: "))
        assert client.close_code is None


@pytest.mark.parametrize(
    ("code", "ending"),
    [
        (None, "normal"),  # a browser's close() without a code
        (1000, "normal"),
        (1001, "left the page"),  # a reload too
        (1006, "lost"),
        (4001, "code 4001"),
    ],
)
async def test_stops_and_logs_the_reason_when_the_client_leaves(log, code, ending):
    async with new_client() as client:
        await client.connect()
        client.expect()
        await client.disconnect(code)
        client.expect()
        assert client.finished
    assert log() == [f"Connection closed: {ending}."]


async def test_stops_if_the_server_sends_no_code(log):
    async with new_client() as client:
        await client.connect()
        await client.send_input({"type": "websocket.disconnect"})
        assert client.finished
    assert log() == ["Connection closed: normal."]


async def test_bye_closes_with_1000_and_then_the_disconnect_arrives(log):
    async with new_client() as client:
        await client.connect()
        client.expect()
        await client.send_to(text_data="bye")
        client.expect(text_frame("Goodbye."), closed(1000))
        assert client.transcript[-2].message == {"type": "websocket.disconnect", "code": 1000}
        assert client.finished
    assert log() == ["Connection closed: normal."]


async def test_a_binary_frame_closes_with_an_application_code(log):
    async with new_client() as client:
        await client.connect()
        client.expect()
        await client.send_to(bytes_data=b"bye")
        client.expect(closed(4003))
        assert client.finished
    assert log() == ["Connection closed: code 4003."]


async def test_frames_that_arrive_after_the_close_get_no_answer():
    async with new_client() as client:
        await client.connect()
        client.expect()
        for text in ("bye", "hello", "bye"):
            client.input_queue.put_nowait({"type": "websocket.receive", "text": text})
        await client.send_to(bytes_data=b"and one more")
        client.expect(text_frame("Goodbye."), closed(1000))


async def test_other_clients_stay_connected_when_one_says_bye():
    async with new_client() as first, new_client() as second:
        await first.connect()
        await second.connect()
        await first.send_to(text_data="bye")
        await second.send_to(text_data="hello")
        assert await second.receive_from() == "You said: hello"


async def test_is_routed_at_its_path():
    async with StrictCommunicator(URLRouter(websocket_urlpatterns), PATH) as client:
        assert await client.connect() == (True, None)
        await client.send_to(text_data="hello")
        client.expect(text_frame("You said: hello"))
