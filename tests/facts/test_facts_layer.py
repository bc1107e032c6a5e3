"""How messages and groups behave on a real Daphne: the facts of lessons 11 and 12."""

import itertools
import json
from contextlib import ExitStack

import pytest
from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer
from channels.layers import BaseChannelLayer, InMemoryChannelLayer, get_channel_layer
from channels.testing import WebsocketCommunicator
from channels_redis.core import RedisChannelLayer
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from tests.support.programs.real_daphne import TEST_TIMEOUT, RealDaphne


@pytest.fixture(scope="module")
def daphne():
    with RealDaphne("demo", "lounges") as server:
        yield server


numbers = itertools.count(1)


@pytest.fixture
def visit(daphne):
    """`visit(path)`: the socket of a new client. Its consumer prints `socket.number`."""
    with ExitStack() as sockets:

        def enter(path):
            number = next(numbers)
            url = f"ws://127.0.0.1:{daphne.port}/{path}?{number}"
            opened = connect(url, proxy=None, open_timeout=TEST_TIMEOUT)
            socket = sockets.enter_context(opened)
            socket.number = number
            return socket

        yield enter


@pytest.fixture
def send(visit):
    """`send(channel, message)`: another consumer sends the message."""
    socket = visit("probe/")

    def send(channel, message):
        socket.send(json.dumps([channel, message]))
        assert socket.recv(TEST_TIMEOUT) == "sent"

    return send


def close_code(socket):
    with pytest.raises(ConnectionClosed):
        socket.recv(TEST_TIMEOUT)
    return socket.close_code


@pytest.mark.parametrize(
    ("message", "logged"),
    [
        ({"type": "pager.massage"}, "No handler for message type pager.massage"),
        ({"type": "websocket.send", "text": "hi"}, "No handler for message type websocket.send"),
        ({"text": "hi"}, "Incoming message has no 'type' attribute"),
        ({"type": "_pager"}, "Malformed type in message (leading underscore)"),
        ({"type": "pager.message"}, "'text'"),
    ],
)
def test_an_unknown_message_ends_the_receiver_and_not_the_sender(
    daphne, visit, send, message, logged
):
    pager = visit("ws/layers/channel/")
    channel = pager.recv(TEST_TIMEOUT)
    send(channel, message)
    assert close_code(pager) == 1011
    daphne.wait_for_line(f"log Exception inside application: {logged}")
    send(channel, {"type": "pager.message", "text": "no receiver"})


def test_a_disconnect_through_the_layer_ends_the_consumer_and_not_the_connection(
    daphne, visit, send
):
    pager = visit("ws/layers/channel/")
    send(pager.recv(TEST_TIMEOUT), {"type": "websocket.disconnect"})
    daphne.wait_for_line(f"{pager.number} over")
    assert pager.ping().wait(TEST_TIMEOUT)


@pytest.mark.parametrize("name", ["two%20words", "caf%C3%A9", "%D9%A3", "lobby%0A", "x" * 300])
def test_a_client_sees_the_code_of_a_close_after_the_accept(visit, name):
    assert close_code(visit(f"lounge/{name}/")) == 4400


@pytest.mark.parametrize("name", ["lobby\n", "٣"])
def test_the_name_check_of_channels_accepts_a_line_feed_and_any_digits(name):
    assert BaseChannelLayer().require_valid_group_name(name)


@pytest.mark.parametrize("layer", [InMemoryChannelLayer, RedisChannelLayer])
def test_a_member_that_is_never_removed_stays_for_a_day(layer):
    assert layer().group_expiry == 24 * 60 * 60


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
    leaving, staying = [WebsocketCommunicator(SendsAtTheEnd.as_asgi(), "/") for _ in range(2)]
    for client in (leaving, staying):
        assert await client.connect(TEST_TIMEOUT) == (True, None)
    await leaving.disconnect(timeout=TEST_TIMEOUT)
    assert await staying.receive_from(TEST_TIMEOUT) == "goodbye"
    assert leaving.output_queue.empty()
    await staying.disconnect(timeout=TEST_TIMEOUT)
    await get_channel_layer().flush()
