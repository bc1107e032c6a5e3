"""Lesson 11: each Pager has a channel, and code that knows its name can send to its client."""

import pytest
from asgiref.sync import sync_to_async
from channels.exceptions import ChannelFull
from channels.layers import get_channel_layer
from channels.testing import WebsocketCommunicator

from layers_demo.asgi import application
from layers_demo.paging import InvalidChannel, send_page


async def connect():
    client = WebsocketCommunicator(application, "/ws/layers/channel/")
    assert await client.connect() == (True, None)
    return client, await client.receive_from()  # the name of the consumer's channel


async def test_a_text_of_the_client_comes_back_through_the_layer():
    client, _ = await connect()
    await client.send_to(text_data="tea")
    assert await client.receive_output() == {"type": "websocket.send", "text": "page: tea"}
    assert await client.receive_nothing(timeout=0.02)
    await client.disconnect()


@pytest.mark.parametrize("payload", [{"text": ""}, {"bytes": b"tea"}])
async def test_a_frame_without_text_gets_no_answer(payload):
    client, _ = await connect()
    await client.send_input({"type": "websocket.receive", **payload})
    assert await client.receive_nothing(timeout=0.02)
    await client.disconnect()


async def test_a_message_to_the_channel_reaches_this_client_only():
    first, _ = await connect()
    second, channel = await connect()
    await get_channel_layer().send(channel, {"type": "pager.message", "text": "tea"})
    assert await second.receive_from() == "page: tea"
    assert await first.receive_nothing(timeout=0.02)
    await first.disconnect()
    await second.disconnect()


async def test_a_misspelt_type_ends_the_receiver_and_the_sender_notices_nothing():
    client, channel = await connect()
    await get_channel_layer().send(channel, {"type": "pager.massage"})
    with pytest.raises(ValueError, match="No handler for message type pager"):
        await client.wait()


@pytest.mark.parametrize(("text", "received"), [("tea", "tea"), ("x" * 2**21, "x" * 1000)])
async def test_sync_code_sends_the_first_thousand_characters(text, received):
    client, channel = await connect()
    await sync_to_async(send_page)(channel, text)
    assert await client.receive_from() == f"page: {received}"
    await client.disconnect()


@pytest.mark.parametrize("name", ["", "some-worker", "a!1", "specific.a!b!c", "specific.é"])
def test_sync_code_rejects_a_name_that_is_not_the_channel_of_a_connection(name):
    with pytest.raises(InvalidChannel):
        send_page(name, "tea")


def test_sync_code_receives_an_exception_if_the_channel_is_full():
    for _ in range(100):
        send_page("specific.gone!1", "tea")  # its consumer reads no more
    with pytest.raises(ChannelFull):
        send_page("specific.gone!1", "tea")
