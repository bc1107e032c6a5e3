"""What the generic consumers of Channels do by themselves: the table of lesson 9, row by row.

Channels' own code runs in the simulated world, which reports a consumer that does not stop.
"""

import json

import pytest
from channels.generic.websocket import AsyncJsonWebsocketConsumer, AsyncWebsocketConsumer
from channels.routing import URLRouter
from django.urls import path

from lessons.workshop.engine.pytest_plugin.report import ConsumerFault

ended_with = []


class Words(AsyncWebsocketConsumer):
    async def receive(self, text_data=None, bytes_data=None):
        if text_data == "bye":
            await self.close(4001)
        elif text_data == "last":
            await self.send(text_data="bye", close=True)
        else:
            await self.send(text_data=f"{text_data!r} {bytes_data!r}")

    async def disconnect(self, code):
        ended_with.append(code)


class Values(AsyncJsonWebsocketConsumer):
    async def receive_json(self, content):
        await self.send_json([content])


class Silent(AsyncWebsocketConsumer):
    async def connect(self):
        pass


@pytest.fixture
def asgi_application():
    consumers = {"words": Words, "values": Values, "silent": Silent}
    return URLRouter([path(f"{name}/", one.as_asgi()) for name, one in consumers.items()])


def test_row_accept_is_done_by_connect(world):
    assert world.connect("/words/").accepted
    with pytest.raises(ConsumerFault, match="The handshake was never answered"):
        world.connect("/silent/")


def test_row_receive_and_send_text_and_bytes_are_separate_arguments(world):
    client = world.connect("/words/")
    client.send("hello")
    client.send("")
    client.send(bytes=b"\xff")
    assert client.received == ["'hello' None", "'' None", "None b'\\xff'"]


def test_row_close_is_one_event_and_may_follow_a_send(world):
    first, second = world.connect("/words/"), world.connect("/words/")
    first.send("bye")
    second.send("last")
    close = {"type": "websocket.close"}
    assert first.events[1:] == [{**close, "code": 4001}]
    assert second.events[1:] == [{"type": "websocket.send", "text": "bye"}, close]


@pytest.mark.parametrize("code", [1001, None])
def test_row_stop_the_consumer_stops_after_disconnect(world, code):
    ended_with.clear()
    world.connect("/words/").leave(code)
    world.finish()
    assert ended_with == [code]


def test_row_loads_and_dumps_json_is_decoded_and_encoded(world):
    client = world.connect("/values/")
    client.send('{"a": [1, null]}')
    assert client.received == ['[{"a": [1, null]}]']


@pytest.mark.parametrize(
    ("frame", "error"),
    [
        ({"text": "hello"}, "Expecting value"),
        ({"text": "[" * 100_000}, "while decoding a JSON array"),
        ({"text": ""}, "No text section for incoming WebSocket frame!"),
        ({"bytes": b"{}"}, "No text section for incoming WebSocket frame!"),
    ],
)
def test_row_except_invalid_json_ends_a_generic_consumer(world, frame, error):
    client = world.connect("/values/")
    with pytest.raises(ConsumerFault, match=error):
        client.send(**frame)


@pytest.mark.parametrize("text", ["null", "[1]", '"command"', "5", '{"type": "websocket.close"}'])
def test_row_isinstance_any_json_reaches_receive_json(world, text):
    client = world.connect("/values/")
    client.send(text)
    assert client.received_json == [[json.loads(text)]]


@pytest.mark.parametrize("text", ["NaN", "-Infinity", "1e999"])
def test_a_generic_consumer_sends_invalid_json_numbers(world, text):
    client = world.connect("/values/")
    client.send(text)
    assert client.received == [f"[{json.dumps(json.loads(text))}]"]
