"""Lesson 13's consumers on real layers: a burst loses messages, and an order can be serialized."""

import pytest
from channels.layers import channel_layers
from channels.testing import WebsocketCommunicator

from layers_demo.consumers import Burst
from lessons.core.catalogue import find
from lessons.playback.target import resolve
from lessons.simulator.student_module import load_subject

TEST_TIMEOUT = 10  # seconds; on an idle machine, each reply takes some milliseconds


@pytest.fixture
def layer(layers, monkeypatch):
    """The layer of the consumers. If it has a limit, the limit is three messages."""
    layer = layers.make(capacity=3)
    monkeypatch.setitem(channel_layers.backends, "default", layer)
    return layer


async def connected(consumer):
    client = WebsocketCommunicator(consumer.as_asgi(), "/ws/")
    assert await client.connect(timeout=TEST_TIMEOUT) == (True, None)
    return client


async def replies(client, count):
    return [await client.receive_from(timeout=TEST_TIMEOUT) for _ in range(count)]


async def test_a_burst_to_a_full_group_loses_messages_and_the_next_burst_shows_it(layer, layers):
    client = await connected(Burst)
    await client.send_to(text_data="group")
    limited = layers.kind != "Redis pub/sub"
    arrived = 4 if limited else 102
    assert await replies(client, arrived) == [f"{n} arrived" for n in range(1, arrived + 1)]
    await client.send_to(text_data="group")
    assert await replies(client, 1) == ["1 missed, 6 arrived" if limited else "103 arrived"]
    await client.disconnect(timeout=TEST_TIMEOUT)


@pytest.mark.parametrize("layers", ["in memory", "Redis"], indirect=True)
async def test_the_solution_sends_serializable_orders_and_reports_a_full_kitchen(layer):
    client = await connected(load_subject(resolve(find("delivery"), "solution")))
    for dish in ("soup", "tea", "rice", "cake"):
        await client.send_to(text_data=dish)
    expected = ["1 ordered", "2 ordered", "3 ordered", "4 not ordered"]
    assert await replies(client, 4) == expected
    orders = [await layer.receive("kitchen") for _ in range(3)]
    assert [order["dish"] for order in orders] == ["soup", "tea", "rice"]
    assert orders[2]["earlier"] == {"1": "soup", "2": "tea"}
    await client.disconnect(timeout=TEST_TIMEOUT)
