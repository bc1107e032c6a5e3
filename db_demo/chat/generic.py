"""Lesson 23: the complete chat again, on the generic consumer of Channels."""

import asyncio

from channels.generic.websocket import AsyncJsonWebsocketConsumer

from db_demo.chat import store
from db_demo.chat.protocol import INVALID_FRAME, last_id_in, message_in
from db_demo.chat.raw import HEARTBEAT_INTERVAL


class GenericChat(AsyncJsonWebsocketConsumer):
    """Does the same as `Chat`, step by step."""

    group = heartbeat = None

    # Step 1: rooms and users

    async def __call__(self, scope, receive, send):
        # Not disconnect(): an exception or a cancelled task does not reach that method.
        try:
            await super().__call__(scope, receive, send)
        finally:
            if self.group is not None:
                await self.leave()

    async def connect(self):
        self.room = self.scope["url_route"]["kwargs"]["room"]
        self.user = self.scope["user"]
        if not await store.is_open(self.room):
            await self.close()
            return
        self.group = f"db-chat-{self.room}"
        await self.channel_layer.group_add(self.group, self.channel_name)
        await self.accept()
        await self.join()

    async def receive(self, text_data=None, bytes_data=None):
        # Not receive_json(): before it, invalid JSON or a binary frame ends the connection.
        text = message_in(text_data)
        if text is None:
            await self.send_json({"error": INVALID_FRAME})
        else:
            await store.save_message(self.room, self.user, text)
            await self.send_to_room({"type": "chat.saved"})

    async def send_to_room(self, event):
        await self.channel_layer.group_send(self.group, event)

    # Step 2: history

    async def join(self):
        seen = last_id_in(self.scope["query_string"])
        self.is_classic = seen is None
        self.last = await store.last_id(self.room) if self.is_classic else seen
        await self.send_new_messages()
        await store.save_presence(self.channel_name, self.room, self.user)
        self.heartbeat = asyncio.create_task(self.refresh_presence())
        await self.send_to_room({"type": "chat.presence"})

    async def chat_saved(self, event):
        await self.send_new_messages()

    async def send_new_messages(self):
        for message in await store.messages_after(self.room, self.last):
            await self.send_json(message)
            self.last = message["id"]

    # Step 3: presence

    async def leave(self):
        if self.heartbeat is not None:
            self.heartbeat.cancel()
        await store.delete_presence(self.channel_name)
        await self.channel_layer.group_discard(self.group, self.channel_name)
        await self.send_to_room({"type": "chat.presence"})

    async def refresh_presence(self):
        while True:
            await asyncio.sleep(HEARTBEAT_INTERVAL)
            await store.save_presence(self.channel_name, self.room, self.user)

    async def chat_presence(self, event):
        if not self.is_classic:
            await self.send_json(await store.present_users(self.room))
