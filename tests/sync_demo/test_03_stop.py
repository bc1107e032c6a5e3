"""Lesson 3's worked example: whoever hangs up, the operator hears of it, and stops."""

import logging

import pytest
from channels.routing import URLRouter

from lessons.judge import StrictCommunicator
from sync_demo.consumers import Operator
from sync_demo.routing import websocket_urlpatterns

PATH = "/ws/sync/stop/"


@pytest.fixture
def log(caplog):
    """What the operator has logged, a str for each line."""
    caplog.set_level(logging.INFO, "sync_demo")
    return lambda: caplog.messages


def caller():
    return StrictCommunicator(Operator.as_asgi(), PATH)


def said(text):
    return {"type": "websocket.send", "text": text}


def closed(code):
    return {"type": "websocket.close", "code": code}


async def test_repeats_text_and_stays_on_the_line():
    async with caller() as client:
        assert await client.connect() == (True, None)
        client.expect()
        await client.send_to(text_data="hello")
        client.expect(said("You said: hello"))
        await client.send_to(text_data="")
        client.expect(said("You said: "))
        assert client.closed is None


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
async def test_stops_when_the_client_leaves_and_says_how(log, code, ending):
    async with caller() as client:
        await client.connect()
        client.expect()
        await client.disconnect(code)
        client.expect()
        assert client.finished
    assert log() == [f"Connection closed: {ending}."]


async def test_stops_where_a_server_leaves_the_code_out(log):
    async with caller() as client:
        await client.connect()
        await client.send_input({"type": "websocket.disconnect"})
        assert client.finished
    assert log() == ["Connection closed: normal."]


async def test_bye_closes_with_1000_and_the_disconnect_comes_all_the_same(log):
    async with caller() as client:
        await client.connect()
        client.expect()
        await client.send_to(text_data="bye")
        client.expect(said("Goodbye."), closed(1000))
        assert client.transcript[-2].message == {"type": "websocket.disconnect", "code": 1000}
        assert client.finished
    assert log() == ["Connection closed: normal."]


async def test_a_binary_frame_is_shown_out_with_a_code_of_our_own(log):
    async with caller() as client:
        await client.connect()
        client.expect()
        await client.send_to(bytes_data=b"bye")
        client.expect(closed(4003))
        assert client.finished
    assert log() == ["Connection closed: code 4003."]


async def test_what_was_under_way_when_the_line_was_closed_gets_nothing():
    async with caller() as client:
        await client.connect()
        client.expect()
        for text in ("bye", "hello", "bye"):
            client.input_queue.put_nowait({"type": "websocket.receive", "text": text})
        await client.send_to(bytes_data=b"and one more")
        client.expect(said("Goodbye."), closed(1000))


async def test_one_client_hanging_up_leaves_the_others_on_the_line():
    async with caller() as first, caller() as second:
        await first.connect()
        await second.connect()
        await first.send_to(text_data="bye")
        await second.send_to(text_data="hello")
        assert await second.receive_from() == "You said: hello"


async def test_is_routed_at_its_path():
    async with StrictCommunicator(URLRouter(websocket_urlpatterns), PATH) as client:
        assert await client.connect() == (True, None)
        await client.send_to(text_data="hello")
        client.expect(said("You said: hello"))
