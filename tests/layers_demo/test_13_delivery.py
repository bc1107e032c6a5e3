"""Lesson 13, Burst: a full channel loses messages, and the numbers show the loss."""

from unittest import mock

import pytest
from asgiref.sync import async_to_sync
from channels.layers import InMemoryChannelLayer, channel_layers
from channels.testing import WebsocketCommunicator

from layers_demo.consumers import Burst

PATH = "/ws/layers/delivery/"


def layer_with(**config):
    return mock.patch.dict(channel_layers.backends, default=InMemoryChannelLayer(**config))


async def connect():
    client = WebsocketCommunicator(Burst.as_asgi(), PATH)
    connected, _ = await client.connect()
    assert connected
    return client


async def texts(client, count):
    return [await client.receive_from() for _ in range(count)]


def test_send_raises_channel_full_and_the_oldest_messages_arrive():
    async def conversation():
        with layer_with(capacity=3):
            client = await connect()
            await client.send_to(text_data="send")
            lost = ["no room for 4", "no room for 5"]
            assert await texts(client, 5) == [*lost, "1 arrived", "2 arrived", "3 arrived"]
            await client.disconnect()

    async_to_sync(conversation)()


def test_group_send_is_silent_and_the_next_number_shows_the_loss():
    async def conversation():
        with layer_with(capacity=3):
            client = await connect()
            await client.send_to(text_data="group")
            assert await texts(client, 4) == [f"{number} arrived" for number in (1, 2, 3, 4)]
            assert await client.receive_nothing()  # number 5 is lost
            await client.send_to(text_data="group")
            assert await client.receive_from() == "6 arrived"
            await client.disconnect()

    async_to_sync(conversation)()


def test_of_102_group_messages_101_arrive_with_the_default_capacity():
    async def conversation():
        with layer_with():
            client = await connect()
            await client.send_to(text_data="group")
            assert await texts(client, 101) == [f"{number} arrived" for number in range(1, 102)]
            assert await client.receive_nothing()
            await client.disconnect()

    async_to_sync(conversation)()


# ── What only the strict communicator sees ──
# The stock communicator passes even if the consumer never stops. The simulated layer also shows
# which members a group still has after an exception or a cancelled consumer.

from types import SimpleNamespace

from channels.routing import URLRouter

from layers_demo.routing import websocket_urlpatterns
from lessons.workshop.engine.world.channel_layer import SerializingLayer, fresh_layers
from lessons.workshop.judge import StrictCommunicator


@pytest.fixture(autouse=True)
def layer():
    """A layer whose channels can hold three messages."""
    with fresh_layers(capacity=3) as layer:
        yield layer


def new_client():
    return StrictCommunicator(Burst.as_asgi(), PATH)


def text_frames(*texts):
    return [{"type": "websocket.send", "text": text} for text in texts]


async def test_counts_on_after_a_loss():
    async with new_client() as client:
        await client.connect()
        client.expect()
        await client.send_to(text_data="group")
        client.expect(*text_frames(*(f"{n} arrived" for n in (1, 2, 3, 4))))
        await client.send_to(text_data="send")
        client.expect(
            *text_frames("no room for 9", "no room for 10"),
            *text_frames("6 arrived", "7 arrived", "8 arrived"),
        )


@pytest.mark.parametrize("frame", [{"text_data": ""}, {"bytes_data": b"group"}])
async def test_any_other_frame_is_sent(frame):
    async with new_client() as client:
        await client.connect()
        client.expect()
        await client.send_to(**frame)
        assert client.unread[0] == text_frames("no room for 4")[0]


async def test_a_layer_without_a_capacity_gets_102_messages():
    methods = ("new_channel", "receive", "send", "group_add", "group_send", "group_discard")
    limited = SerializingLayer(capacity=101)
    unlimited = SimpleNamespace(**{name: getattr(limited, name) for name in methods})
    with mock.patch.dict(channel_layers.backends, default=unlimited):
        async with new_client() as client:
            await client.connect()
            client.expect()
            await client.send_to(text_data="send")
            client.expect(*text_frames("no room for 102", *(f"{n} arrived" for n in range(1, 102))))


async def test_two_clients_receive_nothing_from_each_other():
    async with new_client() as first, new_client() as second:
        await first.connect()
        await second.connect()
        second.expect()
        await first.send_to(text_data="group")
        second.expect()


@pytest.mark.parametrize("end", ["disconnect", "crash", "kill"])
async def test_leaves_its_group_however_the_connection_ends(layer, end):
    async with new_client() as client:
        await client.connect()
        assert list(layer.groups) == ["specific.check.1"]
        await getattr(client, end)()
        assert layer.groups == {}


async def test_survives_a_cancel_before_its_first_event():
    async with new_client() as client:
        await client.kill()


async def test_is_routed_at_its_path():
    async with StrictCommunicator(URLRouter(websocket_urlpatterns), PATH) as client:
        assert await client.connect() == (True, None)
