"""Lesson 27: a copier with a quota.

Copier runs behind AuthMiddlewareStack, on several servers. It accepts every client, then closes
anonymous ones with 4401. Each frame of a user is answered:

- A text of 1 to 40 characters is a page. In each minute of the clock (12:00:00 to 12:01:00), a user
  may copy 3, over all connections and servers. The answer is `copied hello`.
- A further page gets `wait 17`: the seconds until the next minute, rounded up.
- Any other frame gets `not a page`, and does not count.

After 30 seconds without a frame, the client receives `still there?`. After 60 seconds, it is closed
with 4408. A frame after a close gets no answer and copies nothing.

The servers share the cache and the database (another server may act between two calls). Call
neither on the event loop. No task outlives its connection.
"""

import asyncio

from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer

PAGES = 3  # that a user may copy in a minute
MINUTE = 60  # seconds
MAX_LENGTH = 40  # characters of a page
SILENCE = 30  # seconds until the question, and again until the close


# The checks look for this name and this base class: keep both.
class Copier(AsyncConsumer):
    watch = None  # a task; a client that is not logged in has none

    async def __call__(self, scope, receive, send):
        try:
            await super().__call__(scope, receive, send)
        finally:
            self.stop_watch()

    async def websocket_connect(self, event):
        await self.send({"type": "websocket.accept"})
        if not self.scope["user"].is_authenticated:
            await self.send({"type": "websocket.close", "code": 4401})
            raise StopConsumer()
        self.pages = 0
        self.start_watch()

    async def websocket_receive(self, event):
        # TODO 3: a frame ends the silence. It may also come after the close.
        text = event.get("text") or ""
        if not 1 <= len(text) <= MAX_LENGTH:
            await self.send_text("not a page")
        elif wait := await self.take_page():
            await self.send_text(f"wait {wait}")
        else:
            await self.send_text(f"copied {text}")

    async def take_page(self):
        """Count a page, and return 0. If none is left, return the seconds until the next minute."""
        # TODO 1: count the pages of the user in this minute, on all servers.
        self.pages += 1
        return 0 if self.pages <= PAGES else MINUTE

    def start_watch(self):
        self.stop_watch()
        self.watch = asyncio.create_task(self.watch_silence())

    def stop_watch(self):
        if self.watch is not None:
            self.watch.cancel()

    async def watch_silence(self):
        # TODO 2: after 30 seconds, ask. After 60 seconds, close.
        await asyncio.sleep(SILENCE)

    async def send_text(self, text):
        await self.send({"type": "websocket.send", "text": text})

    async def websocket_disconnect(self, event):
        raise StopConsumer()
