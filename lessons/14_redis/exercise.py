"""Lesson 14: a hotline on every server, whose clients learn when Redis is unreachable.

The texts are private, so they go through the layer `encrypted`. Each text reaches all connected
clients unchanged, the sender included, on every server. A binary frame is ignored, or counts as an
empty text: both are right.

Redis may become unreachable, and come back empty. If Redis has several hosts, one may fail alone.
- If a consumer can no longer join, send or listen, its client is closed with 4013. The client may
  connect again later.
- A rejected handshake carries no close code. So a client that connects during an outage is accepted
  first, then closed with 4013.
- If a text cannot be sent, its sender receives `not sent`, then the close.

After the close, the consumer may raise the layer's exception again or end without it: both are
right. If the server cancels a consumer, the consumer may close with 4013 too, or send nothing.
"""

from contextlib import suppress

from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer


class Hotline(AsyncConsumer):
    channel_layer_alias = "encrypted"

    async def __call__(self, scope, receive, send):
        try:
            await super().__call__(scope, receive, send)
        # TODO 2: if the layer fails, close with 4013 before the consumer leaves the group.
        finally:
            with suppress(Exception):  # Redis may be unreachable
                await self.channel_layer.group_discard("hotline", self.channel_name)

    async def websocket_connect(self, event):
        await self.channel_layer.group_add("hotline", self.channel_name)
        await self.send({"type": "websocket.accept"})

    async def websocket_receive(self, event):
        message = {"type": "hotline.said", "text": event.get("text") or ""}
        # TODO 1: if this fails, the sender must know.
        await self.channel_layer.group_send("hotline", message)

    async def hotline_said(self, event):
        await self.send({"type": "websocket.send", "text": event["text"]})

    async def websocket_disconnect(self, event):
        raise StopConsumer()
