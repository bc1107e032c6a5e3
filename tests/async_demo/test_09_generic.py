"""Lesson 9, Shelf: a consumer that survives any frame, compared with the generic consumers."""

import json

from asgiref.sync import async_to_sync
from channels.testing import WebsocketCommunicator

from async_demo.consumers import Shelf

PATH = "/ws/async/generic/"
UNKNOWN = {"error": "Send a JSON object with a command: put, list."}


async def ask(client, text):
    """Send the text. Return the value in the JSON that the client receives."""
    await client.send_input({"type": "websocket.receive", "text": text})
    return await client.receive_json_from()


def test_stores_titles_and_lists_them():
    async def conversation():
        client = WebsocketCommunicator(Shelf.as_asgi(), PATH)
        assert await client.connect() == (True, None)
        assert await ask(client, '{"command": "list"}') == {"titles": []}
        assert await ask(client, '{"command": "put", "title": "Emma"}') == {"count": 1}
        assert await ask(client, '{"command": "put", "title": ""}') == {"count": 2}
        assert await ask(client, '{"command": "list"}') == {"titles": ["Emma", ""]}
        await client.disconnect()

    async_to_sync(conversation)()


def test_each_client_has_its_own_shelf():
    async def conversation():
        first = WebsocketCommunicator(Shelf.as_asgi(), PATH)
        second = WebsocketCommunicator(Shelf.as_asgi(), PATH)
        await first.connect()
        await second.connect()
        assert await ask(first, '{"command": "put", "title": "Emma"}') == {"count": 1}
        assert await ask(second, '{"command": "list"}') == {"titles": []}
        await first.disconnect()
        await second.disconnect()

    async_to_sync(conversation)()


INVALID_COMMANDS = [
    *("", "hello", "{", "[]", '"list"', "5", "null", "{}", "NaN", "[" * 100_000),
    *('{"command": "dance"}', '{"command": null}', '{"command": ["list"]}', '{"command": {}}'),
    *('{"command": "list_titles"}', '{"command": "websocket_disconnect"}', '{"cmd": "list"}'),
    *('{"command": "_x"}', '{"command": "websocket.disconnect"}', '{"command": "dispatch"}'),
]


def test_an_invalid_command_gets_an_error_and_the_client_stays():
    async def conversation():
        client = WebsocketCommunicator(Shelf.as_asgi(), PATH)
        await client.connect()
        for text in INVALID_COMMANDS:
            assert await ask(client, text) == UNKNOWN
        await client.send_to(bytes_data=b'{"command": "list"}')
        assert await client.receive_json_from() == UNKNOWN
        await client.send_input({"type": "websocket.receive", "text": None, "bytes": b"\xff"})
        assert await client.receive_json_from() == UNKNOWN
        assert await ask(client, '{"command": "list"}') == {"titles": []}
        await client.disconnect()

    async_to_sync(conversation)()


def test_a_client_stops_a_consumer_that_looks_commands_up_on_self():
    class Unsafe(Shelf):
        async def websocket_receive(self, event):
            await getattr(self, json.loads(event["text"])["command"])(event)

    async def conversation():
        client = WebsocketCommunicator(Unsafe.as_asgi(), PATH)
        await client.connect()
        await client.send_to(text_data='{"command": "websocket_disconnect"}')
        await client.wait()  # the consumer ends, although the client has not left
        assert await client.receive_nothing()  # and sends no close

    async_to_sync(conversation)()


# ── What only the strict communicator sees ──
# The stock communicator ignores a missing StopConsumer, and receive_json_from() does not compare
# whole events. The strict one also ends each handler before the test goes on.
import re

import pytest
from channels.generic.websocket import (
    AsyncJsonWebsocketConsumer,
    AsyncWebsocketConsumer,
    JsonWebsocketConsumer,
    WebsocketConsumer,
)
from channels.routing import URLRouter

from async_demo.routing import websocket_urlpatterns
from lessons.workshop.engine.faults.finding import CheckFailed
from lessons.workshop.judge import StrictCommunicator
from tests.support.python_messages import nested_too_deep

NO_TITLE = {"error": "A title is a string of at most 100 characters."}


def new_client(consumer=Shelf):
    return StrictCommunicator(consumer.as_asgi(), PATH)


async def expect_reply_to_frame(client, answer, **frame):
    """Send the frame. Expect exactly this answer, as JSON in a text frame."""
    await client.send_to(**frame)
    client.expect({"type": "websocket.send", "text": json.dumps(answer)})


async def expect_reply(client, answer, **request):
    await expect_reply_to_frame(client, answer, text_data=json.dumps(request))


@pytest.mark.parametrize("title", [None, 5, ["Emma"], float("nan"), "x" * 101])
async def test_a_title_that_is_long_or_not_a_string_is_rejected_and_not_stored(title):
    async with new_client() as client:
        await client.connect()
        client.expect()
        await expect_reply(client, NO_TITLE, command="put", title=title)
        await expect_reply(client, NO_TITLE, command="put")
        await expect_reply(client, {"titles": []}, command="list")


async def test_a_shelf_is_full_with_a_hundred_titles_of_a_hundred_characters():
    async with new_client() as client:
        await client.connect()
        client.expect()
        for number in range(1, 101):
            await expect_reply(client, {"count": number}, command="put", title="🦊" * 100)
        await expect_reply(client, {"error": "The shelf is full."}, command="put", title="Emma")
        await expect_reply(client, {"titles": ["🦊" * 100] * 100}, command="list")


