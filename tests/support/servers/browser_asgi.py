"""The project for tests in a browser: slow closes, cached files, and one more consumer."""

from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer
from django.contrib.staticfiles import handlers
from django.urls import path

from sync_demo.routing import websocket_urlpatterns
from tests.support.servers.daphne_server import wait_for_late_closes


class Flood(AsyncConsumer):
    """Sends as many frames as the client asks for, without a pause for the event loop."""

    async def websocket_connect(self, event):
        await self.send({"type": "websocket.accept"})

    async def websocket_receive(self, event):
        for _ in range(int(event["text"])):
            await self.send({"type": "websocket.send", "text": "drop"})

    async def websocket_disconnect(self, event):
        raise StopConsumer


def cached(serve):
    """Let the browser cache static files. In a new checkout it would load them on every visit."""

    def serve_with_cache_control(*args, **kwargs):
        response = serve(*args, **kwargs)
        response["Cache-Control"] = "max-age=3600"
        return response

    return serve_with_cache_control


wait_for_late_closes()
handlers.serve = cached(handlers.serve)
websocket_urlpatterns.append(path("ws/flood/", Flood.as_asgi()))

from lessons.asgi import application  # noqa: E402, F401
