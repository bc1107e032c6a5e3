"""Lesson 13, solved: a waiter that reports lost announcements."""

from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer


class Waiter(AsyncConsumer):
    last = None  # the number of the last announcement that arrived

    async def __call__(self, scope, receive, send):
        try:
            await super().__call__(scope, receive, send)
        finally:
            await self.channel_layer.group_discard("waiters", self.channel_name)

    async def websocket_connect(self, event):
        await self.channel_layer.group_add("waiters", self.channel_name)
        await self.send({"type": "websocket.accept"})

    async def websocket_receive(self, event):
        pass  # clients only listen

    async def dish_ready(self, event):
        # group_send reports no loss to any side, so only the numbers show it.
        if self.last is not None and event["number"] > self.last + 1:
            await self.send_text(f"{event['number'] - self.last - 1} missed")
        self.last = event["number"]  # also if it is lower: then a new count begins
        await self.send_text(f"{event['dish']} is ready")

    async def send_text(self, text):
        await self.send({"type": "websocket.send", "text": text})

    async def websocket_disconnect(self, event):
        raise StopConsumer()
