"""The server of `bench fanout`, on Daphne.

`python -m lessons.workshop.measure.servers.fanout_server LAYER [URL PREFIX]`. The path of a
WebSocket names its consumer and its room.
"""

import json
import sys

from channels.consumer import AsyncConsumer, get_handler_name
from channels.exceptions import StopConsumer
from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings

from lessons.extras.shared_channel import Radio
from lessons.workshop.measure.servers.port_server import serve

BACKENDS = {
    "in memory": "channels.layers.InMemoryChannelLayer",
    "Redis": "channels_redis.core.RedisChannelLayer",
    "Redis pub/sub": "channels_redis.pubsub.RedisPubSubChannelLayer",
}
MAX_CONNECTIONS = CAPACITY = 10_000
PROBE = "?"


class Member(AsyncConsumer):
    async def websocket_connect(self, event):
        self.room = self.scope["path"].strip("/")
        await self.channel_layer.group_add(self.room, self.channel_name)
        await self.send({"type": "websocket.accept"})

    async def websocket_receive(self, event):
        message = {"type": "room.message", "text": event["text"]}
        if event["text"].startswith(PROBE):  # arrives after all that is in this channel already
            await self.channel_layer.send(self.channel_name, message)
        else:
            await self.channel_layer.group_send(self.room, message)

    async def room_message(self, event):
        await self.send({"type": "websocket.send", "text": event["text"]})

    async def websocket_disconnect(self, event):
        await self.channel_layer.group_discard(self.room, self.channel_name)
        raise StopConsumer


class Lean(Member):
    """As in lesson 10: no handler makes a query, so none needs a check of the connections."""

    async def dispatch(self, message):
        await getattr(self, get_handler_name(message))(message)


class Tutorial(AsyncWebsocketConsumer):
    """The chat of Channels' own tutorial: a generic consumer that receives and sends JSON."""

    async def connect(self):
        self.room = self.scope["path"].strip("/")
        await self.channel_layer.group_add(self.room, self.channel_name)
        await self.accept()

    async def receive(self, text_data):
        message = {"type": "chat.message", "message": json.loads(text_data)["message"]}
        if message["message"].startswith(PROBE):  # as above; the tutorial itself has no probe
            await self.channel_layer.send(self.channel_name, message)
        else:
            await self.channel_layer.group_send(self.room, message)

    async def chat_message(self, event):
        await self.send(text_data=json.dumps({"message": event["message"]}))

    async def disconnect(self, code):
        await self.channel_layer.group_discard(self.room, self.channel_name)


CONSUMERS = {
    "/room": Member.as_asgi(),
    "/lean": Lean.as_asgi(),
    "/shared": Radio.as_asgi(),
    "/tutorial": Tutorial.as_asgi(),
}


async def application(scope, receive, send):
    await CONSUMERS[scope["path"]](scope, receive, send)


def main(layer: str, url: str = "", prefix: str = "") -> None:
    config = {}
    if url:
        # redis-py opens at most 100 connections by default and raises an error for the next one.
        # A thousand clients that connect or close at once need more.
        host = {"address": url, "socket_timeout": None, "max_connections": MAX_CONNECTIONS}
        config = {"hosts": [host], "prefix": prefix, "capacity": CAPACITY}
    settings.configure(CHANNEL_LAYERS={"default": {"BACKEND": BACKENDS[layer], "CONFIG": config}})
    serve(application)


if __name__ == "__main__":
    main(*sys.argv[1:])
