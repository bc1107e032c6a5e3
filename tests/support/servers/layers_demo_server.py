"""Consumers of lessons 11 and 12 in a project of nothing else, for test_facts_layer.py.

When a consumer ends, the server prints its NUMBER, which is its query string.
"""

import json
import runpy
from pathlib import Path

import django
from channels.routing import ProtocolTypeRouter, URLRouter
from django.conf import settings
from django.urls import path

settings.configure(
    INSTALLED_APPS=["layers_demo"],
    CHANNEL_LAYERS={"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}},
)
django.setup()

from layers_demo.routing import websocket_urlpatterns  # noqa: E402
from tests.support.accepting_consumers import Accepts  # noqa: E402
from tests.support.servers.daphne_server import serve  # noqa: E402

COURSE = Path(__file__).parents[3] / "lessons"
Lounge = runpy.run_path(COURSE / "12_group" / "solution.py")["Lounge"]


class Probe(Accepts):
    """Sends the message of a client to a channel."""

    async def websocket_receive(self, event):
        channel, message = json.loads(event["text"])
        await self.channel_layer.send(channel, message)
        await self.send({"type": "websocket.send", "text": "sent"})


router = URLRouter(
    [
        *websocket_urlpatterns,
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
    serve(ProtocolTypeRouter({"websocket": application}))
