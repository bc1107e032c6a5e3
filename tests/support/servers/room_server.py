"""Chat rooms on Daphne, in two variants that handle faults differently.

    python -m tests.support.servers.room_server URL

A path is /LAYER/CONSUMER/ROOM.
"""

import asyncio
import sys

from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer
from django.conf import settings

from tests.support.servers.daphne_server import serve

LAYER_FAILED = 4013  # the close code of a consumer that reports a failure of the layer
REFRESH_INTERVAL = 0.5  # seconds


class Chat(AsyncConsumer):
    """A chat room without any handling of faults."""

    def __init__(self, channel_layer_alias):
        self.channel_layer_alias = channel_layer_alias

    async def websocket_connect(self, event):
        self.room = self.scope["path"].rpartition("/")[2]
        await self.channel_layer.group_add(self.room, self.channel_name)
        await self.send({"type": "websocket.accept"})

    async def websocket_receive(self, event):
        message = {"type": "chat.message", "text": event["text"]}
        if event["text"].startswith("probe"):  # arrives after all that is in this channel already
            await self.channel_layer.send(self.channel_name, message)
        else:
            await self.channel_layer.group_send(self.room, message)

    async def chat_message(self, event):
        await self.send({"type": "websocket.send", "text": event["text"]})

    async def websocket_disconnect(self, event):
        await self.channel_layer.group_discard(self.room, self.channel_name)
        raise StopConsumer


class Refreshing(Chat):
    """Refreshes its membership, and closes with LAYER_FAILED when the layer fails."""

    refreshing = None

    async def __call__(self, scope, receive, send):
        try:
            await super().__call__(scope, receive, send)
        except Exception:
            # A failed receive() of the layer ends await_many_dispatch, as a failed handler does.
            if self.refreshing is None:
                await send({"type": "websocket.accept"})  # a rejected client receives no code
            await send({"type": "websocket.close", "code": LAYER_FAILED})
            raise
        finally:
            if self.refreshing:
                self.refreshing.cancel()

    async def websocket_connect(self, event):
        await super().websocket_connect(event)
        self.refreshing = asyncio.create_task(self.keep_membership())

    async def keep_membership(self):
        """Join again and again, so that a membership survives a loss of data and never expires."""
        try:
            while True:
                await asyncio.sleep(REFRESH_INTERVAL)
                await self.channel_layer.group_add(self.room, self.channel_name)
                # On pub/sub, group_add does not ask Redis again. This message does, and has no
                # receiver.
                await self.channel_layer.group_send("no-member", {"type": "chat.check"})
        except Exception:
            await self.send({"type": "websocket.close", "code": LAYER_FAILED})


CONSUMERS = {consumer.__name__: consumer for consumer in (Chat, Refreshing)}


async def application(scope, receive, send):
    _, layer, consumer, _ = scope["path"].split("/")
    run = CONSUMERS[consumer].as_asgi(channel_layer_alias=layer)
    await run(scope, receive, send)


def layers(url):
    # redis-py opens at most 100 connections by default, and raises an error for the next one.
    hosts = [{"address": url, "socket_timeout": None, "max_connections": 10_000}]

    def layer(backend, **config):
        return {"BACKEND": f"channels_redis.{backend}", "CONFIG": {"hosts": hosts, **config}}

    return {
        "redis": layer("core.RedisChannelLayer"),
        "brief": layer("core.RedisChannelLayer", prefix="brief", group_expiry=2),
        "pubsub": layer("pubsub.RedisPubSubChannelLayer"),
    }


if __name__ == "__main__":
    settings.configure(CHANNEL_LAYERS=layers(sys.argv[1]))
    serve(application, websocket_handshake_timeout=60)
