"""Lesson 10, solved: a serial in five parts, whose page learns whether to come back."""

from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer
from django.http import QueryDict

PARTS = ["The ship", "The island", "The storm", "The letter", "Home"]


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
        after = QueryDict(self.scope["query_string"]).get("after", "0")
        # Compared as text: int() raises for some texts, and the page would come back for ever.
        if after not in ("0", "1", "2", "3", "4", "5"):
            await self.close(4400)
        elif after == "5":
            await self.close(1000)
        elif Serial.readers == 3:
            await self.close(4013)
        else:
            # No await since the comparison, so no other client has taken the place.
            Serial.readers += 1
            self.is_reader = True
            self.last = int(after)

    async def websocket_receive(self, event):
        if self.closed:
            return  # the client sent this frame before it received the close
        if event.get("text") != "next":
            await self.close(4400)
            return
        await self.send_part(self.last + 1)
        if self.last == len(PARTS):
            await self.close(1000)

    async def send_part(self, number):
        text = f"{number} {PARTS[number - 1]}"
        await self.send({"type": "websocket.send", "text": text})
        self.last = number

    async def close(self, code):
        self.closed = True
        await self.send({"type": "websocket.close", "code": code})

    async def websocket_disconnect(self, event):
        raise StopConsumer()
