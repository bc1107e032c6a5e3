"""Lesson 29, solved: a kitchen that can be restarted without the loss of an order."""

import asyncio

from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer
from channels.routing import ProtocolTypeRouter

served = []  # the orders that were served


async def respond(send, status, text):
    await send({"type": "http.response.start", "status": status})
    await send({"type": "http.response.body", "body": text.encode()})


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

    is_accepted = is_waiting = is_closed = False

    def __init__(self, drain, receive, send):
        self.drain = drain
        self.server_receive, self.server_send = receive, send

    async def receive(self):
        if self.drain.has_begun:
            await self.close()  # the order of this client was served just now
        self.is_waiting = True
        event = await self.server_receive()
        while self.is_closed and event["type"] == "websocket.receive":
            event = await self.server_receive()  # not served: its client will order again
        self.is_waiting = False
        return event

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
        request = scope["type"], scope.get("method"), scope.get("path")
        if request == ("http", "GET", "/health/"):
            await respond(send, *((503, "draining") if self.has_begun else (200, "ok")))
        elif request == ("http", "POST", "/drain/"):
            # First the flag: a handshake may come during each of the awaits below.
            self.has_begun = True
            await respond(send, 202, "draining")
            await self.close_waiting()
        elif scope["type"] != "websocket":
            await self.inner(scope, receive, send)
        elif self.has_begun:
            await send({"type": "websocket.close"})
        else:
            await self.serve(scope, Connection(self, receive, send))

    async def serve(self, scope, connection):
        self.connections.add(connection)
        try:
            await self.inner(scope, connection.receive, connection.send)
        finally:
            self.connections.discard(connection)

    async def close_waiting(self):
        """Close each connection whose kitchen waits. The others close in their next receive()."""
        for connection in list(self.connections):  # a copy: a client may leave during the loop
            if connection.is_waiting:
                await connection.close()


# What asgi.py serves.
application = Drain(
    ProtocolTypeRouter({"websocket": Kitchen.as_asgi(), "http": Served.as_asgi()}),
)
