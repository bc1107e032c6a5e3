"""A chat on Daphne.

    python -m tests.support.redis.chat_server URL

A path is /LAYER/CONSUMER/ROOM.
"""

import asyncio
import collections
import sys

from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer
from django.conf import settings

from tests.support.facts_server import serve

AWAY = 4013  # the close code of a consumer that says why
BEAT = 0.5  # seconds
GATES = collections.defaultdict(asyncio.Event)  # by room


class Chat(AsyncConsumer):
    """As most people write it."""

    def __init__(self, channel_layer_alias):
        self.channel_layer_alias = channel_layer_alias

    async def websocket_connect(self, event):
        self.room = self.scope["path"].rpartition("/")[2]
        await self.channel_layer.group_add(self.room, self.channel_name)
        await self.send({"type": "websocket.accept"})

    async def websocket_receive(self, event):
        message = {"type": "chat.message", "text": event["text"]}
        if event["text"].startswith("fence"):  # comes after all that is in this channel already
            await self.channel_layer.send(self.channel_name, message)
        else:
            await self.channel_layer.group_send(self.room, message)

    async def chat_message(self, event):
        await self.send({"type": "websocket.send", "text": event["text"]})

    async def websocket_disconnect(self, event):
        await self.channel_layer.group_discard(self.room, self.channel_name)
        raise StopConsumer


class Steady(Chat):
    """Says why it closes when the layer fails; at every beat it joins anew, and tries the layer."""

    beat = None

    async def __call__(self, scope, receive, send):
        try:
            await super().__call__(scope, receive, send)
        except Exception:
            # await_many_dispatch ends with the layer's receive(), as it does with a handler.
            if self.beat is None:
                await send({"type": "websocket.accept"})  # who is refused learns no code
            await send({"type": "websocket.close", "code": AWAY})
            raise
        finally:
            if self.beat:
                self.beat.cancel()

    async def websocket_connect(self, event):
        await super().websocket_connect(event)
        self.beat = asyncio.create_task(self.keep_in_the_room())

    async def keep_in_the_room(self):
        """What Redis forgot is told to it again, and a membership never grows old."""
        try:
            while True:
                await asyncio.sleep(BEAT)
                await self.channel_layer.group_add(self.room, self.channel_name)
                # On pub/sub joining anew does not go to Redis; this does, and nobody gets it.
                await self.channel_layer.group_send("nobody", {"type": "chat.beat"})
        except Exception:
            await self.send({"type": "websocket.close", "code": AWAY})


class Slow(Chat):
    """Handles what it hears only once a client of its kind, in another room, has said "go ROOM"."""

    async def websocket_receive(self, event):
        word, _, room = event["text"].partition(" ")
        if word == "go":
            GATES[room].set()
        else:
            await super().websocket_receive(event)

    async def chat_message(self, event):
        await GATES[self.room].wait()
        await super().chat_message(event)


class Flood(Chat):
    """Sends as many messages as its client says to a channel where nobody listens."""

    async def websocket_receive(self, event):
        for _ in range(int(event["text"])):
            await self.channel_layer.send("nobody", {"type": "chat.message", "text": "?"})
        await self.send({"type": "websocket.send", "text": "sent"})


CONSUMERS = {consumer.__name__: consumer for consumer in (Chat, Steady, Slow, Flood)}


async def application(scope, receive, send):
    _, layer, consumer, _ = scope["path"].split("/")
    run = CONSUMERS[consumer].as_asgi(channel_layer_alias=layer)
    await run(scope, receive, send)


def layers(url):
    # By itself redis-py opens 100 connections at most, and fails whoever needs one more.
    hosts = [{"address": url, "socket_timeout": None, "max_connections": 10_000}]

    def layer(backend, **config):
        return {"BACKEND": f"channels_redis.{backend}", "CONFIG": {"hosts": hosts, **config}}

    return {
        "memory": {"BACKEND": "channels.layers.InMemoryChannelLayer"},
        "redis": layer("core.RedisChannelLayer"),
        "brief": layer("core.RedisChannelLayer", prefix="brief", group_expiry=2),
        "pubsub": layer("pubsub.RedisPubSubChannelLayer"),
    }


if __name__ == "__main__":
    settings.configure(CHANNEL_LAYERS=layers(sys.argv[1]))
    serve(application, websocket_handshake_timeout=60)
