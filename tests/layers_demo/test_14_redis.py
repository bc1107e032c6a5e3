"""Lesson 14, SharedRoom: it closes with a code when the layer is unreachable."""

from unittest import mock

import pytest
from asgiref.sync import async_to_sync
from channels.layers import InMemoryChannelLayer, channel_layers, get_channel_layer
from channels.testing import WebsocketCommunicator

from layers_demo.consumers import SharedRoom

PATH = "/ws/layers/redis/"


async def connect():
    client = WebsocketCommunicator(SharedRoom.as_asgi(), PATH)
    connected, _ = await client.connect()
    assert connected
    return client


def outage(method):
    """Let a method of the layer raise what redis-py raises."""
    error = OSError("Error 111 connecting to localhost:6379")
    return mock.patch.object(get_channel_layer(), method, side_effect=error)


async def events_before_the_exception(client):
    """Return the type and the code of each event that the consumer sent before it failed."""
    with pytest.raises(OSError, match="Error 111"):  # the server logs it
        await client.wait()
    events = [client.output_queue.get_nowait() for _ in range(client.output_queue.qsize())]
    return [(event["type"], event.get("code")) for event in events]


def test_every_client_receives_each_text():
    async def conversation():
        first, second = await connect(), await connect()
        for sent, received in (({"text_data": "hello"}, "hello"), ({"bytes_data": b"\0"}, "")):
            await first.send_to(**sent)
            assert await first.receive_from() == received
            assert await second.receive_from() == received
        for client in (first, second):
            await client.disconnect()

    async_to_sync(conversation)()


def test_clients_with_two_in_memory_layers_do_not_reach_each_other():
    async def conversation():
        first = await connect()
        with mock.patch.dict(channel_layers.backends, default=InMemoryChannelLayer()):
            second = await connect()  # as in another process
        await first.send_to(text_data="hello")
        assert await first.receive_from() == "hello"
        assert await second.receive_nothing()
        for client in (first, second):
            await client.disconnect()

    async_to_sync(conversation)()


def test_a_text_that_cannot_be_sent_closes_its_sender_with_a_code():
    async def conversation():
        client = await connect()
        with outage("group_send"):
            await client.send_to(text_data="hello")
            assert await events_before_the_exception(client) == [("websocket.close", 4013)]

    async_to_sync(conversation)()


def test_a_client_during_an_outage_is_accepted_and_closed_with_a_code():
    async def conversation():
        with outage("group_add"), outage("group_discard"):
            client = WebsocketCommunicator(SharedRoom.as_asgi(), PATH)
            await client.send_input({"type": "websocket.connect"})
            accept_first = [("websocket.accept", None), ("websocket.close", 4013)]
            assert await events_before_the_exception(client) == accept_first

    async_to_sync(conversation)()


# ── What only the strict communicator sees ──
# With the stock communicator, no Redis fails: a patched method raises only when it is called. The
# simulated Redis also ends idle consumers, which only wait for their own channel.

from channels.routing import URLRouter
from redis.exceptions import ConnectionError

from layers_demo.routing import websocket_urlpatterns
from lessons.judge import StrictCommunicator
from lessons.simulator.channel_layer import fake_redis

TRY_AGAIN = {"type": "websocket.close", "code": 4013}


@pytest.fixture
def redis():
    with fake_redis() as server:
        yield server


def new_client():
    return StrictCommunicator(SharedRoom.as_asgi(), PATH)


async def enter(client):
    assert await client.connect() == (True, None)
    client.expect()


def text_frame(text):
    return {"type": "websocket.send", "text": text}


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


async def test_an_outage_closes_with_a_code_and_is_raised_for_the_log(redis):
    async with new_client() as client:
        await enter(client)
        await redis.stop()
        client.expect(TRY_AGAIN)
        with pytest.raises(ConnectionError, match=r"^Connection closed by server\.$"):
            await client.future


async def test_a_text_that_cannot_be_sent_closes_only_its_sender(redis):
    async with new_client() as sender, new_client() as listener:
        await enter(sender)
        await enter(listener)
        redis.stop_group_host()
        await sender.send_to(text_data="hello?")
        sender.expect(TRY_AGAIN)
        listener.expect()
        assert not listener.finished


async def test_clients_that_return_after_an_outage_reach_each_other(redis):
    async with new_client() as early:
        await enter(early)
        await redis.stop()
        early.expect(TRY_AGAIN)
    redis.start()
    async with new_client() as first, new_client() as second:
        await enter(first)
        await enter(second)
        await first.send_to(text_data="back")
        second.expect(text_frame("back"))


async def test_is_routed_at_its_path(redis):
    async with StrictCommunicator(URLRouter(websocket_urlpatterns), PATH) as client:
        await enter(client)
