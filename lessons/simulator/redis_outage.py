"""A Redis that goes away and comes back, as the layers of the project see it."""

import asyncio
import time
from contextlib import contextmanager

from channels.layers import InMemoryChannelLayer

from lessons.simulator.channel_layer import PackingLayer, fresh_layers, packing_layers

_GONE = {"what a receiver finds": "its connection is closed"}


class FakeRedis:
    """The server behind all layers; a check lets it go away, in whole or the host of the groups.

    With several hosts in CHANNEL_LAYERS, a consumer's own channel and a group may be on different
    ones, so that one of the two can be out of reach.
    """

    def __init__(self):
        self.layers: dict[str, OutageLayer] = {}
        self.has_channels = self.has_groups = True

    async def go_away(self) -> None:
        """It is killed: what it held is gone. Returns when whoever waited has dealt with that."""
        self.has_channels = False
        self.lose_groups()
        for layer in self.layers.values():
            layer.close_connections()
        await asyncio.get_running_loop().settled()

    def lose_groups(self) -> None:
        """The host that keeps the groups is killed; channels are on the other."""
        self.has_groups = False
        for layer in self.layers.values():
            layer.groups.clear()

    def come_back(self) -> None:
        """It is started again, empty, at the same address."""
        self.has_channels = self.has_groups = True

    def strays(self, alias: str) -> list[str]:
        """Aliases of the layers, other than that one, that something was asked of."""
        return [name for name, layer in self.layers.items() if layer.asked and name != alias]


class OutageLayer(PackingLayer):
    """Fails as RedisChannelLayer does while its Redis is away: a new channel needs no server."""

    def __init__(self, redis: FakeRedis, **config):
        super().__init__(**config)
        self.redis = redis
        self.asked = False  # for anything but a consumer's own channel, which each has

    def close_connections(self) -> None:
        """Let every receiver that waits find its connection closed, and what waited for it gone."""
        for queue in self.channels.values():
            while not queue.empty():
                queue.get_nowait()
            queue.put_nowait((time.time() + self.expiry, _GONE))

    async def send(self, channel, message):
        self._reach(self.redis.has_channels)
        await super().send(channel, message)

    async def receive(self, channel):
        if not self.redis.has_channels:
            raise _lost("Error 111 connecting to localhost:6379. Connect call failed.")
        message = await InMemoryChannelLayer.receive(self, channel)
        if message is _GONE:
            raise _lost("Connection closed by server.")
        return self.unpacked(message)

    async def group_add(self, group, channel):
        self._reach(self.redis.has_groups)
        await super().group_add(group, channel)

    async def group_discard(self, group, channel):
        self._reach(self.redis.has_groups)
        await super().group_discard(group, channel)

    async def group_send(self, group, message):
        self._reach(self.redis.has_groups)
        await super().group_send(group, message)

    def _reach(self, there: bool) -> None:
        self.asked = True
        if not there:
            raise _lost("Error 111 connecting to localhost:6379. Connect call failed.")


def _lost(text: str) -> Exception:
    """What redis-py raises, which is no ConnectionError of Python's own."""
    from redis.exceptions import ConnectionError  # takes a tenth of a second

    error = ConnectionError(text)
    error.of_outage = True
    return error


def is_of_outage(error: BaseException) -> bool:
    """Whether a check has let a layer fail with `error`: no fault of the consumer's."""
    return getattr(error, "of_outage", False)


@contextmanager
def on_redis(**config):
    """Every layer of the project is on one Redis, recorded; the usual ones are put back."""
    redis = FakeRedis()
    with fresh_layers(OutageLayer, redis=redis, **config):
        redis.layers = packing_layers()
        yield redis
