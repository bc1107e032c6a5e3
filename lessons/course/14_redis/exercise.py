"""Lesson 14: a hotline on every server, whose clients learn when Redis is unreachable.

The texts are private, so they go through the layer `encrypted`. Each text reaches all connected
clients unchanged, the sender included, on every server.

Redis may become unreachable, in whole or one host of several, and come back empty:
- If a consumer cannot join, send or listen any more, its client is closed with 4013, and may come
  back later. A refusal has no code: a client that connects during an outage is accepted first, then
  closed.
- A text that could not be sent is answered with `not sent` before that.

When the server cancels a consumer, the consumer may close with 4013 too, or send nothing.
"""

from contextlib import suppress

from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer


class Hotline(AsyncConsumer):
    channel_layer_alias = "encrypted"

    async def __call__(self, scope, receive, send):
        try:
            await super().__call__(scope, receive, send)
        # TODO 2: close with 4013 what the layer has ended, before the group is left.
        finally:
            with suppress(Exception):  # a Redis that is gone has no group to be left
                await self.channel_layer.group_discard("hotline", self.channel_name)

    async def websocket_connect(self, event):
        await self.channel_layer.group_add("hotline", self.channel_name)
        await self.send({"type": "websocket.accept"})

    async def websocket_receive(self, event):
        message = {"type": "hotline.said", "text": event.get("text") or ""}
        # TODO 1: where this fails, say so to the sender.
        await self.channel_layer.group_send("hotline", message)

    async def hotline_said(self, event):
        await self.send({"type": "websocket.send", "text": event["text"]})

    async def websocket_disconnect(self, event):
        raise StopConsumer()
