"""Lesson 23: the chat, raw."""

import json

from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer

from db_demo.chat.conversation import Conversation


class Chat(Conversation, AsyncConsumer):
    """A room's conversation over bare events."""

    async def websocket_connect(self, event):
        await self.enter()

    async def websocket_receive(self, event):
        await self.hear(event.get("text"))

    async def websocket_disconnect(self, event):
        raise StopConsumer()

    async def accept(self):
        await self.send({"type": "websocket.accept"})

    async def tell(self, data):
        await self.send({"type": "websocket.send", "text": json.dumps(data)})

    async def shut(self, code):
        await self.send({"type": "websocket.close", "code": code})
