"""The channel layer of a check: in memory, and no more lenient than Redis."""

import asyncio
import itertools
import time
from contextlib import contextmanager

import msgpack
from channels.layers import InMemoryChannelLayer, channel_layers

from lessons.simulator.finding import Place, running_places
from lessons.wire.layer import RecordingLayer
from lessons.wire.recorder import current_connection

# By alias, around the layers of the check that is under way.
_OF_CHECKS = {alias: RecordingLayer(None) for alias in ("default", "pubsub", "encrypted")}


class _Packed(dict):
    """A message on its way: its bytes; and, if nobody will unpack them, where it was sent."""

    def __init__(self, message: dict):
        packed = msgpack.packb(message)
        super().__init__(bytes=packed)
        try:
            msgpack.unpackb(packed)
        except ValueError:
            self["sent_at"] = tuple(running_places())

    def __deepcopy__(self, memo):
        return self  # what is in it does not change


class SerializingLayer(InMemoryChannelLayer):
    """Packs each message as the Redis layers do, so that what passes here passes there.

    Their serializer is msgpack's packb and unpackb; its module would bring cryptography, whose
    import takes longer than many a check, so msgpack is called directly. Channels are numbered in
    the order in which they are made, and known by the connection that they were made for.
    """

    def __init__(self, **config):
        super().__init__(**config)
        self._numbers = itertools.count(1)
        self._channels: dict[str | None, str] = {}

    async def new_channel(self, prefix="specific"):
        """The next channel; the first that a connection asks for is its consumer's own."""
        name = f"{prefix}.check!{next(self._numbers)}"
        connection = current_connection.get()
        if connection is not None:
            self._channels.setdefault(connection.id, name)
        return name

    def channel_of(self, connection: str) -> str | None:
        """Name of the channel of the consumer that serves the connection with that id."""
        return self._channels.get(connection)

    def groups_of(self, connection: str) -> list[str]:
        """The groups that this connection's channel is a member of."""
        channel = self.channel_of(connection)
        return [group for group, members in self.groups.items() if channel in members]

    async def send(self, channel, message):
        """Raises what packing raises, at the sender's line."""
        assert isinstance(message, dict), "message is not a dict"
        assert "__asgi_channel__" not in message
        await super().send(channel, message if isinstance(message, _Packed) else _Packed(message))

    async def group_send(self, group, message):
        """Raises what packing raises, at the sender's line, and with no member too."""
        assert isinstance(message, dict), "Message is not a dict"
        await super().group_send(group, _Packed(message))

    async def receive(self, channel):
        """Raises what unpacking raises: that is where a key that is no text is noticed."""
        return self.unpacked(await super().receive(channel))

    def unpacked(self, packed):
        """The message that was packed."""
        try:
            return msgpack.unpackb(packed["bytes"])
        except ValueError as error:
            error.sent_at = packed["sent_at"]
            raise


class ExternalSender:
    """The layer in the hands of other code, such as a view: what it sends has been dealt with."""

    def __init__(self, layer: SerializingLayer):
        self._layer = layer

    async def send(self, channel, message):
        """As the layer's; returns when nothing moves any more."""
        await self._layer.send(channel, message)
        await asyncio.get_running_loop().wait_until_idle()

    async def group_send(self, group, message):
        """As the layer's; returns when nothing moves any more."""
        await self._layer.group_send(group, message)
        await asyncio.get_running_loop().wait_until_idle()

    @property
    def groups(self) -> dict[str, set[str]]:
        """The channels in each group that has any."""
        groups = {group: set(members) for group, members in self._layer.groups.items()}
        return {group: members for group, members in groups.items() if members}


def place_of_send(file: str, error: BaseException) -> Place | None:
    """The line of `file` that sent the message which could not be unpacked, if `error` is that."""
    return next((place for place in getattr(error, "sent_at", ()) if place.file == file), None)


@contextmanager
def check_layers():
    """get_channel_layer() finds the checks' layers, be the check yet to begin; then the usual ones.

    A file may ask for a layer as it is run, and keep it, so it is one object for all checks.
    """
    usual = dict(channel_layers.backends)
    channel_layers.backends.update(_OF_CHECKS)
    try:
        yield
    finally:
        channel_layers.backends.clear()
        channel_layers.backends.update(usual)


@contextmanager
def fresh_layers(make=SerializingLayer, **config):
    """Layers of the check's own, recorded, each made by `make(**config)`, until the end.

    The one that is the default is yielded.
    """
    before = {alias: place.layer for alias, place in _OF_CHECKS.items()}
    for place in _OF_CHECKS.values():
        place.layer = make(**config)
    try:
        with check_layers():
            yield _OF_CHECKS["default"].layer
    finally:
        for alias, place in _OF_CHECKS.items():
            place.layer = before[alias]


def current_layers() -> dict[str, SerializingLayer]:
    """Those of a check that are in place now, by alias."""
    layers = {alias: getattr(it, "layer", None) for alias, it in channel_layers.backends.items()}
    return {alias: layer for alias, layer in layers.items() if isinstance(layer, SerializingLayer)}


def current_layer() -> SerializingLayer | None:
    """The check's default layer that is in place now, if one is."""
    return current_layers().get("default")


# A Redis that goes away and comes back, as the layers of the project see it.

_GONE = {"what a receiver finds": "its connection is closed"}


class FakeRedis:
    """The server behind all layers; a check lets it go away, in whole or the host of the groups.

    With several hosts in CHANNEL_LAYERS, a consumer's own channel and a group may be on different
    ones, so that one of the two can be out of reach.
    """

    def __init__(self):
        self.layers: dict[str, OutageLayer] = {}
        self.has_channels = self.has_groups = True

    async def stop(self) -> None:
        """It is killed: what it held is gone. Returns when whoever waited has dealt with that."""
        self.has_channels = False
        self.stop_group_host()
        for layer in self.layers.values():
            layer.close_connections()
        await asyncio.get_running_loop().wait_until_idle()

    def stop_group_host(self) -> None:
        """The host that keeps the groups is killed; channels are on the other."""
        self.has_groups = False
        for layer in self.layers.values():
            layer.groups.clear()

    def start(self) -> None:
        """It is started again, empty, at the same address."""
        self.has_channels = self.has_groups = True

    def other_layers_used(self, alias: str) -> list[str]:
        """Aliases of the layers, other than that one, that something was asked of."""
        return [name for name, layer in self.layers.items() if layer.asked and name != alias]


class OutageLayer(SerializingLayer):
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


def is_simulated_outage(error: BaseException) -> bool:
    """Whether a check has let a layer fail with `error`: no fault of the consumer's."""
    return getattr(error, "of_outage", False)


@contextmanager
def fake_redis(**config):
    """Every layer of the project is on one Redis, recorded; the usual ones are put back."""
    redis = FakeRedis()
    with fresh_layers(OutageLayer, redis=redis, **config):
        redis.layers = current_layers()
        yield redis
