"""Lesson 13's consumers on real layers: a burst loses messages, and numbers show the loss."""

import pytest
from channels.layers import channel_layers
from channels.testing import WebsocketCommunicator

from layers_demo.consumers import Burst
from lessons.workshop.course.lesson_index import find
from lessons.workshop.engine.process.target import resolve
from lessons.workshop.engine.world.student_module import load_subject

TEST_TIMEOUT = 60  # seconds; on an idle machine, each reply takes some milliseconds


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
    assert await replies(client, 1) == ["6 arrived" if limited else "103 arrived"]
    await client.disconnect(timeout=TEST_TIMEOUT)


async def test_the_solution_reports_a_gap_in_the_numbers(layer):
    client = await connected(load_subject(resolve(find("delivery"), "solution")))
    for number in (7, 10):
        message = {"type": "dish.ready", "number": number, "dish": "tea"}
        await layer.group_send("waiters", message)
    assert await replies(client, 3) == ["tea is ready", "2 missed", "tea is ready"]
    await client.disconnect(timeout=TEST_TIMEOUT)
