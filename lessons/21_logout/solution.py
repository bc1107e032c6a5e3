"""Lesson 21, solved: a desk that closes the connections of a user whose login has ended."""

from asgiref.sync import async_to_sync
from channels.auth import get_user
from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer
from channels.layers import get_channel_layer
from django.contrib.auth import get_user_model
from django.db import transaction
from django.db.models.signals import post_save
from django.dispatch import receiver


def group_of(user):
    return f"user-{user.pk}"


@receiver(post_save, sender=get_user_model())
def user_saved(instance, **kwargs):
    send = async_to_sync(get_channel_layer().group_send)
    message = {"type": "user.changed"}
    transaction.on_commit(lambda: send(group_of(instance), message))


class Desk(AsyncConsumer):
    group = None  # an anonymous client joins no group

    async def __call__(self, scope, receive, send):
        try:
            await super().__call__(scope, receive, send)
        finally:
            if self.group is not None:
                await self.channel_layer.group_discard(self.group, self.channel_name)

    async def websocket_connect(self, event):
        await self.send({"type": "websocket.accept"})
        if self.scope["user"].is_authenticated:
            await self.join()

    async def join(self):
        self.group = group_of(self.scope["user"])
        await self.channel_layer.group_add(self.group, self.channel_name)
        # A change before the group_add sent no message to this connection, so check now.
        await self.user_changed({})

    async def websocket_receive(self, event):
        name = self.scope["user"].get_username() or "nobody"
        await self.send({"type": "websocket.send", "text": name})

    async def user_changed(self, event):
        user = await get_user(self.scope)  # checks is_active and the hash of the password
        if not user.is_authenticated:
            await self.send({"type": "websocket.close", "code": 4401})
            raise StopConsumer()  # answer no frame that still waits
        self.scope["user"] = user

    async def websocket_disconnect(self, event):
        raise StopConsumer()