async def test_a_type_in_a_request_has_no_effect():
    async with new_client() as client:
        await client.connect()
        client.expect()
        await expect_reply(client, {"titles": []}, command="list", type="websocket.disconnect")


async def test_is_routed_at_its_path():
    async with StrictCommunicator(URLRouter(websocket_urlpatterns), PATH) as client:
        assert await client.connect() == (True, None)
        await expect_reply(client, {"titles": []}, command="list")


# The table in lesson.md: one test for each row, against the installed Channels


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
async def test_row_accept_a_generic_consumer_accepts_by_itself(consumer):
    async with new_client(consumer) as client:
        assert await client.connect() == (True, None)


@pytest.mark.parametrize(
    ("consumer", "refuse"),
    [(WebsocketConsumer, "def"), (AsyncWebsocketConsumer, "async def")],
)
async def test_row_accept_is_done_by_connect(consumer, refuse):
    written = {}
    exec(f"{refuse} connect(self): pass", written)
    silent = type("Silent", (consumer,), {"connect": written["connect"]})
    async with new_client(silent) as client:
        with pytest.raises(CheckFailed) as excinfo:
            await client.connect()
    assert excinfo.value.finding.diagnosis == "no-accept"


@words
async def test_row_receive_text_and_bytes_are_separate_arguments(consumer):
    async with new_client(consumer) as client:
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


@pytest.mark.parametrize("base", [WebsocketConsumer, AsyncWebsocketConsumer])
async def test_a_receive_without_bytes_data_fails_on_a_binary_frame(base):
    """The arguments are bound at the call, so a sync `receive` shows the same as an async one."""

    class TextOnly(base):
        def receive(self, text_data):
            raise NotImplementedError

    async with new_client(TextOnly) as client:
        await client.connect()
        with pytest.raises(CheckFailed, match="unexpected keyword argument 'bytes_data'"):
            await client.send_to(bytes_data=b"x")


@words
async def test_row_send_is_one_event(consumer):
    async with new_client(consumer) as client:
        await client.connect()
        client.expect()
        await client.send_to(text_data="hello")
        client.expect({"type": "websocket.send", "text": "'hello' None"})


@words
async def test_row_close_is_one_event_and_may_follow_a_send(consumer):
    async with new_client(consumer) as client:
        await client.connect()
        client.expect()
        await client.send_to(text_data="bye")
        client.expect({"type": "websocket.close", "code": 4001})
    async with new_client(consumer) as client:
        await client.connect()
        client.expect()
        await client.send_to(text_data="last")
        client.expect({"type": "websocket.send", "text": "bye"}, {"type": "websocket.close"})


@words
@pytest.mark.parametrize("code", [1001, None])
async def test_row_stop_the_consumer_stops_after_disconnect(consumer, code):
    ended_with.clear()
    async with new_client(consumer) as client:
        await client.connect()
        await client.disconnect(code)
        assert client.finished
    assert ended_with == [code]


@values
async def test_row_loads_and_dumps_json_is_decoded_and_encoded(consumer):
    async with new_client(consumer) as client:
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
async def test_row_loads_is_done_by_decode_json(consumer, written):
    names = {}
    exec(written, names)
    twice = type("Twice", (consumer,), {"decode_json": names["decode_json"]})
    async with new_client(twice) as client:
        await client.connect()
        await client.send_to(text_data="no json")
        assert await client.receive_json_from() == ["no jsonno json"]


@values
@pytest.mark.parametrize(
    ("frame", "error"),
    [
        ({"text_data": "hello"}, "JSONDecodeError: Expecting value"),
        ({"text_data": "[" * 100_000}, f"RecursionError: {re.escape(nested_too_deep())}"),
        ({"text_data": ""}, "ValueError: No text section for incoming WebSocket frame!"),
        ({"bytes_data": b"{}"}, "ValueError: No text section for incoming WebSocket frame!"),
    ],
)
async def test_row_except_invalid_json_ends_a_generic_consumer(consumer, frame, error):
    async with new_client(consumer) as client:
        await client.connect()
        with pytest.raises(CheckFailed, match=error):
            await client.send_to(**frame)


@values
@pytest.mark.parametrize("text", ["null", "[1]", '"command"', "5"])
async def test_row_isinstance_any_json_reaches_receive_json(consumer, text):
    async with new_client(consumer) as client:
        await client.connect()
        await client.send_to(text_data=text)
        assert await client.receive_json_from() == [json.loads(text)]


@values
async def test_row_commands_a_type_in_the_json_selects_no_handler(consumer):
    async with new_client(consumer) as client:
        await client.connect()
        await client.send_to(text_data='{"type": "websocket.disconnect"}')
        assert await client.receive_json_from() == [{"type": "websocket.disconnect"}]


@values
@pytest.mark.parametrize("text", ["NaN", "-Infinity", "1e999"])
async def test_a_generic_consumer_sends_invalid_json_numbers(consumer, text):
    async with new_client(consumer) as client:
        await client.connect()
        client.expect()
        await client.send_to(text_data=text)
        client.expect({"type": "websocket.send", "text": f"[{json.dumps(json.loads(text))}]"})


@values
async def test_what_is_encoded_before_send_json_arrives_as_a_string(consumer):
    async with new_client(consumer) as client:
        await client.connect()
        await client.send_to(text_data=json.dumps(json.dumps({"a": 1})))
        assert await client.receive_json_from() == ['{"a": 1}']
