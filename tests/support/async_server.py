"""AsyncConsumers on a real Daphne: what test_facts_push.py and test_facts_generic.py start.

Each connection's NUMBER, its query string, stands in front of what its consumer and its task print.
"""

import asyncio
from contextlib import suppress

import django
from autobahn.exception import Disconnected
from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer
from channels.generic.websocket import AsyncJsonWebsocketConsumer
from django.conf import settings

# Before the demos, which import models.
settings.configure(INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes"])
django.setup()

from async_demo.consumers import Metronome, Shelf  # noqa: E402
from tests.support.facts_server import serve  # noqa: E402


class Announced:
    """Says when its task ends, and how."""

    interval = 0.01

    async def tick(self):
        try:
            await super().tick()
        except asyncio.CancelledError:
            self.say("task cancelled")
            raise

    async def send(self, message):
        # Raised for a tick between the client's close and the end of its line; later ones are
        # dropped without a word.
        with suppress(Disconnected):
            await super().send(message)

    def say(self, text):
        print(self.scope["query_string"].decode(), text, flush=True)


class Demo(Announced, Metronome):
    async def websocket_receive(self, event):
        if event.get("text") == "raise":
            raise LookupError("as asked for")
        if event.get("text") == "hang":
            await asyncio.Event().wait()


class OnDisconnect(Demo):
    """Cleans up in websocket_disconnect alone."""

    __call__ = AsyncConsumer.__call__

    async def send(self, message):
        await super().send(message)
        if message["type"] == "websocket.send" and self.gone:
            self.say("tick after the end")

    gone = False

    async def websocket_disconnect(self, event):
        self.task.cancel()
        raise StopConsumer()


class Orphan(OnDisconnect):
    """Leaves its task to itself."""

    async def websocket_disconnect(self, event):
        self.gone = True
        raise StopConsumer()


class Slow(Demo):
    """Needs some time to clean up."""

    needs = 0.1

    async def __call__(self, scope, receive, send):
        try:
            await super().__call__(scope, receive, send)
        finally:
            self.say("clean-up begun")
            await asyncio.sleep(self.needs)
            self.say("clean-up done")


class Slowest(Slow):
    """Needs more time than any test has."""

    needs = 3600


SERVED = (Demo, OnDisconnect, Orphan, Slow, Slowest, Shelf, AsyncJsonWebsocketConsumer)
CONSUMERS = {f"/{c.__name__}": c.as_asgi() for c in SERVED}


async def application(scope, receive, send):
    number = scope["query_string"].decode()
    try:
        await CONSUMERS[scope["path"]](scope, receive, send)
    finally:
        print(number, "over", flush=True)


if __name__ == "__main__":
    serve(application, application_close_timeout=0.1)
