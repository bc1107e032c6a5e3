"""A chat on Daphne: `python -m tests.redis.chat_server URL`. A path is /LAYER/CONSUMER/ROOM."""

import asyncio
import contextlib
import logging
import sys

import daphne.server
from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer
from django.conf import settings

from tests.workshop.facts_server import QuickReactor, Server

AWAY = 4503  # the close code of a consumer that says why
BEAT = 0.5  # seconds


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
    """Says why it closes when the layer fails, and joins anew at every beat."""

    async def __call__(self, scope, receive, send):
        self.beat = None
        try:
            await super().__call__(scope, receive, send)
        except Exception:
            # await_many_dispatch ends with the layer's receive(), as it does with a handler.
            await send({"type": "websocket.close", "code": AWAY})
            raise
        finally:
            if self.beat:
                self.beat.cancel()

    async def websocket_connect(self, event):
        self.room = self.scope["path"].rpartition("/")[2]
        try:
            await self.channel_layer.group_add(self.room, self.channel_name)
        finally:  # who is refused would not learn the code
            await self.send({"type": "websocket.accept"})
        self.beat = asyncio.create_task(self.join_anew())

    async def join_anew(self):
        """What Redis forgot is told to it again, and a membership never grows old."""
        with contextlib.suppress(Exception):  # receive() meets it too, and ends the consumer
            while True:
                await asyncio.sleep(BEAT)
                await self.channel_layer.group_add(self.room, self.channel_name)


CONSUMERS = {consumer.__name__: consumer for consumer in (Chat, Steady)}


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
        "redis": layer("core.RedisChannelLayer"),
        "brief": layer("core.RedisChannelLayer", prefix="brief", group_expiry=2),
        "pubsub": layer("pubsub.RedisPubSubChannelLayer"),
    }


if __name__ == "__main__":
    settings.configure(CHANNEL_LAYERS=layers(sys.argv[1]))
    logging.basicConfig(stream=sys.stdout, format="log %(message)s")
    daphne.server.reactor = QuickReactor(daphne.server.reactor)
    Server(application, endpoints=["tcp:port=0:interface=127.0.0.1"]).run()
