"""Lesson 0, solved: the asgi.py of a club."""

from channels.consumer import SyncConsumer
from channels.exceptions import StopConsumer
from channels.routing import ProtocolTypeRouter, URLRouter
from django.urls import path, re_path


async def website(scope, receive, send):
    """Stands for get_asgi_application()."""
    await send({"type": "http.response.start", "status": 200})
    await send({"type": "http.response.body", "body": b"the club"})


class Line(SyncConsumer):
    def websocket_connect(self, event):
        self.frames = 0
        self.send({"type": "websocket.accept"})
        self.send({"type": "websocket.send", "text": "open"})

    def websocket_receive(self, event):
        self.frames += 1
        self.send({"type": "websocket.send", "text": f"frame {self.frames}"})

    def websocket_disconnect(self, event):
        raise StopConsumer()


class Closed(SyncConsumer):
    def websocket_connect(self, event):
        self.send({"type": "websocket.close"})

    def websocket_disconnect(self, event):
        raise StopConsumer()


application = ProtocolTypeRouter(
    {
        "http": website,
        "websocket": URLRouter(
            [
                # as_asgi() makes an instance of the class for each connection.
                path("ws/sync/start/", Line.as_asgi()),
                # The last route matches every path. Routes are tried in their order.
                re_path(r"", Closed.as_asgi()),
            ]
        ),
    }
)
