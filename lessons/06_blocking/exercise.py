"""Lesson 6: a bakery that serves one client at a time.

Each text frame is an order. For `rye` the client gets `baking rye` at once, and `rye is done` when
it is baked. An empty text frame is an order too. A binary frame is not an order: answer it as you
like, even with `bake(None)`, but keep the connection open. While the bread of one client is baked,
other clients can connect, send orders, and leave. The bread of two clients is baked at the same
time. The second order of the same client may wait for its first. No code here uses the database. Do
not change `bake`. Call it once for each order, with the text of that order. Bakery stays an
AsyncConsumer.
"""

import time

from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer


def bake(bread):
    """Stands for a library that you cannot change: it blocks for two seconds."""
    time.sleep(2)
    return f"{bread} is done"


class Bakery(AsyncConsumer):
    async def websocket_connect(self, event):
        await self.send({"type": "websocket.accept"})

    async def websocket_receive(self, event):
        bread = event.get("text")
        await self.send({"type": "websocket.send", "text": f"baking {bread}"})
        # TODO: call bake() so that no other client has to wait for it.
        await self.send({"type": "websocket.send", "text": bake(bread)})

    async def websocket_disconnect(self, event):
        raise StopConsumer()
