"""Worked examples, solutions and rooms in a project of nothing else; see `start` at the end.

The application `tasks` prints the query string of a connection when its consumer ends.
"""

import asyncio
import logging
import os
import sys
from types import SimpleNamespace

import django
from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer
from channels.routing import ChannelNameRouter, ProtocolTypeRouter
from django.conf import settings
from django.core.management import execute_from_command_line

MEMORY = {"BACKEND": "channels.layers.InMemoryChannelLayer"}
APPS = ["channels", "django.contrib.auth", "django.contrib.contenttypes", "layers_demo"]
os.environ.pop("DJANGO_SETTINGS_MODULE", None)
# The demos import models, so Django must be set up first.
settings.configure(
    INSTALLED_APPS=APPS,
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    ASGI_APPLICATION=f"{__name__}.worker_application",
    CHANNEL_LAYERS={"default": MEMORY},
)
django.setup()

from async_demo.consumers import Metronome  # noqa: E402
from layers_demo.consumers import Siren  # noqa: E402
from lessons.workshop.course.lesson_index import find  # noqa: E402
from lessons.workshop.engine.world.student_module import load_file  # noqa: E402
from tests.support.accepting_consumers import Accepts  # noqa: E402
from tests.support.servers.daphne_server import serve, start  # noqa: E402

# Consumers with a task. Each line that they print starts with the number of the connection.


class Demo(Metronome):
    """Prints when its task is cancelled."""

    interval = 0.01

    async def tick(self):
        try:
            await super().tick()
        except asyncio.CancelledError:
            self.say("task cancelled")
            raise

    def say(self, text):
        print(self.scope["query_string"].decode(), text, flush=True)


class OnDisconnect(Demo):
    """Cleans up only in websocket_disconnect."""

    __call__ = AsyncConsumer.__call__

    async def websocket_disconnect(self, event):
        self.task.cancel()
        raise StopConsumer()


class Slowest(Demo):
    """Needs more time to clean up than any test waits."""

    async def __call__(self, scope, receive, send):
        try:
            await super().__call__(scope, receive, send)
        finally:
            self.say("clean-up begun")
            await asyncio.sleep(3600)
            self.say("clean-up done")


def tasks():
    consumers = {f"/{one.__name__}": one.as_asgi() for one in (Demo, OnDisconnect, Slowest)}

    async def application(scope, receive, send):
        try:
            await consumers[scope["path"]](scope, receive, send)
        finally:
            print(scope["query_string"].decode(), "over", flush=True)

    serve(application, application_close_timeout=0.2)


# The solution of lesson 29: a kitchen that can be drained. It prints `cooking` when a soup begins.
# The soup is ready after a request to /cooked/.


def kitchen(server):
    solved, is_cooked = load_file(find("deploy").solution), asyncio.Event()

    async def cook(seconds):
        print("cooking", flush=True)
        await is_cooked.wait()

    async def application(scope, receive, send):
        if scope.get("path") == "/cooked/":
            is_cooked.set()
        await solved.application(scope, receive, send)

    solved.asyncio = SimpleNamespace(sleep=cook)
    serve(application, server)


# Consumers on layers in Redis. A path is /LAYER/CONSUMER, perhaps with /ROOM.


class Chat(AsyncConsumer):
    """A chat room without any handling of faults."""

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


def layer(redis, backend="core.RedisChannelLayer", **config):
    # redis-py opens at most 100 connections by default, and raises an error for the next one.
    host = {"address": redis, "socket_timeout": None, "max_connections": 10_000}
    return {"BACKEND": f"channels_redis.{backend}", "CONFIG": {"hosts": [host], **config}}


def rooms(redis, close=10):
    settings.CHANNEL_LAYERS = {
        "default": layer(redis),
        "pubsub": layer(redis, "pubsub.RedisPubSubChannelLayer"),
    }
    consumers = {one.__name__: one for one in (Accepts, Chat, Siren)}

    async def application(scope, receive, send):
        _, alias, name, *_ = scope["path"].split("/")
        consumer = type(name, (consumers[name],), {"channel_layer_alias": alias})
        await consumer.as_asgi()(scope, receive, send)

    serve(application, websocket_handshake_timeout=60, application_close_timeout=float(close))


# A worker, which prints what its consumer does and what `runworker` logs, one line each.


class Jobs(AsyncConsumer):
    async def job_hold(self, event):
        print(self.scope["channel"], "holds", flush=True)
        await asyncio.Event().wait()


worker_application = ProtocolTypeRouter({"channel": ChannelNameRouter({"jobs": Jobs.as_asgi()})})


def worker(redis, prefix):
    logging.basicConfig(stream=sys.stdout, format="log %(message)s", level=logging.INFO)
    settings.CHANNEL_LAYERS = {"default": layer(redis, prefix=prefix)}
    execute_from_command_line(["manage.py", "runworker", "jobs"])


if __name__ == "__main__":
    start(tasks, kitchen, rooms, worker)
