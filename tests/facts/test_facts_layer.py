"""How messages and groups behave: the facts of lessons 11 and 12."""

import re

import pytest
from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer
from channels.layers import BaseChannelLayer, get_channel_layer
from channels.testing import WebsocketCommunicator

from layers_demo.consumers import Pager

TEST_TIMEOUT = 60  # seconds; only a test that fails waits this long


async def connected(consumer):
    client = WebsocketCommunicator(consumer.as_asgi(), "/")
    assert await client.connect(TEST_TIMEOUT) == (True, None)
    return client


@pytest.mark.parametrize(
    ("message", "error"),
    [
        ({"type": "pager.massage"}, "No handler for message type pager.massage"),
        ({"type": "websocket.send", "text": "hi"}, "No handler for message type websocket.send"),
        ({"text": "hi"}, "Incoming message has no 'type' attribute"),
        ({"type": "_pager"}, "Malformed type in message (leading underscore)"),
        ({"type": "pager.message"}, "'text'"),
    ],
)
async def test_an_unknown_message_ends_the_receiver_and_not_the_sender(message, error):
    pager = await connected(Pager)
    channel = await pager.receive_from(TEST_TIMEOUT)
    await get_channel_layer().send(channel, message)
    with pytest.raises((ValueError, KeyError), match=re.escape(error)):
        await pager.wait(TEST_TIMEOUT)
    await get_channel_layer().send(channel, {"type": "pager.message", "text": "no receiver"})


async def test_a_disconnect_through_the_layer_ends_the_consumer_and_not_the_connection():
    pager = await connected(Pager)
    channel = await pager.receive_from(TEST_TIMEOUT)
    await get_channel_layer().send(channel, {"type": "websocket.disconnect"})
    await pager.wait(TEST_TIMEOUT)
    assert pager.output_queue.empty()  # no close


@pytest.mark.parametrize("name", ["lobby\n", "٣"])
def test_the_name_check_of_channels_accepts_a_line_feed_and_any_digits(name):
    assert BaseChannelLayer().require_valid_group_name(name)


class SendsAtTheEnd(AsyncConsumer):
    """Sends to its group in websocket_disconnect."""

    async def websocket_connect(self, event):
        await self.channel_layer.group_add("farewells", self.channel_name)
        await self.send({"type": "websocket.accept"})

    async def farewell(self, event):
        await self.send({"type": "websocket.send", "text": event["text"]})

    async def websocket_disconnect(self, event):
        message = {"type": "farewell", "text": "goodbye"}
        await self.channel_layer.group_send("farewells", message)
        raise StopConsumer()


async def test_a_message_sent_in_disconnect_reaches_others_and_not_its_sender():
    leaving, staying = [await connected(SendsAtTheEnd) for _ in range(2)]
    await leaving.disconnect(timeout=TEST_TIMEOUT)
    assert await staying.receive_from(TEST_TIMEOUT) == "goodbye"
    assert leaving.output_queue.empty()
    await staying.disconnect(timeout=TEST_TIMEOUT)
    await get_channel_layer().flush()
