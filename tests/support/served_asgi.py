"""The project's own application, with one consumer more, patience, and files asked for once."""

from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer
from django.contrib.staticfiles import handlers
from django.urls import path

from sync_demo.routing import websocket_urlpatterns
from tests.support.servers.daphne_server import wait_for_late_closes


class Flood(AsyncConsumer):
    """Sends as many frames as it is told to, and never lets the loop turn meanwhile."""

    async def websocket_connect(self, event):
        await self.send({"type": "websocket.accept"})

    async def websocket_receive(self, event):
        for _ in range(int(event["text"])):
            await self.send({"type": "websocket.send", "text": "drop"})

    async def websocket_disconnect(self, event):
        raise StopConsumer


def kept(serve):
    """Tells the browser to keep a file: in a new checkout it asks for all of them at each visit."""

    def serve_to_be_kept(*args, **kwargs):
        response = serve(*args, **kwargs)
        response["Cache-Control"] = "max-age=3600"
        return response

    return serve_to_be_kept


wait_for_late_closes()
handlers.serve = kept(handlers.serve)
websocket_urlpatterns.append(path("ws/flood/", Flood.as_asgi()))

from lessons.asgi import application  # noqa: E402, F401
