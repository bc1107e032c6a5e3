"""Lesson 23, solved: a private room that asks again at each word."""

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

    async def may_stay(self):
        """Whether the user is a member still; one who is not is shown out, once."""
        if self.group is not None and not await self.is_member():
            await self.leave()
            await self.send({"type": "websocket.close", "code": 4403})
        return self.group is not None  # what was on its way then comes too late

    async def websocket_receive(self, event):
        text = event.get("text")
        if text and await self.may_stay():
            line = f"{self.scope['user'].get_username()}: {text}"
            await self.channel_layer.group_send(self.group, {"type": "den.said", "text": line})

    async def den_said(self, event):
        # Asked again for each who hears: their memberships end one by one.
        if await self.may_stay():
            await self.send({"type": "websocket.send", "text": event["text"]})

    async def leave(self):
        if self.group is not None:
            group, self.group = self.group, None
            await self.channel_layer.group_discard(group, self.channel_name)

    async def websocket_disconnect(self, event):
        raise StopConsumer()
