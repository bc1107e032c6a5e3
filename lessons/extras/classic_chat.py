"""The chat of many tutorials, and the same events written out. All three do the same.

Do not copy it into a project: it checks neither the name of the room, nor the user, nor the JSON,
nor the length of a text. The chats in db_demo/ check all four.
"""

import json

from asgiref.sync import async_to_sync
from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer
from channels.generic.websocket import AsyncWebsocketConsumer, WebsocketConsumer


class ChatConsumer(WebsocketConsumer):
    """Sync: a thread runs the methods. `async_to_sync` calls the channel layer."""

    def connect(self):
        self.group = f"chat_{self.scope['url_route']['kwargs']['room_name']}"
        async_to_sync(self.channel_layer.group_add)(self.group, self.channel_name)
        self.accept()

    def receive(self, text_data=None, bytes_data=None):
        message = {"type": "chat.message", "message": json.loads(text_data)["message"]}
        async_to_sync(self.channel_layer.group_send)(self.group, message)

    def chat_message(self, event):
        self.send(text_data=json.dumps({"message": event["message"]}))

    def disconnect(self, code):
        async_to_sync(self.channel_layer.group_discard)(self.group, self.channel_name)


class AsyncChatConsumer(AsyncWebsocketConsumer):
    """Async: the event loop runs the methods. Every call that waits has an `await`."""

    async def connect(self):
        self.group = f"chat_{self.scope['url_route']['kwargs']['room_name']}"
        await self.channel_layer.group_add(self.group, self.channel_name)
        await self.accept()

    async def receive(self, text_data=None, bytes_data=None):
        message = {"type": "chat.message", "message": json.loads(text_data)["message"]}
        await self.channel_layer.group_send(self.group, message)

    async def chat_message(self, event):
        await self.send(text_data=json.dumps({"message": event["message"]}))

    async def disconnect(self, code):
        await self.channel_layer.group_discard(self.group, self.channel_name)


class RawChatConsumer(AsyncConsumer):
    """Raw: each handler receives an event, and each answer is an event."""

    async def websocket_connect(self, event):
        self.group = f"chat_{self.scope['url_route']['kwargs']['room_name']}"
        await self.channel_layer.group_add(self.group, self.channel_name)
        await self.send({"type": "websocket.accept"})

    async def websocket_receive(self, event):
        message = {"type": "chat.message", "message": json.loads(event["text"])["message"]}
        await self.channel_layer.group_send(self.group, message)

    async def chat_message(self, event):
        text = json.dumps({"message": event["message"]})
        await self.send({"type": "websocket.send", "text": text})

    async def websocket_disconnect(self, event):
        await self.channel_layer.group_discard(self.group, self.channel_name)
        raise StopConsumer()
