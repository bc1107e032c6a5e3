"""Lesson 23: a private room, for users who are members now.

The URL names a room. When a member sends a text frame, every member of the room, including the
sender, receives `ada: hello`. A text of spaces is a text like any other. The connection of any
other user is accepted, closed with code 4403, and receives nothing.

A membership may end while its socket is open: the row is deleted, the account is made inactive, or
the room is deleted. From then on that user neither says nor hears a word. The connection is closed
with 4403 at its own first text frame, or at the first message of the room, whichever comes first.
The other connections stay open. A binary frame, or an empty one, says nothing. You choose whether
it closes the connection of a former member.
"""

from channels.consumer import AsyncConsumer
from channels.db import database_sync_to_async
from channels.exceptions import StopConsumer

from db_demo.models import Membership


class Den(AsyncConsumer):
    group = None

    async def __call__(self, scope, receive, send):
        try:
            await super().__call__(scope, receive, send)
        finally:
            await self.leave()

    async def websocket_connect(self, event):
        self.name = self.scope["url_route"]["kwargs"]["room"]
        if await self.is_member():
            self.group = f"den-{self.name}"
            await self.channel_layer.group_add(self.group, self.channel_name)
        await self.send({"type": "websocket.accept"})
        if self.group is None:
            await self.send({"type": "websocket.close", "code": 4403})

    @database_sync_to_async
    def is_member(self):
        user_id = self.scope["user"].pk  # a guest has none, and no membership
        rows = Membership.objects.filter(room__name=self.name, user_id=user_id)
        return rows.filter(user__is_active=True).exists()

    async def websocket_receive(self, event):
        text = event.get("text")
        # TODO 1: may this user still write?
        if text and self.group is not None:
            line = f"{self.scope['user'].get_username()}: {text}"
            await self.channel_layer.group_send(self.group, {"type": "den.said", "text": line})

    async def den_said(self, event):
        # TODO 2: may this user still read?
        await self.send({"type": "websocket.send", "text": event["text"]})

    async def leave(self):
        if self.group is not None:
            group, self.group = self.group, None
            await self.channel_layer.group_discard(group, self.channel_name)

    async def websocket_disconnect(self, event):
        raise StopConsumer()
