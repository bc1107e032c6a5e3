"""Lesson 29: a kitchen that restarts without a loss.

`soup` takes 3 seconds, any other order no time. `GET /served/` lists what was served. Complete
`Drain` and `Connection`. After `POST /drain/`:

- `GET /health/` gets 503 and `draining`, instead of 200 and `ok`.
- A new handshake is rejected: `websocket.close` before any accept.
- Each open connection is closed once with 4012: at once, or, while the kitchen is at work on an
  order of this client, right after that was served; so its client gets the answer, then the close.
  A connection whose handshake came earlier and is not accepted yet is closed after its accept.
- After this close, the kitchen receives nothing from this client but `websocket.disconnect`. So it
  serves no order that waited or came later.

`POST /drain/` is answered at once, each time. Every other request works as before. Leave
Kitchen and Served unchanged.
"""

import asyncio

from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer
from channels.routing import ProtocolTypeRouter

served = []  # the orders that were served


async def respond(send, status, text):
    await send({"type": "http.response.start", "status": status})
    await send({"type": "http.response.body", "body": text.encode()})


# The checks look for this name and this base class: keep both.
class Kitchen(AsyncConsumer):
    async def __call__(self, scope, receive, send):
        try:
            await super().__call__(scope, receive, send)
        finally:
            await self.channel_layer.group_discard("guests", self.channel_name)

    async def websocket_connect(self, event):
        await self.channel_layer.group_add("guests", self.channel_name)
        await self.send({"type": "websocket.accept"})

    async def websocket_receive(self, event):
        order = event.get("text") or ""
        if order == "soup":
            await asyncio.sleep(3)
        served.append(order)
        await self.send({"type": "websocket.send", "text": f"{order} is served"})

    async def kitchen_news(self, message):
        await self.send({"type": "websocket.send", "text": message["text"]})

    async def websocket_disconnect(self, event):
        raise StopConsumer()


class Served(AsyncConsumer):
    async def http_request(self, event):
        await respond(self.send, 200, f"served: {', '.join(served)}")

    async def http_disconnect(self, event):
        raise StopConsumer()


class Connection:
    """Its `receive` and `send` replace those of the server. Channels calls `receive` again only
    after the handler of the last event has returned."""

    is_accepted = is_closed = False

    def __init__(self, drain, receive, send):
        self.drain = drain
        self.server_receive, self.server_send = receive, send

    async def receive(self):
        # TODO 2: if the drain has begun, close. Keep on `self` whether the kitchen waits for an
        # event. Drop frames that come after the close.
        return await self.server_receive()

    async def send(self, message):
        if self.is_closed:
            return
        if message["type"] == "websocket.accept":
            self.is_accepted = True
        elif message["type"] == "websocket.close":
            self.is_closed = True
        await self.server_send(message)

    async def close(self):
        if self.is_accepted:
            await self.send({"type": "websocket.close", "code": 4012})


class Drain:
    """Wraps an application. One instance serves all clients."""

    def __init__(self, inner):
        self.inner = inner
        self.has_begun = False
        self.connections = set()

    async def __call__(self, scope, receive, send):
        # TODO 1: begin the drain, fail the health check, reject new handshakes, and close each
        # connection whose kitchen waits.
        request = scope["type"], scope.get("method"), scope.get("path")
        if request == ("http", "GET", "/health/"):
            await respond(send, 200, "ok")
        elif request == ("http", "POST", "/drain/"):
            await respond(send, 202, "draining")
        elif scope["type"] != "websocket":
            await self.inner(scope, receive, send)
        else:
            await self.serve(scope, Connection(self, receive, send))

    async def serve(self, scope, connection):
        self.connections.add(connection)
        try:
            await self.inner(scope, connection.receive, connection.send)
        finally:
            self.connections.discard(connection)


# What asgi.py serves.
application = Drain(
    ProtocolTypeRouter({"websocket": Kitchen.as_asgi(), "http": Served.as_asgi()}),
)
