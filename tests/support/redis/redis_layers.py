"""The three channel layers, each with names of its own, and words for what is done to them.

Nothing here waits for a clock: that a message does not come is seen by a later one that does.
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
    """Makes layers of one kind; those on Redis reach each other, and nobody else on the server."""

    def __init__(self, kind: str, redis_url: str):
        super().__init__()
        self.kind = kind
        self.prefix = uuid.uuid4().hex
        self.plain_name = (
            f"plain.{self.prefix}"  # of a channel; not every layer has a prefix for it
        )
        host = {"address": redis_url, "socket_timeout": None}
        shared = {"hosts": [host], "prefix": self.prefix}
        self._config = {} if kind == "in memory" else shared

    def make(self, **config):
        """A layer; a second one stands for a second process."""
        layer = KINDS[self.kind](**{**self._config, **config})
        self.push_async_callback(layer.flush)
        return layer


def numbered(number: int) -> dict:
    """A message that can be told from the others."""
    return {"type": "a.number", "number": number}


async def first_read(layer, channel) -> int:
    """Number of the first message read; 0 where none waited. After it the layer has subscribed."""
    reading = asyncio.ensure_future(layer.receive(channel))
    while not reading.done():
        await layer.send(channel, numbered(0))
        await asyncio.wait([reading], timeout=0.01)
    return reading.result()["number"]


async def rest_of(layer, channel) -> list[int]:
    """Numbers of the messages that are left in a channel; there may be none."""
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
    """The layers' clock, though not the server's, is so far ahead."""
    clock = SimpleNamespace(time=lambda: time.time() + seconds)
    with (
        mock.patch("channels.layers.time", clock),
        mock.patch("channels_redis.core.time", clock),
    ):
        yield


async def outcome(call) -> str:
    """What comes of a call of a layer: "raises ..." or "passes"."""
    try:
        await call
    except Exception as error:
        return f"raises {type(error).__name__}"
    return "passes"
