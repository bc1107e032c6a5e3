"""Lesson 13's worked example: what has no room is lost, and the numbers show it."""

from types import SimpleNamespace
from unittest import mock

import pytest
from channels.layers import channel_layers
from channels.routing import URLRouter

from layers_demo.consumers import Burst
from layers_demo.routing import websocket_urlpatterns
from lessons.judge import StrictCommunicator
from lessons.simulator.channel_layer import SerializingLayer, fresh_layers

PATH = "/ws/layers/delivery/"


@pytest.fixture(autouse=True)
def layer():
    """A layer whose channels have room for three messages."""
    with fresh_layers(capacity=3) as layer:
        yield layer


def visitor():
    return StrictCommunicator(Burst.as_asgi(), PATH)


def told(*texts):
    return [{"type": "websocket.send", "text": text} for text in texts]


async def test_send_says_for_which_there_is_no_room_and_the_oldest_arrive():
    async with visitor() as client:
        assert await client.connect() == (True, None)
        client.expect()
        await client.send_to(text_data="send")
        arrived = [f"{number} arrived" for number in (1, 2, 3)]
        client.expect(*told("no room for 4", "no room for 5", *arrived))


async def test_group_send_says_nothing_and_the_next_number_shows_the_loss():
    async with visitor() as client:
        await client.connect()
        client.expect()
        await client.send_to(text_data="group")
        client.expect(*told(*(f"{number} arrived" for number in (1, 2, 3, 4))))
        await client.send_to(text_data="group")
        client.expect(*told("1 missed, 6 arrived", *(f"{n} arrived" for n in (7, 8, 9))))
        await client.send_to(text_data="send")
        client.expect(
            *told("no room for 14", "no room for 15"),
            *told("1 missed, 11 arrived", "12 arrived", "13 arrived"),
        )


@pytest.mark.parametrize("frame", [{"text_data": ""}, {"bytes_data": b"group"}])
async def test_any_other_frame_is_sent(frame):
    async with visitor() as client:
        await client.connect()
        client.expect()
        await client.send_to(**frame)
        assert client.unread[0] == told("no room for 4")[0]


async def test_a_layer_that_knows_no_capacity_gets_two_more_than_a_hundred():
    methods = ("new_channel", "receive", "send", "group_add", "group_send", "group_discard")
    limited = SerializingLayer(capacity=101)
    unlimited = SimpleNamespace(**{name: getattr(limited, name) for name in methods})
    with mock.patch.dict(channel_layers.backends, default=unlimited):
        async with visitor() as client:
            await client.connect()
            client.expect()
            await client.send_to(text_data="send")
            client.expect(*told("no room for 102", *(f"{n} arrived" for n in range(1, 102))))


async def test_of_102_to_a_group_101_arrive_where_there_is_room_for_a_hundred():
    with fresh_layers():
        async with visitor() as client:
            await client.connect()
            client.expect()
            await client.send_to(text_data="group")
            client.expect(*told(*(f"{n} arrived" for n in range(1, 102))))


async def test_two_visitors_hear_nothing_of_each_other():
    async with visitor() as first, visitor() as second:
        await first.connect()
        await second.connect()
        second.expect()
        await first.send_to(text_data="group")
        second.expect()


@pytest.mark.parametrize("end", ["disconnect", "crash", "kill"])
async def test_leaves_its_group_however_it_ends(layer, end):
    async with visitor() as client:
        await client.connect()
        assert list(layer.groups) == ["specific.check.1"]
        await getattr(client, end)()
        assert layer.groups == {}


async def test_may_be_cancelled_before_it_has_begun():
    async with visitor() as client:
        await client.kill()


async def test_is_routed_at_its_path():
    async with StrictCommunicator(URLRouter(websocket_urlpatterns), PATH) as client:
        assert await client.connect() == (True, None)
