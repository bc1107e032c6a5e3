"""Consumers of lessons 11 and 12 in a project of nothing else, for test_facts_layer.py.

When a consumer ends, the server prints its NUMBER, which is its query string.
"""

import asyncio
import json
import runpy
from pathlib import Path

from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer
from channels.routing import ProtocolTypeRouter, URLRouter
from django.conf import settings
from django.core.asgi import get_asgi_application
from django.urls import path

settings.configure(
    SECRET_KEY="for these tests alone",
    ALLOWED_HOSTS=["127.0.0.1"],
    ROOT_URLCONF="layers_demo.urls",
    INSTALLED_APPS=["layers_demo"],
    MIDDLEWARE=["django.middleware.csrf.CsrfViewMiddleware"],
    TEMPLATES=[
        {"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True},
    ],
    CHANNEL_LAYERS={"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}},
)
django_application = get_asgi_application()

from layers_demo.consumers import Jukebox  # noqa: E402
from layers_demo.routing import websocket_urlpatterns  # noqa: E402
from tests.support.servers.daphne_server import serve  # noqa: E402

COURSE = Path(__file__).parents[3] / "lessons"
Lounge = runpy.run_path(COURSE / "12_group" / "solution.py")["Lounge"]


class FailingRoom(Jukebox):
    """Lesson 12's jukebox, one in each room of the URL. A handler may raise or hang."""

    async def websocket_connect(self, event):
        self.group = f"room-{self.scope['url_route']['kwargs']['room_name']}"
        await super().websocket_connect(event)

    async def websocket_receive(self, event):
        if event.get("text") == "raise":
            raise LookupError("requested")
        if event.get("text") == "hang":
            await asyncio.Event().wait()
        await super().websocket_receive(event)


class OnDisconnect(FailingRoom):
    """Leaves the group only in websocket_disconnect."""

    __call__ = AsyncConsumer.__call__

    async def websocket_disconnect(self, event):
        await self.channel_layer.group_discard(self.group, self.channel_name)
        raise StopConsumer()


class Probe(AsyncConsumer):
    """Sends the message of a client, and replies with the number of channels in the group."""

    async def websocket_connect(self, event):
        await self.send({"type": "websocket.accept"})

    async def websocket_receive(self, event):
        channel, message = json.loads(event["text"])
        if message is not None:
            await self.channel_layer.send(channel, message)
        members = len(self.channel_layer.groups.get(channel, {}))
        await self.send({"type": "websocket.send", "text": str(members)})

    async def websocket_disconnect(self, event):
        raise StopConsumer()


router = URLRouter(
    [
        *websocket_urlpatterns,
        path("failing/<str:room_name>/", FailingRoom.as_asgi()),
        path("on-disconnect/<str:room_name>/", OnDisconnect.as_asgi()),
        path("lounge/<str:room_name>/", Lounge.as_asgi()),
        path("probe/", Probe.as_asgi()),
    ]
)


async def application(scope, receive, send):
    try:
        await router(scope, receive, send)
    finally:
        print(scope["query_string"].decode(), "over", flush=True)


if __name__ == "__main__":
    routes = {"http": django_application, "websocket": application}
    serve(ProtocolTypeRouter(routes), application_close_timeout=1)
