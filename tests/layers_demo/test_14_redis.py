"""Lesson 14: all clients hear Siren. If its layer fails, the client reads `out of order`.

In these tests, the methods of the layer in memory raise what redis-py raises during an outage.
"""

from unittest import mock

import pytest
from channels.layers import InMemoryChannelLayer, channel_layers, get_channel_layer
from channels.testing import WebsocketCommunicator

from layers_demo.asgi import application

PATH = "/ws/layers/redis/"
OUT_OF_ORDER = {"type": "websocket.send", "text": "out of order"}
CLOSE = {"type": "websocket.close", "code": 4013}


async def connect():
    client = WebsocketCommunicator(application, PATH)
    assert await client.connect() == (True, None)
    return client


def outage(method):
    error = OSError("Error 111 connecting to localhost:6379")
    return mock.patch.object(get_channel_layer(), method, side_effect=error)


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        ({"text": "fire"}, "fire"),
        ({"text": ""}, "test"),
        ({"bytes": b"\0"}, "test"),
        ({"text": "x" * 2**20}, "x" * 100),
    ],
)
async def test_every_client_hears_each_alarm(payload, reason):
    first, second = await connect(), await connect()
    await first.send_input({"type": "websocket.receive", **payload})
    for client in (first, second):
        assert await client.receive_from() == f"alarm: {reason}"
        await client.disconnect()


async def test_clients_with_two_in_memory_layers_do_not_reach_each_other():
    first = await connect()
    with mock.patch.dict(channel_layers.backends, default=InMemoryChannelLayer()):
        second = await connect()  # as in another process
    await first.send_to(text_data="fire")
    assert await first.receive_from() == "alarm: fire"
    assert await second.receive_nothing(timeout=0.02)
    await first.disconnect()
    await second.disconnect()


async def test_an_alarm_that_cannot_be_sent_closes_only_its_sender():
    sender, listener = await connect(), await connect()
    with outage("group_send"):
        await sender.send_to(text_data="fire")
        with pytest.raises(OSError, match="Error 111"):  # the server logs it
            await sender.wait()
    assert [sender.output_queue.get_nowait() for _ in range(2)] == [OUT_OF_ORDER, CLOSE]
    assert await listener.receive_nothing(timeout=0.02)
    await listener.disconnect()


async def test_clients_that_return_after_an_outage_reach_each_other():
    early = await connect()
    with outage("group_send"):
        await early.send_to(text_data="fire")
        with pytest.raises(OSError, match="Error 111"):
            await early.wait()
    returned = await connect()
    await returned.send_to(text_data="back")
    assert await returned.receive_from() == "alarm: back"
    await returned.disconnect()


async def test_leaves_the_handshake_during_an_outage_to_the_server():
    with outage("group_add"), outage("group_discard"):
        client = WebsocketCommunicator(application, PATH)
        await client.send_input({"type": "websocket.connect"})
        with pytest.raises(OSError, match="Error 111"):
            await client.wait()
    assert client.output_queue.empty()  # neither accepted nor closed


async def test_leaves_the_group_when_the_client_leaves():
    client = await connect()
    assert len(get_channel_layer().groups["siren"]) == 1
    await client.disconnect()
    assert "siren" not in get_channel_layer().groups
