"""Lesson 5, solved: a notepad for each connection, awaited."""

from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer


class Notepad(AsyncConsumer):
    async def websocket_connect(self, event):
        self.lines = []  # made here, once for each connection
        await self.send({"type": "websocket.accept"})

    async def websocket_receive(self, event):
        text, data = event.get("text"), event.get("bytes")
        if text is None:
            await self.send({"type": "websocket.send", "bytes": data})
        else:
            self.lines.append(text)  # no await: append() is a plain function
            await self.send({"type": "websocket.send", "text": " / ".join(self.lines)})

    async def websocket_disconnect(self, event):
        raise StopConsumer()
