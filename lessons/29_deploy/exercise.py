"""Lesson 29: a kitchen that can be restarted without the loss of an order.

Kitchen takes orders over a WebSocket. `soup` takes 3 seconds, and every other order takes no time.
All guests get the news of the group `guests`. `GET /served/` lists what was served. All this works.
Before a restart, the process manager sends `POST /drain/`. Complete the middleware Drain, of which
one instance serves all clients:

- `GET /health/` gets the status 200 and the body `ok`. After `POST /drain/`, it gets 503 and
  `draining`.
- `POST /drain/` gets 202 and `draining` at once, the second time too. Drain's call for this request
  then ends. It does not wait for any order.
- Every other request, such as `GET /drain/`, reaches the application that Drain wraps, also after
  `POST /drain/`.
- After `POST /drain/`, a new handshake is rejected: `websocket.close` before any accept.
- Each open connection is closed with 4012: at once, or, if the kitchen is at work on an order of
  this client, right after that order was served. If a handshake came before `POST /drain/` and is
  accepted after it, the connection is closed after the accept. A connection gets one close at most,
  and none after the kitchen has ended or has received `websocket.disconnect`.
- After this close, the server sends `websocket.disconnect`. Until then, the kitchen receives
  nothing from this client, so it serves no order that waited or came later. What the kitchen sends
  on this connection does not reach the server.

Responses may have any headers. Do not change Kitchen and Served.
"""

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

    def __init__(self, receive, send):
        self.server_receive, self.server_send = receive, send

    # TODO 2: find out when to close, and what may pass after that.

    async def receive(self):
        return await self.server_receive()

    async def send(self, message):
        await self.server_send(message)


class Drain:
    """Wraps an application. One instance serves all clients."""

    def __init__(self, inner):
        self.inner = inner

    async def __call__(self, scope, receive, send):
        # TODO 1: answer /health/ and /drain/, and reject new handshakes after the drain.
        if scope["type"] == "websocket":
            connection = Connection(receive, send)
            receive, send = connection.receive, connection.send
        await self.inner(scope, receive, send)


# What asgi.py serves.
application = Drain(
    ProtocolTypeRouter({"websocket": Kitchen.as_asgi(), "http": Served.as_asgi()}),
)
