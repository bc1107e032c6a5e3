"""Lesson 14: a hotline on every server, whose clients learn when Redis is unreachable."""

from contextlib import suppress

from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer


class Hotline(AsyncConsumer):
    channel_layer_alias = "encrypted"
    accepted = False

    async def __call__(self, scope, receive, send):
        try:
            await super().__call__(scope, receive, send)
        except Exception:
            # If group_add raised, the handshake has no answer yet.
            if not self.accepted:
                await send({"type": "websocket.accept"})
            await send({"type": "websocket.close", "code": 4013})
            raise  # so that the server logs it
        finally:
            with suppress(Exception):  # Redis may be unreachable
                await self.channel_layer.group_discard("hotline", self.channel_name)

    async def websocket_connect(self, event):
        await self.channel_layer.group_add("hotline", self.channel_name)
        await self.send({"type": "websocket.accept"})
        self.accepted = True

    async def websocket_receive(self, event):
        message = {"type": "hotline.said", "text": event.get("text") or ""}
        try:
            await self.channel_layer.group_send("hotline", message)
        except Exception:
            # Not ConnectionError: redis-py's is not a subclass of Python's.
            await self.send({"type": "websocket.send", "text": "not sent"})
            raise  # Redis may have lost the group, so this client must join again

    async def hotline_said(self, event):
        await self.send({"type": "websocket.send", "text": event["text"]})

    async def websocket_disconnect(self, event):
        raise StopConsumer()
