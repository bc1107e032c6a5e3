"""Lesson 10: a serial in five parts, whose page must learn whether to come back.

The page connects with the number of its last part, such as `?after=2`. Without a part, `after` is
0 or missing. The page stays away after 1000 and 4400 to 4499. After 4013 it comes back in 1 to 2
minutes, after any other code soon.

Accept each client. Then take the first point that fits:

- `after` is not exactly one of `0`, `1`, `2`, `3`, `4`, `5`: close with 4400.
- It is `5`, the last part: close with 1000.
- Three other clients are readers: close with 4013.
- Otherwise it is a reader until its connection ends. For each text frame `next`, it gets the next
  part, such as `3 The storm`. Right after part 5, close with 1000. After another frame, close
  with 4400.

Send nothing after your close.
"""

from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer

PARTS = ["The ship", "The island", "The storm", "The letter", "Home"]


# The checks look for this name and this base class: keep both.
class Serial(AsyncConsumer):
    readers = 0  # of all connections

    async def __call__(self, scope, receive, send):
        self.is_reader = False
        try:
            await super().__call__(scope, receive, send)
        finally:
            # However the connection ends, its place is free.
            if self.is_reader:
                Serial.readers -= 1

    async def websocket_connect(self, event):
        self.closed = False
        await self.send({"type": "websocket.accept"})
        # TODO 1: close with the code that fits, or continue after the client's last part.
        self.last = 0
        self.is_reader = True
        Serial.readers += 1

    async def websocket_receive(self, event):
        # TODO 2: close after the last part, and after a wrong frame. Ignore frames after the close.
        await self.send_part(self.last + 1)

    async def send_part(self, number):
        text = f"{number} {PARTS[number - 1]}"
        await self.send({"type": "websocket.send", "text": text})
        self.last = number

    async def close(self, code):
        self.closed = True
        await self.send({"type": "websocket.close", "code": code})

    async def websocket_disconnect(self, event):
        raise StopConsumer()
