"""The channel layer, message by message: one worked consumer for each of lessons 11 to 15."""

from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer


class Pager(AsyncConsumer):
    """Lesson 11: a consumer has an address, and all code of the project can send to it."""

    async def websocket_connect(self, event):
        await self.send({"type": "websocket.accept"})
        await self.send({"type": "websocket.send", "text": self.channel_name})

    async def websocket_receive(self, event):
        text = event.get("text")
        if text:
            # The long way round to the same client: a message of the layer, to this very consumer.
            message = {"type": "pager.message", "text": text}
            await self.channel_layer.send(self.channel_name, message)

    async def pager_message(self, event):
        # Called for each message of type pager.message, whoever sent it.
        await self.send({"type": "websocket.send", "text": f"page: {event['text']}"})

    async def websocket_disconnect(self, event):
        raise StopConsumer()
