"""Lesson 4, solved: a notepad for each connection, and one count for all of them."""

from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer


class Notepad(AsyncConsumer):
    count = 0  # the lines of all connections

    async def websocket_connect(self, event):
        self.lines = []  # on self, so each connection has its own list
        await self.send({"type": "websocket.accept"})

    async def websocket_receive(self, event):
        text, data = event.get("text"), event.get("bytes")
        if text is None:
            await self.send({"type": "websocket.send", "bytes": data})
            return
        self.lines.append(text)  # no await: append() is a plain function
        # The count is read and written before the first await. `number` belongs to this call.
        number = Notepad.count = Notepad.count + 1
        await self.answer(f"number {number}")
        await self.answer(f"{number}: {' / '.join(self.lines)}")

    async def answer(self, text):
        await self.send({"type": "websocket.send", "text": text})

    async def websocket_disconnect(self, event):
        raise StopConsumer()
