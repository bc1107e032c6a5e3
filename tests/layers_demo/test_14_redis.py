"""Lesson 14, Siren: clients of all servers hear it, and an outage puts it out of order."""

from unittest import mock

import pytest
from asgiref.sync import async_to_sync
from channels.layers import InMemoryChannelLayer, channel_layers, get_channel_layer
from channels.testing import WebsocketCommunicator

from layers_demo.consumers import Siren

PATH = "/ws/layers/redis/"
OUT_OF_ORDER = {"type": "websocket.send", "text": "out of order"}
CLOSE = {"type": "websocket.close"}


async def connect():
    client = WebsocketCommunicator(Siren.as_asgi(), PATH)
    connected, _ = await client.connect()
    assert connected
    return client


def outage(method):
    """Let a method of the layer raise what redis-py raises."""
    error = OSError("Error 111 connecting to localhost:6379")
    return mock.patch.object(get_channel_layer(), method, side_effect=error)


async def events_before_the_exception(client):
    """Return each event that the consumer sent before it failed."""
    with pytest.raises(OSError, match="Error 111"):  # the server logs it
        await client.wait()
    return [client.output_queue.get_nowait() for _ in range(client.output_queue.qsize())]


def test_every_client_hears_each_alarm():
    async def conversation():
        first, second = await connect(), await connect()
        for frame, reason in (
            ({"text_data": "fire"}, "fire"),
            ({"bytes_data": b"\0"}, "test"),
            ({"text_data": "x" * 2**20}, "x" * 100),
        ):
            await first.send_to(**frame)
            for client in (first, second):
                assert await client.receive_from() == f"alarm: {reason}"
        for client in (first, second):
            await client.disconnect()

    async_to_sync(conversation)()


def test_clients_with_two_in_memory_layers_do_not_reach_each_other():
    async def conversation():
        first = await connect()
        with mock.patch.dict(channel_layers.backends, default=InMemoryChannelLayer()):
            second = await connect()  # as in another process
        await first.send_to(text_data="fire")
        assert await first.receive_from() == "alarm: fire"
        assert await second.receive_nothing()
        for client in (first, second):
            await client.disconnect()

    async_to_sync(conversation)()


def test_the_sender_of_an_alarm_that_cannot_be_sent_reads_that_it_is_out_of_order():
    async def conversation():
        client = await connect()
        with outage("group_send"):
            await client.send_to(text_data="fire")
            assert await events_before_the_exception(client) == [OUT_OF_ORDER, CLOSE]

    async_to_sync(conversation)()


def test_leaves_the_handshake_during_an_outage_to_the_server():
    async def conversation():
        with outage("group_add"), outage("group_discard"):
            client = WebsocketCommunicator(Siren.as_asgi(), PATH)
            await client.send_input({"type": "websocket.connect"})
            assert await events_before_the_exception(client) == []

    async_to_sync(conversation)()


# ── What only the strict communicator sees ──
# With the stock communicator, no Redis fails: a patched method raises only when it is called. The
# simulated Redis also ends idle consumers, which only wait for their own channel.

from channels.routing import URLRouter
from redis.exceptions import ConnectionError

from layers_demo.routing import websocket_urlpatterns
from lessons.workshop.engine.world.channel_layer import fake_redis
from lessons.workshop.judge import StrictCommunicator


@pytest.fixture
def redis():
    with fake_redis() as server:
        yield server


def new_client():
    return StrictCommunicator(Siren.as_asgi(), PATH)


async def enter(client):
    assert await client.connect() == (True, None)
    client.expect()


async def test_joins_before_the_accept_and_leaves_at_the_end(redis):
    async with new_client() as client:
        await enter(client)
        types = [event.message["type"] for event in client.transcript]
        assert types[2:] == ["group_add", "websocket.accept"]
        assert [len(members) for members in redis.layers["default"].groups.values()] == [1]
        await client.disconnect()
        assert redis.layers["default"].groups == {}


@pytest.mark.parametrize("end", ["crash", "kill"])
async def test_leaves_the_group_however_the_connection_ends(redis, end):
    async with new_client() as client:
        await enter(client)
        await getattr(client, end)()
        assert redis.layers["default"].groups == {}


async def test_an_outage_is_reported_to_an_idle_client_and_raised_for_the_log(redis):
    async with new_client() as client:
        await enter(client)
        await redis.stop()
        client.expect(OUT_OF_ORDER, CLOSE)
        with pytest.raises(ConnectionError, match=r"^Connection closed by server\.$"):
            await client.future


async def test_an_alarm_that_cannot_be_sent_closes_only_its_sender(redis):
    async with new_client() as sender, new_client() as listener:
        await enter(sender)
        await enter(listener)
        redis.stop_group_host()
        await sender.send_to(text_data="fire")
        sender.expect(OUT_OF_ORDER, CLOSE)
        listener.expect()
        assert not listener.finished


async def test_clients_that_return_after_an_outage_reach_each_other(redis):
    async with new_client() as early:
        await enter(early)
        await redis.stop()
        early.expect(OUT_OF_ORDER, CLOSE)
    redis.start()
    async with new_client() as first, new_client() as second:
        await enter(first)
        await enter(second)
        await first.send_to(text_data="back")
        second.expect({"type": "websocket.send", "text": "alarm: back"})


async def test_is_routed_at_its_path(redis):
    async with StrictCommunicator(URLRouter(websocket_urlpatterns), PATH) as client:
        await enter(client)
