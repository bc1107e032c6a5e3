"""The channel layer of a check: in memory, and no more lenient than Redis."""

import asyncio
import itertools
from contextlib import contextmanager

import msgpack
from channels.layers import InMemoryChannelLayer, channel_layers

from lessons.wire.layer import RecordingLayer
from lessons.wire.recorder import current_connection

_PACKED = "packed"
_OF_CHECKS = RecordingLayer(None)  # around the layer of the check that is under way


class PackingLayer(InMemoryChannelLayer):
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
        await super().send(channel, {_PACKED: msgpack.packb(message)})

    async def group_send(self, group, message):
        """Raises what packing raises, at the sender's line, and with no member too."""
        assert isinstance(message, dict), "Message is not a dict"
        msgpack.packb(message)
        await super().group_send(group, message)

    async def receive(self, channel):
        """Raises what unpacking raises: that is where a key that is no text is noticed."""
        return self.unpacked(await super().receive(channel))

    def unpacked(self, message):
        """The message that was packed into this one."""
        return msgpack.unpackb(message[_PACKED])


class Elsewhere:
    """The layer in the hands of other code, such as a view: what it sends has been dealt with."""

    def __init__(self, layer: PackingLayer):
        self._layer = layer

    async def send(self, channel, message):
        """As the layer's; returns when nothing moves any more."""
        await self._layer.send(channel, message)
        await asyncio.get_running_loop().settled()

    async def group_send(self, group, message):
        """As the layer's; returns when nothing moves any more."""
        await self._layer.group_send(group, message)
        await asyncio.get_running_loop().settled()

    @property
    def groups(self) -> dict[str, set[str]]:
        """The channels in each group that has any."""
        groups = {group: set(members) for group, members in self._layer.groups.items()}
        return {group: members for group, members in groups.items() if members}


@contextmanager
def layer_of_checks():
    """get_channel_layer() finds the checks' layer, be the check yet to begin; then the usual one.

    A file may ask for the layer as it is run, and keep it, so it is one object for all checks.
    """
    usual = channel_layers.set("default", _OF_CHECKS)
    try:
        yield
    finally:
        channel_layers.set("default", usual)
        if usual is None:
            del channel_layers.backends["default"]


def packing_layers() -> list[PackingLayer]:
    """Those of a check that are put in place now, under whatever alias."""
    layers = (getattr(backend, "layer", None) for backend in channel_layers.backends.values())
    return [layer for layer in layers if isinstance(layer, PackingLayer)]
@contextmanager
def fresh_layer(**config):
    """A layer of its own for the check, recorded; the one before is put back."""
    before, _OF_CHECKS.layer = _OF_CHECKS.layer, PackingLayer(**config)
    try:
        with layer_of_checks():
            yield _OF_CHECKS.layer
    finally:
        _OF_CHECKS.layer = before


def packing_layer() -> PackingLayer | None:
    """The layer that is put in place now, if it is a check's."""
    layer = getattr(channel_layers.backends.get("default"), "layer", None)
    return layer if isinstance(layer, PackingLayer) else None
