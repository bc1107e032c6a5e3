"""Lesson 9: Shelf answers every frame that a client may send, and runs only its own commands."""

import json

import pytest
from channels.testing import WebsocketCommunicator

from async_demo.asgi import application
from async_demo.consumers import Shelf

PATH = "/ws/async/generic/"
UNKNOWN = {"error": "Send a JSON object with a command: put, list."}
NO_TITLE = {"error": "A title is a string of at most 100 characters."}


async def connect():
    client = WebsocketCommunicator(application, PATH)
    assert await client.connect() == (True, None)
    return client


async def ask(client, **request):
    await client.send_json_to(request)
    return await client.receive_json_from()


async def test_stores_titles_and_lists_them():
    client = await connect()
    assert await ask(client, command="list") == {"titles": []}
    assert await ask(client, command="put", title="Emma") == {"count": 1}
    assert await ask(client, command="put", title="") == {"count": 2}
    await client.send_to(text_data='{"command": "list"}')
    answer = {"type": "websocket.send", "text": '{"titles": ["Emma", ""]}'}
    assert await client.receive_output() == answer
    await client.disconnect()


async def test_each_client_has_its_own_shelf():
    first, second = await connect(), await connect()
    assert await ask(first, command="put", title="Emma") == {"count": 1}
    assert await ask(second, command="list") == {"titles": []}
    await first.disconnect()
    await second.disconnect()


INVALID_COMMANDS = [
    *("", "hello", "{", "[]", '"list"', "5", "null", "{}", "NaN", "[" * 100_000),
    *('{"command": "dance"}', '{"command": null}', '{"command": ["list"]}', '{"command": {}}'),
    *('{"command": "list_titles"}', '{"command": "websocket_disconnect"}', '{"cmd": "list"}'),
    *('{"command": "_x"}', '{"command": "websocket.disconnect"}', '{"command": "dispatch"}'),
]


async def test_an_invalid_command_gets_an_error_and_the_client_stays():
    client = await connect()
    for text in INVALID_COMMANDS:
        await client.send_input({"type": "websocket.receive", "text": text})
        assert await client.receive_json_from() == UNKNOWN
    assert await ask(client, command="list") == {"titles": []}
    await client.disconnect()


@pytest.mark.parametrize("data", [b'{"command": "list"}', b"\xff"])
async def test_a_binary_frame_gets_the_error_too(data):
    client = await connect()
    await client.send_to(bytes_data=data)
    assert await client.receive_json_from() == UNKNOWN
    await client.send_input({"type": "websocket.receive", "text": None, "bytes": data})
    assert await client.receive_json_from() == UNKNOWN
    await client.disconnect()


@pytest.mark.parametrize("title", [None, 5, ["Emma"], "x" * 101])
async def test_a_title_that_is_long_or_not_a_string_is_rejected_and_not_stored(title):
    client = await connect()
    assert await ask(client, command="put", title=title) == NO_TITLE
    assert await ask(client, command="put") == NO_TITLE
    assert await ask(client, command="list") == {"titles": []}
    await client.disconnect()


async def test_a_shelf_is_full_with_a_hundred_titles_of_a_hundred_characters():
    client = await connect()
    for number in range(1, 101):
        assert await ask(client, command="put", title="🦊" * 100) == {"count": number}
    assert await ask(client, command="put", title="Emma") == {"error": "The shelf is full."}
    assert await ask(client, command="list") == {"titles": ["🦊" * 100] * 100}
    await client.disconnect()


async def test_a_client_stops_a_consumer_that_looks_commands_up_on_self():
    class Unsafe(Shelf):
        async def websocket_receive(self, event):
            await getattr(self, json.loads(event["text"])["command"])(event)

    client = WebsocketCommunicator(Unsafe.as_asgi(), PATH)
    await client.connect()
    await client.send_to(text_data='{"command": "websocket_disconnect"}')
    await client.wait()  # the consumer ends, although the client has not left
    assert client.output_queue.empty()  # and sends no close
