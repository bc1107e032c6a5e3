"""Lesson 23: a chat in three steps. Each class is a complete chat and adds one thing.

1. `LiveChat`: rooms and users. A message reaches the clients that are connected.
2. `ReplayChat`: history. A client that connects again receives what it missed.
3. `Chat`: presence. Each client receives who is in the room.
"""

import asyncio
import json

from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer

from db_demo.chat import store
from db_demo.chat.protocol import INVALID_FRAME, last_id_in, message_in

HEARTBEAT_INTERVAL = 10  # seconds


class LiveChat(AsyncConsumer):
    """Step 1: rooms and users. The layer carries each message to all clients in the room."""

    group = None

    async def __call__(self, scope, receive, send):
        try:
            await super().__call__(scope, receive, send)
        finally:
            if self.group is not None:
                await self.leave()

    async def websocket_connect(self, event):
        self.room = self.scope["url_route"]["kwargs"]["room"]
        self.user = self.scope["user"]
        if not await store.is_open(self.room):
            await self.send({"type": "websocket.close"})  # before the accept: HTTP 403
            return
        self.group = f"db-chat-{self.room}"
        await self.channel_layer.group_add(self.group, self.channel_name)
        await self.send({"type": "websocket.accept"})
        await self.join()

    async def websocket_receive(self, event):
        text = message_in(event.get("text"))
        if text is None:
            await self.send_json({"error": INVALID_FRAME})
        else:
            await self.post(text)

    async def websocket_disconnect(self, event):
        raise StopConsumer()

    async def join(self):
        """Greet a client that was accepted. Steps 2 and 3 add to this method."""

    async def leave(self):
        """Clean up, however the connection ended."""
        await self.channel_layer.group_discard(self.group, self.channel_name)

    async def post(self, text):
        name = self.user.get_username() or None  # None: a guest
        await self.send_to_room({"type": "chat.message", "message": text, "by": name})

    async def chat_message(self, event):
        await self.send_json({"message": event["message"], "by": event["by"]})

    async def send_to_room(self, event):
        await self.channel_layer.group_send(self.group, event)

    async def send_json(self, data):
        await self.send({"type": "websocket.send", "text": json.dumps(data)})


class ReplayChat(LiveChat):
    """Step 2: history. The database keeps the messages; the layer only says when to read."""

    async def join(self):
        await super().join()
        seen = last_id_in(self.scope["query_string"])
        self.is_classic = seen is None  # a client of the tutorial, which knows no ids
        self.last = await store.last_id(self.room) if self.is_classic else seen
        await self.send_new_messages()

    async def post(self, text):
        await store.save_message(self.room, self.user, text)
        await self.send_to_room({"type": "chat.saved"})

    async def chat_saved(self, event):
        await self.send_new_messages()

    async def send_new_messages(self):
        for message in await store.messages_after(self.room, self.last):
            await self.send_json(message)
            self.last = message["id"]


class Chat(ReplayChat):
    """Step 3: presence. Each connection has a row, which expires without a heartbeat."""

    heartbeat = None

    async def join(self):
        await super().join()
        await store.save_presence(self.channel_name, self.room, self.user)
        self.heartbeat = asyncio.create_task(self.refresh_presence())
        await self.send_to_room({"type": "chat.presence"})

    async def leave(self):
        if self.heartbeat is not None:
            self.heartbeat.cancel()
        await store.delete_presence(self.channel_name)
        await super().leave()
        await self.send_to_room({"type": "chat.presence"})

    async def refresh_presence(self):
        while True:  # a killed process stops here, and its rows expire
            await asyncio.sleep(HEARTBEAT_INTERVAL)
            await store.save_presence(self.channel_name, self.room, self.user)

    async def chat_presence(self, event):
        if not self.is_classic:
            await self.send_json(await store.present_users(self.room))
