"""What a consumer can do without backpressure.

Under Daphne, `send` never waits for the client: unread frames fill the server's memory. Daphne also
reads all that a client sends, and keeps it until a handler has time.
"""

import asyncio
import json
import secrets
from collections import deque

from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer


class Unconfirmed:
    """The frames that a client has not confirmed yet. A client confirms a frame with its key.

    Keys are random, so a client that does not read cannot confirm.
    """

    def __init__(self, limit, seconds):
        self.limit, self.seconds = limit, seconds
        self.keys = deque()
        self.clock = asyncio.get_running_loop().time

    def new_key(self):
        if not self.keys:
            self.since = self.clock()
        self.keys.append(secrets.token_hex(8))
        return self.keys[-1]

    def confirm(self, key):
        """Remove this frame and all frames before it. Return whether the key is one of a frame."""
        if key not in self.keys:
            return False
        while self.keys.popleft() != key:
            pass
        self.since = self.clock()
        return True

    @property
    def is_full(self):
        return len(self.keys) >= self.limit

    @property
    def is_late(self):
        return self.is_full and self.clock() - self.since > self.seconds


class PriceFeed(AsyncConsumer):
    """Sends the newest price as often as the client confirms: it sends back each frame's key."""

    async def __call__(self, scope, receive, send):
        try:
            await super().__call__(scope, receive, send)
        finally:
            await self.channel_layer.group_discard("prices", self.channel_name)

    async def websocket_connect(self, event):
        self.unconfirmed = Unconfirmed(limit=8, seconds=10)
        self.newest = None  # a place for one price: a newer price replaces it
        await self.channel_layer.group_add("prices", self.channel_name)
        await self.send({"type": "websocket.accept"})

    async def price_changed(self, event):
        self.newest = event["price"]
        await self.send_newest()

    async def websocket_receive(self, event):
        self.unconfirmed.confirm(event.get("text"))
        await self.send_newest()

    async def send_newest(self):
        if self.newest is None:
            return
        if self.unconfirmed.is_late:
            await self.send({"type": "websocket.close", "code": 4408})
            raise StopConsumer()
        if not self.unconfirmed.is_full:
            frame = {"key": self.unconfirmed.new_key(), "price": self.newest}
            self.newest = None
            await self.send({"type": "websocket.send", "text": json.dumps(frame)})

    async def websocket_disconnect(self, event):
        raise StopConsumer()


class InputLimit:
    """Middleware: closes a connection with 4429 if too many of its frames wait for a handler."""

    def __init__(self, application, limit=32):
        self.application, self.limit = application, limit

    async def __call__(self, scope, receive, send):
        waiting = asyncio.Queue()

        async def read_until_full():
            # Read at once, and count, what Daphne has read: its own queue has no limit.
            while True:
                event = await receive()
                if event["type"] == "websocket.receive" and waiting.qsize() >= self.limit:
                    return
                waiting.put_nowait(event)

        reader = asyncio.create_task(read_until_full())
        handlers = asyncio.create_task(self.application(scope, waiting.get, send))
        try:
            await asyncio.wait({reader, handlers}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            is_full = reader.done()
            for task in (reader, handlers):
                task.cancel()
            await asyncio.gather(reader, handlers, return_exceptions=True)
        if is_full:
            await send({"type": "websocket.close", "code": 4429})
            while (await receive())["type"] != "websocket.disconnect":
                pass  # drop the frames that come before the client has read the close
        else:
            handlers.result()  # raises the exception of the application
