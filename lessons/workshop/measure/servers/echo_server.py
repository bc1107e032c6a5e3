"""The server of `bench echo`: `python -m lessons.workshop.measure.servers.echo_server NAME`.

NAME is daphne or uvicorn.

One process serves the same echo in every shape that a consumer can have, each shape at its own
path. It prints `port NUMBER` when it listens.
"""

import asyncio
import os
import socket
import sys

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "lessons.settings")
django.setup()

from channels.auth import AuthMiddlewareStack  # noqa: E402
from channels.consumer import AsyncConsumer, SyncConsumer, get_handler_name  # noqa: E402
from channels.exceptions import StopConsumer  # noqa: E402
from channels.generic.websocket import (  # noqa: E402
    AsyncJsonWebsocketConsumer,
    AsyncWebsocketConsumer,
)
from channels.routing import URLRouter  # noqa: E402
from channels.security.websocket import AllowedHostsOriginValidator  # noqa: E402
from django.urls import path  # noqa: E402

from lessons.workshop.engine.recording.middleware import RecordingMiddleware  # noqa: E402
from lessons.workshop.engine.recording.recorder import Recorder  # noqa: E402


async def bare(scope, receive, send):
    """An echo without Channels: what the server itself costs."""
    while (event := await receive())["type"] != "websocket.disconnect":
        if event["type"] == "websocket.connect":
            await send({"type": "websocket.accept"})
        else:
            await send({"type": "websocket.send", "text": event["text"]})


class Async(AsyncConsumer):
    async def websocket_connect(self, event):
        await self.send({"type": "websocket.accept"})

    async def websocket_receive(self, event):
        await self.send({"type": "websocket.send", "text": event["text"]})

    async def websocket_disconnect(self, event):
        raise StopConsumer


class Lean(Async):
    """Skips the check of the database connections, because no handler uses the database."""

    async def dispatch(self, message):
        handler = getattr(self, get_handler_name(message), None)
        if handler is None:
            raise ValueError(f"No handler for message type {message['type']}")
        await handler(message)


class Sync(SyncConsumer):
    def websocket_connect(self, event):
        self.send({"type": "websocket.accept"})

    def websocket_receive(self, event):
        self.send({"type": "websocket.send", "text": event["text"]})

    def websocket_disconnect(self, event):
        raise StopConsumer


class Generic(AsyncWebsocketConsumer):
    async def receive(self, text_data=None, bytes_data=None):
        await self.send(text_data=text_data)


class Json(AsyncJsonWebsocketConsumer):
    async def receive_json(self, content):
        await self.send_json(content)


def routed(application):
    return URLRouter([path("<path:any>", application)])


def recorder_with_listener():
    recorder = Recorder(keep=False)
    recorder.listeners.append(lambda event: None)
    return recorder


APPLICATIONS = {
    "/bare": bare,
    "/router": routed(bare),
    "/async": Async.as_asgi(),
    "/lean": Lean.as_asgi(),
    "/sync": Sync.as_asgi(),
    "/generic": Generic.as_asgi(),
    "/json": Json.as_asgi(),
    "/stack": AllowedHostsOriginValidator(AuthMiddlewareStack(routed(Async.as_asgi()))),
    "/recorder-off": RecordingMiddleware(Async.as_asgi(), Recorder(keep=False)),
    "/recorder-on": RecordingMiddleware(Async.as_asgi(), recorder_with_listener()),
}


async def application(scope, receive, send):
    await APPLICATIONS[scope["path"]](scope, receive, send)


def serve_daphne():
    from lessons.workshop.measure.servers.port_server import serve

    serve(application)


def serve_uvicorn():
    import uvicorn

    config = uvicorn.Config(
        application, lifespan="off", log_level="error", access_log=False, ws_ping_interval=None
    )
    listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
    print("port", listener.getsockname()[1], flush=True)
    asyncio.run(uvicorn.Server(config).serve([listener]))


if __name__ == "__main__":
    {"daphne": serve_daphne, "uvicorn": serve_uvicorn}[sys.argv[1]]()
