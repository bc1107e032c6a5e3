"""Lesson 12, solved: a lounge whose clients learn when a client comes or leaves."""

import re

from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer


class Lounge(AsyncConsumer):
    group = None  # None until this consumer joins a group

    async def __call__(self, scope, receive, send):
        try:
            await super().__call__(scope, receive, send)
        finally:
            # This runs after StopConsumer, after any exception, and after a cancel.
            if self.group is not None:
                await self.channel_layer.group_discard(self.group, self.channel_name)
                await self.send_news("someone left")

    async def websocket_connect(self, event):
        name = self.scope["url_route"]["kwargs"]["room_name"]
        # match() with $ would accept a line feed at the end.
        if not re.fullmatch(r"[a-zA-Z0-9_.-]{1,50}", name):
            await self.send({"type": "websocket.accept"})
            await self.send({"type": "websocket.close", "code": 4400})
            return
        self.group = f"lounge-{name}"
        await self.channel_layer.group_add(self.group, self.channel_name)
        await self.send({"type": "websocket.accept"})
        await self.send_news("someone came")

    async def send_news(self, text):
        await self.channel_layer.group_send(self.group, {"type": "lounge.news", "text": text})

    async def lounge_news(self, event):
        await self.send({"type": "websocket.send", "text": event["text"]})

    async def websocket_receive(self, event):
        if self.group is not None and event.get("text"):
            await self.send_news(f"someone: {event['text']}")

    async def websocket_disconnect(self, event):
        raise StopConsumer()
