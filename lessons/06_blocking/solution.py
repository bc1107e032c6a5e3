"""Lesson 6, solved: a bakery that serves all clients at the same time."""

import time

from asgiref.sync import sync_to_async
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
        # By default all calls share one thread, which Channels also needs before each handler.
        done = await sync_to_async(bake, thread_sensitive=False)(bread)
        await self.send({"type": "websocket.send", "text": done})

    async def websocket_disconnect(self, event):
        raise StopConsumer()
