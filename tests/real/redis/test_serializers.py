"""The format in which the layers on Redis pack a message, and how to add another."""

import datetime
import json
import uuid

import pytest
from channels_redis.core import RedisChannelLayer
from channels_redis.pubsub import RedisPubSubChannelLayer
from channels_redis.serializers import BaseMessageSerializer, registry
from msgpack import ExtraData


class TypedJSONSerializer(BaseMessageSerializer):
    """Writes a datetime as `{"__datetime__": "…"}`, and reads it back."""

    def as_bytes(self, message):
        return json.dumps(message, default=self.encode).encode()

    def from_bytes(self, data):
        return json.loads(data, object_hook=self.decode)

    @staticmethod
    def encode(value):
        if isinstance(value, datetime.datetime):
            return {"__datetime__": value.isoformat()}
        raise TypeError(f"{type(value).__name__} cannot be sent")

    @staticmethod
    def decode(value):
        if "__datetime__" in value:
            return datetime.datetime.fromisoformat(value["__datetime__"])
        return value


registry.register_serializer("typed-json", TypedJSONSerializer)


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
async def test_a_registered_serializer_carries_what_msgpack_cannot(layer, kind):
    noon = datetime.datetime(2026, 11, 22, 12, tzinfo=datetime.UTC)
    assert registry._registry["typed-json"] is TypedJSONSerializer
    message = await received(layer("typed-json", kind), at=noon, number=2**70)
    assert message == {"type": "clock.time", "at": noon, "number": 2**70}
    with pytest.raises(TypeError, match="can not serialize"):
        await received(layer("msgpack", kind), at=noon)


async def test_a_receiver_of_another_format_ends_with_an_error(layer):
    sender, receiver = layer("json"), layer("msgpack")
    await sender.send("jobs", {"type": "job.do"})
    with pytest.raises(ExtraData):
        await receiver.receive("jobs")
