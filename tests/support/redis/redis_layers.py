"""The three channel layers, and helpers to use them in tests.

No helper waits for a time to pass. A later message proves that an earlier one does not arrive.
"""

import asyncio
import time
import uuid
from contextlib import AsyncExitStack, contextmanager
from types import SimpleNamespace
from unittest import mock

from channels.exceptions import ChannelFull
from channels.layers import InMemoryChannelLayer
from channels_redis.core import RedisChannelLayer
from channels_redis.pubsub import RedisPubSubChannelLayer

KINDS = {
    "in memory": InMemoryChannelLayer,
    "Redis": RedisChannelLayer,
    "Redis pub/sub": RedisPubSubChannelLayer,
}
LAST = {"type": "the.last"}


class Layers(AsyncExitStack):
    """Makes layers of one kind. They share a prefix, which no other layer on this Redis has."""

    def __init__(self, kind: str, redis_url: str):
        super().__init__()
        self.kind = kind
        self.prefix = uuid.uuid4().hex
        self.plain_name = (
            f"plain.{self.prefix}"  # of a channel; not every layer adds the prefix to it
        )
        host = {"address": redis_url, "socket_timeout": None}
        shared = {"hosts": [host], "prefix": self.prefix}
        self._config = {} if kind == "in memory" else shared

    def make(self, **config):
        """A layer. A second layer plays the part of a second process."""
        layer = KINDS[self.kind](**{**self._config, **config})
        self.push_async_callback(layer.flush)
        return layer


def numbered(number: int) -> dict:
    """A message with a number, to tell it from other messages."""
    return {"type": "a.number", "number": number}


async def first_read(layer, channel) -> int:
    """Number of the first message, 0 if none waited. Afterwards the layer has subscribed."""
    reading = asyncio.ensure_future(layer.receive(channel))
    while not reading.done():
        await layer.send(channel, numbered(0))
        await asyncio.wait([reading], timeout=0.01)
    return reading.result()["number"]


async def rest_of(layer, channel) -> list[int]:
    """Numbers of all messages that are left in a channel."""
    numbers = []
    try:
        await layer.send(channel, LAST)
    except ChannelFull:
        numbers.append((await layer.receive(channel))["number"])
        await layer.send(channel, LAST)
    while (message := await layer.receive(channel)) != LAST:
        numbers.append(message["number"])
    return numbers


async def member_of(layer, group: str) -> str:
    """The channel of a new member."""
    channel = await layer.new_channel()
    await layer.group_add(group, channel)
    return channel


@contextmanager
def later(seconds: float):
    """Set the clock of the layers ahead. The clock of the Redis server does not change."""
    clock = SimpleNamespace(time=lambda: time.time() + seconds)
    with (
        mock.patch("channels.layers.time", clock),
        mock.patch("channels_redis.core.time", clock),
    ):
        yield


async def outcome(call) -> str:
    """The outcome of a call of a layer: "raises ..." or "raises nothing"."""
    try:
        await call
    except Exception as error:
        return f"raises {type(error).__name__}"
    return "raises nothing"
