"""What the generic consumers of Channels do by themselves: the table of lesson 9, row by row."""

import json

import pytest
from channels.generic.websocket import AsyncJsonWebsocketConsumer, AsyncWebsocketConsumer
from channels.testing import WebsocketCommunicator

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


async def connected(consumer):
    """A client that the consumer has accepted by itself: the row `accept`."""
    client = WebsocketCommunicator(consumer.as_asgi(), "/")
    assert await client.connect() == (True, None)
    return client


async def reply_to(client, **frame):
    await client.send_input({"type": "websocket.receive", **frame})
    return await client.receive_output()


def text_frame(text):
    return {"type": "websocket.send", "text": text}


async def test_row_accept_is_done_by_connect():
    client = WebsocketCommunicator(Silent.as_asgi(), "/")
    await client.send_input({"type": "websocket.connect"})
    assert await client.receive_nothing(timeout=0.02)
    await client.disconnect()


async def test_row_receive_and_send_text_and_bytes_are_separate_arguments():
    client = await connected(Words)
    assert await reply_to(client, text="hello") == text_frame("'hello' None")
    assert await reply_to(client, text="") == text_frame("'' None")
    assert await reply_to(client, bytes=b"\xff") == text_frame("None b'\\xff'")
    assert await reply_to(client, text=None, bytes=b"x") == text_frame("None b'x'")
    await client.disconnect()
    assert client.output_queue.empty()


async def test_row_close_is_one_event_and_may_follow_a_send():
    client = await connected(Words)
    assert await reply_to(client, text="bye") == {"type": "websocket.close", "code": 4001}
    await client.disconnect()
    assert client.output_queue.empty()
    client = await connected(Words)
    assert await reply_to(client, text="last") == text_frame("bye")
    assert await client.receive_output() == {"type": "websocket.close"}
    await client.disconnect()


@pytest.mark.parametrize("code", [1001, None])
async def test_row_stop_the_consumer_stops_after_disconnect(code):
    ended_with.clear()
    client = await connected(Words)
    await client.disconnect(code)
    assert not client.future.cancelled()
    assert ended_with == [code]


async def test_row_loads_and_dumps_json_is_decoded_and_encoded():
    client = await connected(Values)
    assert await reply_to(client, text='{"a": [1, null]}') == text_frame('[{"a": [1, null]}]')
    await client.disconnect()


@pytest.mark.parametrize(
    ("frame", "error", "text"),
    [
        ({"text": "hello"}, ValueError, "Expecting value"),
        ({"text": "[" * 100_000}, RecursionError, "while decoding a JSON array"),
        ({"text": ""}, ValueError, "No text section for incoming WebSocket frame!"),
        ({"bytes": b"{}"}, ValueError, "No text section for incoming WebSocket frame!"),
    ],
)
async def test_row_except_invalid_json_ends_a_generic_consumer(frame, error, text):
    client = await connected(Values)
    await client.send_input({"type": "websocket.receive", **frame})
    with pytest.raises(error) as raised:
        await client.wait()
    assert text in str(raised.value)


@pytest.mark.parametrize("text", ["null", "[1]", '"command"', "5", '{"type": "websocket.close"}'])
async def test_row_isinstance_any_json_reaches_receive_json(text):
    client = await connected(Values)
    assert json.loads((await reply_to(client, text=text))["text"]) == [json.loads(text)]
    await client.disconnect()


@pytest.mark.parametrize("text", ["NaN", "-Infinity", "1e999"])
async def test_a_generic_consumer_sends_invalid_json_numbers(text):
    client = await connected(Values)
    assert await reply_to(client, text=text) == text_frame(f"[{json.dumps(json.loads(text))}]")
    await client.disconnect()
