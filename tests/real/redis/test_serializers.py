"""The format in which the layers on Redis pack a message, and how to add another."""

import datetime
import uuid
from functools import partial

import pytest
from channels_redis.core import RedisChannelLayer
from channels_redis.pubsub import RedisPubSubChannelLayer
from channels_redis.serializers import BaseMessageSerializer, registry
from msgpack import ExtraData, packb, unpackb


class WithTimes(BaseMessageSerializer):
    """Packs a datetime as a timestamp of msgpack, and reads it back."""

    as_bytes = staticmethod(partial(packb, datetime=True))
    from_bytes = staticmethod(partial(unpackb, timestamp=3))


registry.register_serializer("with-times", WithTimes)


@pytest.fixture
async def layer(redis_url):
    """`layer(format)`: a layer of this format. All layers of a test share a prefix."""
    made, prefix = [], f"formats-{uuid.uuid4().hex}-"

    def make(serializer_format, kind=RedisChannelLayer):
        hosts = [{"address": redis_url, "socket_timeout": None}]
        made.append(kind(hosts, prefix, serializer_format=serializer_format))
        return made[-1]

    yield make
    for one in made:
        await one.flush()


async def received(layer, **values):
    channel = await layer.new_channel()
    await layer.send(channel, {"type": "clock.time", **values})
    return await layer.receive(channel)


@pytest.mark.parametrize("kind", [RedisChannelLayer, RedisPubSubChannelLayer])
async def test_a_registered_serializer_carries_what_the_usual_one_cannot(layer, kind):
    noon = datetime.datetime(2026, 11, 22, 12, tzinfo=datetime.UTC)
    message = await received(layer("with-times", kind), at=noon)
    assert message == {"type": "clock.time", "at": noon}
    with pytest.raises(TypeError, match="can not serialize"):
        await received(layer("msgpack", kind), at=noon)


async def test_a_receiver_of_another_format_ends_with_an_error(layer):
    sender, receiver = layer("json"), layer("msgpack")
    await sender.send("jobs", {"type": "job.do"})
    with pytest.raises(ExtraData):
        await receiver.receive("jobs")
