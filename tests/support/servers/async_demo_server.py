"""AsyncConsumers on a real Daphne, for test_facts_async_consumers.py.

Each line that a consumer or its task prints starts with the NUMBER of the connection, which is its
query string.
"""

import asyncio
from contextlib import suppress

import django
from autobahn.exception import Disconnected
from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer
from channels.generic.websocket import AsyncJsonWebsocketConsumer
from django.conf import settings

# The demos import models, so Django must be set up first.
settings.configure(INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes"])
django.setup()

from async_demo.consumers import Metronome, Shelf  # noqa: E402
from tests.support.servers.daphne_server import serve  # noqa: E402


class PrintsTaskEnd:
    """Prints when its task is cancelled."""

    interval = 0.01

    async def tick(self):
        try:
            await super().tick()
        except asyncio.CancelledError:
            self.say("task cancelled")
            raise

    async def send(self, message):
        # A tick between the client's close frame and the end of the TCP connection raises this
        # error. Daphne drops a later tick silently.
        with suppress(Disconnected):
            await super().send(message)

    def say(self, text):
        print(self.scope["query_string"].decode(), text, flush=True)


class Demo(PrintsTaskEnd, Metronome):
    async def websocket_receive(self, event):
        if event.get("text") == "raise":
            raise LookupError("requested")
        if event.get("text") == "hang":
            await asyncio.Event().wait()


class OnDisconnect(Demo):
    """Cleans up only in websocket_disconnect."""

    __call__ = AsyncConsumer.__call__

    async def send(self, message):
        await super().send(message)
        if message["type"] == "websocket.send" and self.is_disconnected:
            self.say("tick after the end")

    is_disconnected = False

    async def websocket_disconnect(self, event):
        self.task.cancel()
        raise StopConsumer()


class Orphan(OnDisconnect):
    """Does not cancel its task."""

    async def websocket_disconnect(self, event):
        self.is_disconnected = True
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


SERVED = (Demo, OnDisconnect, Orphan, Slowest, Shelf, AsyncJsonWebsocketConsumer)
CONSUMERS = {f"/{c.__name__}": c.as_asgi() for c in SERVED}


async def application(scope, receive, send):
    number = scope["query_string"].decode()
    try:
        await CONSUMERS[scope["path"]](scope, receive, send)
    finally:
        print(number, "over", flush=True)


if __name__ == "__main__":
    serve(application, application_close_timeout=0.2)
