"""A channel layer that records the calls to another channel layer."""

from functools import partial

from channels.layers import channel_layers

from .recorder import TrackedMessage, current_connection


class RecordingLayer:
    """Passes every call on to `layer`, and records the calls of a recorded connection."""

    def __init__(self, layer):
        self.layer = layer

    def __getattr__(self, name):
        return getattr(self.layer, name)

    async def send(self, channel, message):
        _record({"type": "send", "channel": channel, "message": message})
        await self.layer.send(channel, message)

    async def group_add(self, group, channel):
        _record({"type": "group_add", "group": group, "channel": channel})
        await self.layer.group_add(group, channel)

    async def group_discard(self, group, channel):
        _record({"type": "group_discard", "group": group, "channel": channel})
        await self.layer.group_discard(group, channel)

    async def group_send(self, group, message):
        _record({"type": "group_send", "group": group, "message": message})
        await self.layer.group_send(group, message)

    async def receive(self, channel):
        connection = current_connection.get()
        if connection is None:
            return await self.layer.receive(channel)
        connection.handler_returned("layer")
        message = await self.layer.receive(channel)
        tracked = message if isinstance(message, TrackedMessage) else TrackedMessage(message)
        tracked.readers[connection] = partial(connection.handler_started, "layer")
        return tracked


def record_layer(alias="default"):
    """Put a recording layer around the layer named `alias`, unless there is one."""
    layer = channel_layers[alias]
    if not isinstance(layer, RecordingLayer):
        channel_layers.set(alias, RecordingLayer(layer))


def _record(call: dict) -> None:
    connection = current_connection.get()
    if connection is not None:
        connection.record("layer", "out", call)
