"""Lesson 9's worked example, and Channels' generic consumers, line by line beside it."""

import json

import pytest
from channels.generic.websocket import (
    AsyncJsonWebsocketConsumer,
    AsyncWebsocketConsumer,
    JsonWebsocketConsumer,
    WebsocketConsumer,
)
from channels.routing import URLRouter
from channels.testing import WebsocketCommunicator

from async_demo.consumers import Shelf
from async_demo.routing import websocket_urlpatterns
from lessons.judge import StrictCommunicator
from lessons.simulator.finding import CheckFailed

PATH = "/ws/async/generic/"
UNKNOWN = {"error": "Send a JSON object with a command: put, list."}


def reader(consumer=Shelf):
    return StrictCommunicator(consumer.as_asgi(), PATH)


async def answered(client, answer, **frame):
    """The frame gets this one answer, as JSON in a text frame."""
    await client.send_to(**frame)
    client.expect({"type": "websocket.send", "text": json.dumps(answer)})


async def asked(client, answer, **request):
    await answered(client, answer, text_data=json.dumps(request))


async def test_puts_titles_on_the_shelf_and_lists_them():
    async with reader() as client:
        assert await client.connect() == (True, None)
        client.expect()
        await asked(client, {"titles": []}, command="list")
        await asked(client, {"count": 1}, command="put", title="Emma")
        await asked(client, {"count": 2}, command="put", title="")
        await asked(client, {"titles": ["Emma", ""]}, command="list")


async def test_each_client_has_a_shelf_of_its_own():
    async with reader() as first, reader() as second:
        await first.connect()
        await second.connect()
        first.expect()
        second.expect()
        await asked(first, {"count": 1}, command="put", title="Emma")
        await asked(second, {"count": 1}, command="put", title="Persuasion")
        await asked(first, {"titles": ["Emma"]}, command="list")


@pytest.mark.parametrize("title", [None, 5, ["Emma"], float("nan")])
async def test_a_title_that_is_no_string_is_refused_and_not_put(title):
    async with reader() as client:
        await client.connect()
        client.expect()
        await asked(client, {"error": "A title is a string."}, command="put", title=title)
        await asked(client, {"error": "A title is a string."}, command="put")
        await asked(client, {"titles": []}, command="list")


NO_COMMAND = [
    *("", "hello", "{", "[]", '"list"', "5", "null", "{}", "NaN", "[" * 100_000),
    *('{"command": "dance"}', '{"command": null}', '{"command": ["list"]}', '{"command": {}}'),
    *('{"command": "list_titles"}', '{"command": "websocket_disconnect"}', '{"cmd": "list"}'),
    *('{"command": "_x"}', '{"command": "websocket.disconnect"}', '{"command": "dispatch"}'),
]


async def test_what_is_no_command_gets_an_error_and_the_client_stays():
    async with reader() as client:
        await client.connect()
        client.expect()
        for text in NO_COMMAND:
            await answered(client, UNKNOWN, text_data=text)
        await answered(client, UNKNOWN, bytes_data=b'{"command": "list"}')
        await client.send_input({"type": "websocket.receive", "text": None, "bytes": b"\xff"})
        client.expect({"type": "websocket.send", "text": json.dumps(UNKNOWN)})
        await asked(client, {"titles": []}, command="list")


async def test_the_type_in_a_request_picks_nothing():
    async with reader() as client:
        await client.connect()
        client.expect()
        await asked(client, {"titles": []}, command="list", type="websocket.disconnect")


async def test_is_routed_at_its_path():
    async with StrictCommunicator(URLRouter(websocket_urlpatterns), PATH) as client:
        assert await client.connect() == (True, None)
        await asked(client, {"titles": []}, command="list")


# The table in lesson.md: what the installed Channels does, a row each


class Words(WebsocketConsumer):
    def receive(self, text_data=None, bytes_data=None):
        if text_data == "bye":
            self.close(4001)
        elif text_data == "last":
            self.send(text_data="bye", close=True)
        else:
            self.send(text_data=f"{text_data!r} {bytes_data!r}")

    def disconnect(self, code):
        ended_with.append(code)


class AsyncWords(AsyncWebsocketConsumer):
    async def receive(self, text_data=None, bytes_data=None):
        if text_data == "bye":
            await self.close(4001)
        elif text_data == "last":
            await self.send(text_data="bye", close=True)
        else:
            await self.send(text_data=f"{text_data!r} {bytes_data!r}")

    async def disconnect(self, code):
        ended_with.append(code)


class Values(JsonWebsocketConsumer):
    def receive_json(self, content):
        self.send_json([content])


class AsyncValues(AsyncJsonWebsocketConsumer):
    async def receive_json(self, content):
        await self.send_json([content])


ended_with = []

words = pytest.mark.parametrize("consumer", [Words, AsyncWords])
values = pytest.mark.parametrize("consumer", [Values, AsyncValues])


@pytest.mark.parametrize(
    "consumer",
    [
        WebsocketConsumer,
        AsyncWebsocketConsumer,
        JsonWebsocketConsumer,
        AsyncJsonWebsocketConsumer,
    ],
)
async def test_row_accept_a_generic_one_accepts_by_itself(consumer):
    async with reader(consumer) as client:
        assert await client.connect() == (True, None)


