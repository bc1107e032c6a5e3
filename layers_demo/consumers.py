"""The channel layer, message by message: one worked consumer for each of lessons 11 to 15."""

import re

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


class Room(AsyncConsumer):
    """Lesson 12: what one says in a room, all in it hear; the URL says which room."""

    group = None  # until the client is in

    async def __call__(self, scope, receive, send):
        try:
            await super().__call__(scope, receive, send)
        finally:
            # Reached whatever ends the connection: the group forgets nobody by itself.
            if self.group is not None:
                await self.channel_layer.group_discard(self.group, self.channel_name)

    async def websocket_connect(self, event):
        name = self.scope["url_route"]["kwargs"]["room_name"]
        if not re.fullmatch(r"[a-zA-Z0-9_.-]{1,80}", name):
            # Whoever is refused sees 1006 and no more; so let it in, and close with a code.
            await self.send({"type": "websocket.accept"})
            await self.send({"type": "websocket.close", "code": 4004})
            return
        # Groups of all kinds share one space of names, hence the prefix.
        self.group = f"room-{name}"
        await self.channel_layer.group_add(self.group, self.channel_name)
        await self.send({"type": "websocket.accept"})

    async def websocket_receive(self, event):
        text = event.get("text")
        if text and self.group is not None:
            message = {"type": "room.message", "text": text}
            await self.channel_layer.group_send(self.group, message)

    async def room_message(self, event):
        # Runs once for each member, in the member's own consumer.
        await self.send({"type": "websocket.send", "text": event["text"]})

    async def websocket_disconnect(self, event):
        raise StopConsumer()
