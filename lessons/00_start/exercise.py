"""Lesson 0: the asgi.py of a club.

`application` is what the server loads. `website` stands for Django: it answers every HTTP request.
`Line` accepts each client, says `open`, and counts what the client sends. `Closed` rejects each
client. All three are right; do not change them.

- Every HTTP request reaches `website`, whatever its path is. This works already.
- A WebSocket to `/ws/sync/start/` reaches `Line`. Each connection has its own instance.
- A WebSocket to any other path is rejected before any accept, without an exception.
  `/ws/sync/start` without the last slash and `/ws/sync/start/more/` are other paths, too. No path
  has two slashes side by side.

`application` keeps its name.
"""

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


# TODO 1: let a WebSocket to /ws/sync/start/ reach Line.
# TODO 2: let a WebSocket to any other path reach Closed.
application = ProtocolTypeRouter({"http": website})
