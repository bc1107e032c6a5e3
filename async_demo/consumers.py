"""AsyncConsumer, event by event: one worked consumer for each of lessons 5 to 10."""

from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer


class Echo(AsyncConsumer):
    """Lesson 5: lesson 2's echo, awaited. It keeps a list, and each connection has its own."""

    async def websocket_connect(self, event):
        self.kinds = []
        await self.send({"type": "websocket.accept"})

    async def websocket_receive(self, event):
        text, data = event.get("text"), event.get("bytes")
        if text == "kinds?":
            # No await: list methods and join are plain functions.
            await self.answer(", ".join(self.kinds))
        elif text is not None:
            self.kinds.append("text")
            await self.answer(text)
        else:
            self.kinds.append("bytes")
            await self.send({"type": "websocket.send", "bytes": data})

    async def answer(self, text):
        # A function that awaits is async def, and its callers await it in turn.
        await self.send({"type": "websocket.send", "text": text})

    async def websocket_disconnect(self, event):
        raise StopConsumer()
