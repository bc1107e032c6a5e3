"""The hardened chat on a bare AsyncConsumer."""

import json

from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer

from lessons.extras.hardened_chat.logic import ChatLogic


class HardenedChat(ChatLogic, AsyncConsumer):
    """The chat's logic, connected to bare events."""

    async def websocket_connect(self, event):
        await self.join()

    async def websocket_receive(self, event):
        await self.handle_frame(event.get("text"))

    async def websocket_disconnect(self, event):
        raise StopConsumer()

    async def accept(self):
        await self.send({"type": "websocket.accept"})

    async def send_json(self, data):
        await self.send({"type": "websocket.send", "text": json.dumps(data)})

    async def close(self, code):
        await self.send({"type": "websocket.close", "code": code})
