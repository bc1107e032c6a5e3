"""A Redis outage in a check, and a second server: they behave as the real ones do."""

import asyncio

import pytest
from channels.consumer import AsyncConsumer
from channels.layers import channel_layers, get_channel_layer
from redis.exceptions import ConnectionError, TimeoutError

from lessons.workshop.engine.faults.finding import CheckFailed
from lessons.workshop.engine.recording.recorder import Connection, Recorder, current_connection
from lessons.workshop.engine.world.channel_layer import fake_redis
from lessons.workshop.engine.world.student_module import load_file, reload_subject
from lessons.workshop.judge import StrictCommunicator

GREETING = {"type": "said", "text": "hello"}


@pytest.fixture
def redis():
    with fake_redis() as server:
        yield server


@pytest.fixture
def layer(redis):
    return get_channel_layer("encrypted")


async def member(layer, group="room"):
    channel = await layer.new_channel()
    await layer.group_add(group, channel)
    return channel


async def test_carries_messages_while_redis_runs(layer):
    channel = await member(layer)
    await layer.group_send("room", GREETING)
    assert await layer.receive(channel) == GREETING
    await layer.send(channel, GREETING)
    assert await layer.receive(channel) == GREETING


async def test_a_waiting_receiver_finds_its_connection_closed(layer, redis):
    waiting = asyncio.ensure_future(layer.receive(await member(layer)))
    await asyncio.get_running_loop().wait_until_idle()
    await redis.stop()
    with pytest.raises(ConnectionError, match=r"^Connection closed by server\.$"):
        waiting.result()


async def test_every_call_but_new_channel_fails_during_an_outage(layer, redis):
    channel = await member(layer)
    await redis.stop()
    assert await layer.new_channel() != channel
    for call in (
        layer.send(channel, GREETING),
        layer.receive(channel),
        layer.group_add("room", channel),
        layer.group_send("room", GREETING),
        layer.group_discard("room", channel),
    ):
        with pytest.raises(ConnectionError, match=r"^Error 111 connecting"):
            await call


async def test_restarts_without_data(layer, redis):
    channel = await member(layer)
    await redis.stop()
    redis.start()
    await layer.group_send("room", GREETING)
    await layer.send(channel, {"type": "alone"})
    assert await layer.receive(channel) == {"type": "alone"}


async def test_channels_work_without_the_host_of_the_groups(layer, redis):
    channel = await member(layer)
    redis.stop_group_host()
    with pytest.raises(TimeoutError, match=r"^Timeout connecting"):
        await layer.group_send("room", GREETING)
    await layer.send(channel, GREETING)
    assert await layer.receive(channel) == GREETING


async def test_code_outside_of_connections_may_lose_the_network(layer, redis):
    channel = await member(layer)
    waiting = asyncio.ensure_future(layer.receive(channel))
    redis.cut_off_outside()
    with pytest.raises(TimeoutError, match=r"^Timeout connecting"):
        await layer.group_send("room", GREETING)
    current_connection.set(Connection(Recorder()))
    await layer.group_send("room", GREETING)
    assert await waiting == GREETING
    current_connection.set(None)
    redis.start()
    await layer.group_send("room", GREETING)


async def test_lists_the_other_layers_that_were_used(layer, redis):
    await get_channel_layer("pubsub").new_channel()
    await member(layer)
    assert redis.other_layers_used("encrypted") == []
    await get_channel_layer().group_send("room", GREETING)
    assert redis.other_layers_used("encrypted") == ["default"]


def test_restores_the_usual_layers():
    before = dict(channel_layers.backends)
    with fake_redis():
        assert set(channel_layers.backends) >= {"default", "pubsub", "encrypted"}
    assert channel_layers.backends == before


def test_a_reloaded_class_shares_nothing_with_the_first(tmp_path):
    file = tmp_path / "exercise.py"
    first = load_file(file, "class Room:\n    members = []\n").Room
    second = reload_subject(first)
    first.members.append("ada")
    assert second.members == []
    assert second.__name__ == "Room"


class ClosesFirst(AsyncConsumer):
    """Closes the connection, and raises the exception of the layer."""

    closes = True

    async def __call__(self, scope, receive, send):
        try:
            await super().__call__(scope, receive, send)
        except Exception:
            if self.closes:
                await send({"type": "websocket.close"})
            raise

    async def websocket_connect(self, event):
        await self.send({"type": "websocket.accept"})


class OnlyRaises(ClosesFirst):
    closes = False


async def test_accepts_an_outage_that_ends_a_consumer_after_its_close(redis):
    async with StrictCommunicator(ClosesFirst.as_asgi(), "/") as client:
        await client.connect()
        await redis.stop()
        await client.receive_nothing()
        client.expect({"type": "websocket.close"})
        assert client.finished


async def test_reports_an_outage_that_ends_a_consumer_before_its_close(redis):
    async with StrictCommunicator(OnlyRaises.as_asgi(), "/") as client:
        await client.connect()
        await redis.stop()
        with pytest.raises(CheckFailed) as red:
            await client.receive_nothing()
        assert red.value.finding.diagnosis == "redis-down"


class RaisesItsOwn(ClosesFirst):
    async def __call__(self, scope, receive, send):
        try:
            await super().__call__(scope, receive, send)
        except Exception as error:
            raise LookupError("no layer") from error


async def test_accepts_an_exception_that_the_consumer_raises_instead_of_the_outage(redis):
    async with StrictCommunicator(RaisesItsOwn.as_asgi(), "/") as client:
        await client.connect()
        await redis.stop()
        await client.receive_nothing()
        client.expect({"type": "websocket.close"})
