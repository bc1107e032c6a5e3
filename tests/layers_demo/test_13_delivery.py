"""Lesson 13: a full channel loses messages. `send` raises ChannelFull, `group_send` is silent.

Burst sends itself two messages more than its channel can hold, and numbers them.
"""

import pytest
from channels.layers import InMemoryChannelLayer, channel_layers
from channels.testing import WebsocketCommunicator

from layers_demo.consumers import Burst

PATH = "/ws/layers/delivery/"


@pytest.fixture(autouse=True)
def layer(monkeypatch):
    """A layer whose channels can hold three messages."""
    layer = InMemoryChannelLayer(capacity=3)
    monkeypatch.setitem(channel_layers.backends, "default", layer)
    return layer


async def connect():
    client = WebsocketCommunicator(Burst.as_asgi(), PATH)
    assert await client.connect() == (True, None)
    return client


async def receive(client, count):
    return [await client.receive_from() for _ in range(count)]


async def test_send_raises_channel_full_and_the_oldest_messages_arrive():
    client = await connect()
    await client.send_to(text_data="send")
    assert await receive(client, 2) == ["no room for 4", "no room for 5"]
    assert await receive(client, 3) == ["1 arrived", "2 arrived", "3 arrived"]
    assert await client.receive_nothing(timeout=0.02)
    await client.disconnect()


async def test_group_send_is_silent_and_the_next_number_shows_the_loss():
    client = await connect()
    await client.send_to(text_data="group")
    assert await receive(client, 4) == ["1 arrived", "2 arrived", "3 arrived", "4 arrived"]
    assert await client.receive_nothing(timeout=0.02)  # number 5 is lost
    await client.send_to(text_data="group")
    assert await client.receive_from() == "6 arrived"
    await client.disconnect()


async def test_of_102_group_messages_101_arrive_with_the_default_capacity(layer):
    layer.capacity = InMemoryChannelLayer().capacity
    client = await connect()
    await client.send_to(text_data="group")
    assert await receive(client, 101) == [f"{number} arrived" for number in range(1, 102)]
    assert await client.receive_nothing(timeout=0.02)
    await client.disconnect()


async def test_a_layer_that_does_not_tell_its_capacity_gets_102_messages(layer):
    layer.channel_capacity = layer.compile_capacities({"*": 101})
    del layer.capacity
    client = await connect()
    await client.send_to(text_data="send")
    assert await receive(client, 2) == ["no room for 102", "1 arrived"]
    await client.disconnect()


@pytest.mark.parametrize("payload", [{"text": ""}, {"bytes": b"group"}])
async def test_any_other_frame_is_sent(payload):
    client = await connect()
    await client.send_input({"type": "websocket.receive", **payload})
    assert await client.receive_from() == "no room for 4"
    await client.disconnect()


async def test_two_clients_receive_nothing_from_each_other(layer):
    first, second = await connect(), await connect()
    await first.send_to(text_data="group")
    assert await first.receive_from() == "1 arrived"
    assert await second.receive_nothing(timeout=0.02)
    await first.disconnect()
    await second.disconnect()
    assert layer.groups == {}
