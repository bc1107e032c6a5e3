"""How messages and groups behave: the facts of lessons 11 and 12."""

import re

import pytest
from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer
from channels.layers import BaseChannelLayer, get_channel_layer
from channels.routing import URLRouter
from django.urls import path

from layers_demo.consumers import Pager
from lessons.workshop.engine.pytest_plugin.report import ConsumerFault


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
        await self.channel_layer.group_discard("farewells", self.channel_name)
        raise StopConsumer()


@pytest.fixture
def asgi_application():
    return URLRouter([path("pager/", Pager.as_asgi()), path("farewell/", SendsAtTheEnd.as_asgi())])


@pytest.mark.parametrize(
    ("message", "error"),
    [
        ({"type": "websocket.send", "text": "hi"}, "No handler for message type websocket.send"),
        ({"text": "hi"}, "Incoming message has no 'type' attribute"),
        ({"type": "_pager"}, "Malformed type in message (leading underscore)"),
        ({"type": "pager.message"}, "KeyError: 'text'"),
    ],
)
def test_an_unknown_message_ends_the_receiver_and_not_the_sender(world, message, error):
    pager = world.connect("/pager/")
    [channel] = pager.received
    with pytest.raises(ConsumerFault, match=re.escape(error)):
        world.call(get_channel_layer().send, channel, message)
    world.call(get_channel_layer().send, channel, {"type": "pager.message", "text": "no receiver"})
    assert pager.received == [channel]


def test_a_disconnect_through_the_layer_ends_the_consumer_and_not_the_connection(world):
    pager = world.connect("/pager/")
    with pytest.raises(ConsumerFault) as raised:
        world.call(get_channel_layer().send, pager.received[0], {"type": "websocket.disconnect"})
    assert raised.value.finding.diagnosis == "zombie"
    assert pager.closed is None


@pytest.mark.parametrize("name", ["lobby\n", "٣"])
def test_the_name_check_of_channels_accepts_a_line_feed_and_any_digits(name):
    assert BaseChannelLayer().require_valid_group_name(name)


def test_a_message_sent_in_disconnect_reaches_others_and_not_its_sender(world):
    leaving, staying = world.connect("/farewell/"), world.connect("/farewell/")
    leaving.leave()
    assert (leaving.received, staying.received) == ([], ["goodbye"])
