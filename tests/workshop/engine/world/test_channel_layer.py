"""The layer of a check: as strict as Redis, and all that a consumer leaves in it is found."""

import asyncio
import datetime
import uuid

import pytest
from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer
from channels.layers import get_channel_layer
from channels_redis.serializers import MsgPackSerializer
from redis.exceptions import ConnectionError

from lessons.workshop.course.diagnoses import diagnose
from lessons.workshop.engine.faults.finding import CheckFailed
from tests.support.strict_communicator import StrictCommunicator

UNPACKABLE = [datetime.date(2026, 1, 1), uuid.UUID(int=0), {1}, 2**64, range(3), object()]
UNFIT_KEYS = [{1: 2}, {None: 1}, {(1, 2): 3}, {True: 1}]
FIT = [None, True, 5, 2.5, "ä ☃", b"\xff", [1, [2]], {"a": {"b": []}}, (1, (2, 3)), float("inf")]


@pytest.fixture(autouse=True)
def layer(simulated_layer):
    return simulated_layer


# Messages as on Redis


async def outcome(call):
    """What it returns or raises."""
    try:
        return await call
    except ValueError as error:
        return str(error)


async def through_the_serializer(message):
    serializer = MsgPackSerializer()
    return serializer.deserialize(serializer.serialize(message))


@pytest.mark.parametrize("value", [*FIT, *UNFIT_KEYS], ids=repr)
async def test_a_message_arrives_or_fails_at_the_receiver_as_on_redis(layer, value):
    message = {"type": "chat.message", "value": value}
    await layer.send("post", message)
    assert await outcome(layer.receive("post")) == await outcome(through_the_serializer(message))


@pytest.mark.parametrize("value", UNPACKABLE, ids=lambda value: type(value).__name__)
@pytest.mark.parametrize("method", ["send", "group_send"])
async def test_an_unserializable_message_fails_at_the_sender(layer, method, value):
    message = {"type": "chat.message", "value": value}
    with pytest.raises((TypeError, OverflowError)) as here:
        await getattr(layer, method)("post", message)
    with pytest.raises(here.type) as there:
        await through_the_serializer(message)
    assert str(here.value) == str(there.value)


# The faults of a consumer


class Member(AsyncConsumer):
    async def websocket_connect(self, event):
        await self.channel_layer.group_add("room", self.channel_name)
        await self.send({"type": "websocket.accept"})

    async def websocket_receive(self, event):
        await self.channel_layer.group_send("room", {"type": "chat.message", "votes": {1: 2}})

    async def websocket_disconnect(self, event):
        raise StopConsumer


class Joining(AsyncConsumer):
    async def websocket_connect(self, event):
        await self.channel_layer.group_add("room", self.channel_name)
        await asyncio.Event().wait()  # as if the layer had not answered yet


async def test_names_the_line_that_sent_a_message_which_fails_at_the_receiver():
    async with StrictCommunicator(Member.as_asgi(), "/") as client:
        await client.connect()
        with pytest.raises(CheckFailed) as excinfo:
            await client.send_to(text_data="hello")
    finding = diagnose(excinfo.value.finding)
    line = Member.websocket_receive.__code__.co_firstlineno + 1
    assert (finding.diagnosis, finding.file, finding.line) == ("int-keys", __file__, line)


async def test_names_a_cancel_while_the_consumer_joins():
    client = StrictCommunicator(Joining.as_asgi(), "/")
    client.begin()
    with pytest.raises(CheckFailed) as excinfo:
        await client.kill()
    assert excinfo.value.finding.diagnosis == "cancelled-while-joining"


# An outage of Redis


async def test_every_call_but_new_channel_fails_during_an_outage(layer):
    layer = get_channel_layer("encrypted")
    channel = await layer.new_channel()
    waiting = asyncio.ensure_future(layer.receive(channel))
    await asyncio.get_running_loop().wait_until_idle()
    layer.redis.stop()
    await asyncio.get_running_loop().wait_until_idle()
    with pytest.raises(ConnectionError, match=r"^Connection closed by server\.$"):
        waiting.result()
    assert await layer.new_channel() != channel
    for call in (
        layer.send(channel, {"type": "x"}),
        layer.receive(channel),
        layer.group_add("room", channel),
        layer.group_send("room", {"type": "x"}),
        layer.group_discard("room", channel),
    ):
        with pytest.raises(ConnectionError, match=r"^Error 111 connecting"):
            await call
