"""The server of `bench fanout`: `python -m lessons.bench.fanned LAYER [URL PREFIX]`, on Daphne.

The path of a WebSocket names its room, and the consumer that serves it.
"""

import json
import sys

from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer
from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings

from lessons.bench.announcing import serve

BACKENDS = {
    "in memory": "channels.layers.InMemoryChannelLayer",
    "Redis": "channels_redis.core.RedisChannelLayer",
    "Redis pub/sub": "channels_redis.pubsub.RedisPubSubChannelLayer",
}
MANY = 10_000


class Member(AsyncConsumer):
    async def websocket_connect(self, event):
        self.room = self.scope["path"].strip("/")
        await self.channel_layer.group_add(self.room, self.channel_name)
        await self.send({"type": "websocket.accept"})

    async def websocket_receive(self, event):
        word = {"type": "room.word", "text": event["text"]}
        if event["text"].startswith("?"):  # comes after all that is in this channel already
            await self.channel_layer.send(self.channel_name, word)
        else:
            await self.channel_layer.group_send(self.room, word)

    async def room_word(self, event):
        await self.send({"type": "websocket.send", "text": event["text"]})

    async def websocket_disconnect(self, event):
        await self.channel_layer.group_discard(self.room, self.channel_name)
        raise StopConsumer


class Tutorial(AsyncWebsocketConsumer):
    """The chat that Channels' own tutorial ends with: a generic consumer, and JSON both ways."""

    async def connect(self):
        self.room = self.scope["path"].strip("/")
        await self.channel_layer.group_add(self.room, self.channel_name)
        await self.accept()

    async def receive(self, text_data):
        word = {"type": "chat.message", "message": json.loads(text_data)["message"]}
        if word["message"].startswith("?"):  # as above; the tutorial has no such thing
            await self.channel_layer.send(self.channel_name, word)
        else:
            await self.channel_layer.group_send(self.room, word)

    async def chat_message(self, event):
        await self.send(text_data=json.dumps({"message": event["message"]}))

    async def disconnect(self, code):
        await self.channel_layer.group_discard(self.room, self.channel_name)


CONSUMERS = {"/room": Member.as_asgi(), "/tutorial": Tutorial.as_asgi()}


async def application(scope, receive, send):
    await CONSUMERS[scope["path"]](scope, receive, send)


def main(layer: str, url: str = "", prefix: str = "") -> None:
    config = {}
    if url:
        # redis-py opens 100 connections at most, and refuses whoever needs one more: a thousand
        # clients who come or go at once.
        host = {"address": url, "socket_timeout": None, "max_connections": MANY}
        config = {"hosts": [host], "prefix": prefix, "capacity": MANY}
    settings.configure(CHANNEL_LAYERS={"default": {"BACKEND": BACKENDS[layer], "CONFIG": config}})
    serve(application)


if __name__ == "__main__":
    main(*sys.argv[1:])
