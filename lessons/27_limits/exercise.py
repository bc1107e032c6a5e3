"""Lesson 27: a copier. Each user may copy three pages a minute, and a silent client is closed.

Copier runs behind AuthMiddlewareStack, on several servers. It accepts every client. A client that
is not logged in is then closed with 4401. Every frame of the other clients gets an answer:

- A text frame of 1 to 40 characters is a page. A user may copy 3 pages in each minute of the clock
  (12:00:00 to 12:01:00, and so on). The pages of all connections of this user count, on all
  servers. The answer to `hello` is then `copied hello`.
- For a further page in this minute, the answer is `wait 17`: the seconds from the frame until the
  next minute begins, rounded up to a whole number from 1 to 60.
- Any other frame gets `not a page`, and does not count as one of the 3.

When a client has sent no frame for 30 seconds, it receives `still there?`. When it has sent no
frame for 60 seconds, it is closed with 4408. These times begin with the connection, and again with
each frame, whatever its answer is. A frame that arrives after a close gets no answer and copies
nothing.

The cache and the database are the same for all servers, and another server may act between any two
calls. They may be on another machine: do not call them on the event loop. No task continues after
the end of its connection, however it ends. Copier stays an AsyncConsumer.
"""

from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer

PAGES = 3  # that a user may copy in a minute
MINUTE = 60  # seconds
MAX_LENGTH = 40  # characters of a page
SILENCE = 30  # seconds until the question, and again until the close


class Copier(AsyncConsumer):
    async def websocket_connect(self, event):
        await self.send({"type": "websocket.accept"})
        if not self.scope["user"].is_authenticated:
            await self.send({"type": "websocket.close", "code": 4401})
            raise StopConsumer()
        self.pages = 0

    async def websocket_receive(self, event):
        # TODO 2: notice a client that is silent for 30 seconds, and for 60 seconds.
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

    async def send_text(self, text):
        await self.send({"type": "websocket.send", "text": text})

    async def websocket_disconnect(self, event):
        raise StopConsumer()