@pytest.mark.parametrize(
    ("consumer", "refuse"),
    [(WebsocketConsumer, "def"), (AsyncWebsocketConsumer, "async def")],
)
async def test_row_accept_connect_is_what_accepts(consumer, refuse):
    written = {}
    exec(f"{refuse} connect(self): pass", written)
    silent = type("Silent", (consumer,), {"connect": written["connect"]})
    async with reader(silent) as client:
        with pytest.raises(CheckFailed) as excinfo:
            await client.connect()
    assert excinfo.value.finding.diagnosis == "no-accept"


@words
async def test_row_receive_text_and_bytes_come_apart_as_arguments(consumer):
    async with reader(consumer) as client:
        await client.connect()
        for frame, reply in [
            ({"text_data": "hello"}, "'hello' None"),
            ({"text_data": ""}, "'' None"),
            ({"bytes_data": b"\xff"}, "None b'\\xff'"),
        ]:
            await client.send_to(**frame)
            assert await client.receive_from() == reply
        await client.send_input({"type": "websocket.receive", "text": None, "bytes": b"x"})
        assert await client.receive_from() == "None b'x'"


@words
async def test_row_send_is_one_event(consumer):
    async with reader(consumer) as client:
        await client.connect()
        client.expect()
        await client.send_to(text_data="hello")
        client.expect({"type": "websocket.send", "text": "'hello' None"})


@words
async def test_row_close_is_one_event_and_may_follow_a_send(consumer):
    async with reader(consumer) as client:
        await client.connect()
        client.expect()
        await client.send_to(text_data="bye")
        client.expect({"type": "websocket.close", "code": 4001})
    async with reader(consumer) as client:
        await client.connect()
        client.expect()
        await client.send_to(text_data="last")
        client.expect({"type": "websocket.send", "text": "bye"}, {"type": "websocket.close"})


@words
@pytest.mark.parametrize("code", [1001, None])
async def test_row_stop_the_consumer_stops_after_disconnect(consumer, code):
    ended_with.clear()
    async with reader(consumer) as client:
        await client.connect()
        await client.disconnect(code)
        assert client.finished
    assert ended_with == [code]


@values
async def test_row_loads_and_dumps_json_is_decoded_and_encoded(consumer):
    async with reader(consumer) as client:
        await client.connect()
        client.expect()
        await client.send_to(text_data='{"a": [1, null]}')
        client.expect({"type": "websocket.send", "text": '[{"a": [1, null]}]'})


@pytest.mark.parametrize(
    ("consumer", "written"),
    [
        (Values, "@classmethod\ndef decode_json(cls, text): return text * 2"),
        (AsyncValues, "@classmethod\nasync def decode_json(cls, text): return text * 2"),
    ],
)
async def test_row_loads_decode_json_is_what_decodes(consumer, written):
    names = {}
    exec(written, names)
    twice = type("Twice", (consumer,), {"decode_json": names["decode_json"]})
    async with reader(twice) as client:
        await client.connect()
        await client.send_to(text_data="no json")
        assert await client.receive_json_from() == ["no jsonno json"]


@values
@pytest.mark.parametrize(
    ("frame", "error"),
    [
        ({"text_data": "hello"}, "JSONDecodeError: Expecting value"),
        ({"text_data": "[" * 100_000}, "RecursionError: maximum recursion depth exceeded"),
        ({"text_data": ""}, "ValueError: No text section for incoming WebSocket frame!"),
        ({"bytes_data": b"{}"}, "ValueError: No text section for incoming WebSocket frame!"),
    ],
)
async def test_row_except_what_is_not_json_kills_a_generic_one(consumer, frame, error):
    async with reader(consumer) as client:
        await client.connect()
        with pytest.raises(CheckFailed, match=error):
            await client.send_to(**frame)


@values
@pytest.mark.parametrize("text", ["null", "[1]", '"command"', "5"])
async def test_row_isinstance_any_json_reaches_receive_json(consumer, text):
    async with reader(consumer) as client:
        await client.connect()
        await client.send_to(text_data=text)
        assert await client.receive_json_from() == [json.loads(text)]


@values
async def test_row_commands_a_type_in_the_json_picks_no_handler(consumer):
    async with reader(consumer) as client:
        await client.connect()
        await client.send_to(text_data='{"type": "websocket.disconnect"}')
        assert await client.receive_json_from() == [{"type": "websocket.disconnect"}]


@values
@pytest.mark.parametrize("text", ["NaN", "-Infinity", "1e999"])
async def test_a_generic_one_passes_on_what_is_not_json(consumer, text):
    async with reader(consumer) as client:
        await client.connect()
        client.expect()
        await client.send_to(text_data=text)
        client.expect({"type": "websocket.send", "text": f"[{json.dumps(json.loads(text))}]"})


@values
async def test_what_is_encoded_before_send_json_arrives_as_a_string(consumer):
    async with reader(consumer) as client:
        await client.connect()
        await client.send_to(text_data=json.dumps(json.dumps({"a": 1})))
        assert await client.receive_json_from() == ['{"a": 1}']


async def test_the_stock_communicator_sees_the_same_of_the_shelf():
    client = WebsocketCommunicator(Shelf.as_asgi(), PATH)
    assert await client.connect() == (True, None)
    await client.send_to(text_data="hello")
    assert await client.receive_json_from() == UNKNOWN
    await client.disconnect()
