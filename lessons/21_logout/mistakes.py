"""Lesson 21: wrong desks, each with the diagnosis that it must get."""

from asgiref.sync import async_to_sync
from channels.auth import get_user
from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer
from channels.layers import get_channel_layer
from django.contrib.auth import get_user_model
from django.db import transaction
from django.db.models.signals import post_save


def group_of(user):
    return f"user-{user.pk}"


class RightDesk(AsyncConsumer):
    """What the mistakes below have right. Each connects its receiver when it is routed."""

    group = None

    @classmethod
    def as_asgi(cls, **kwargs):
        post_save.connect(cls.user_saved, sender=get_user_model())
        return super().as_asgi(**kwargs)

    @classmethod
    def user_saved(cls, sender, instance, **kwargs):
        cls.notify(group_of(instance), "user.changed")

    @classmethod
    def notify(cls, group, message_type):
        send = async_to_sync(get_channel_layer().group_send)
        transaction.on_commit(lambda: send(group, {"type": message_type}))

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
        await self.join_group()
        await self.user_changed({})

    async def join_group(self):
        self.group = self.own_group()
        await self.channel_layer.group_add(self.group, self.channel_name)

    def own_group(self):
        return group_of(self.scope["user"])

    async def websocket_receive(self, event):
        name = self.scope["user"].get_username() or "nobody"
        await self.send({"type": "websocket.send", "text": name})

    async def user_changed(self, event):
        user = await get_user(self.scope)
        if not user.is_authenticated:
            await self.end()
        self.scope["user"] = user

    async def end(self):
        await self.send({"type": "websocket.close", "code": 4401})
        raise StopConsumer()

    async def websocket_disconnect(self, event):
        raise StopConsumer()


class TrustsTheHandshake(RightDesk):
    """Believes that `scope["user"]` follows each change of the user."""

    diagnosis = "stale-user"

    async def join(self):
        pass


class ChecksAtFramesOnly(RightDesk):
    """Gets the user at each frame: a client that sends nothing stays connected."""

    diagnosis = "stale-user"

    async def join(self):
        pass

    async def websocket_receive(self, event):
        if self.scope["user"].is_authenticated:
            await self.user_changed({})
        await super().websocket_receive(event)


class KeepsAListOfConnections(RightDesk):
    """Keeps the connections in a list on the class. Another process has another list."""

    diagnosis = "other-process-not-closed"
    connections = []

    async def join(self):
        self.connections.append(self)

    @classmethod
    def user_saved(cls, sender, instance, **kwargs):
        for connection in cls.connections:
            if connection.scope["user"].pk == instance.pk and not instance.is_active:
                async_to_sync(connection.send)({"type": "websocket.close", "code": 4401})


class HasOneGroup(RightDesk):
    """Puts all users into one group, and closes all its connections."""

    diagnosis = "other-users-closed"

    def own_group(self):
        return "users"

    @classmethod
    def user_saved(cls, sender, instance, **kwargs):
        cls.notify("users", "user.changed" if instance.is_active else "user.deactivated")

    async def user_deactivated(self, event):
        await self.end()


class ClosesAtEachChange(RightDesk):
    """Takes each post_save for the end of the login. But each login saves the user too."""

    diagnosis = "closed-without-reason"

    async def join(self):
        await self.join_group()

    async def user_changed(self, event):
        await self.end()


class ForgetsTheDeactivated(RightDesk):
    """Compares the hash of the password only."""

    diagnosis = "deactivated-stays"

    async def user_changed(self, event):
        user = await get_user_model().objects.aget(pk=self.scope["user"].pk)
        if user.get_session_auth_hash() != self.scope["session"]["_auth_user_hash"]:
            await self.end()
        self.scope["user"] = user


class ForgetsThePassword(RightDesk):
    """Gets the user again, and does not compare the hash of the password."""

    diagnosis = "password-change-missed"

    async def user_changed(self, event):
        user = await get_user_model().objects.aget(pk=self.scope["user"].pk)
        if not user.is_active:
            await self.end()
        self.scope["user"] = user


class NotifiesBeforeTheCommit(RightDesk):
    """Sends the message within the transaction. A consumer that checks then reads the old row."""

    diagnosis = "notified-before-commit"

    @classmethod
    def notify(cls, group, message_type):
        async_to_sync(get_channel_layer().group_send)(group, {"type": message_type})


class ChecksThenJoins(RightDesk):
    """Checks the login, then joins: it misses a change between the two."""

    diagnosis = "logout-during-handshake"

    async def join(self):
        await self.user_changed({})
        await self.join_group()


class OnlyJoins(RightDesk):
    """Joins and does not check: it misses a change between the handshake and the group_add."""

    diagnosis = "logout-during-handshake"

    async def join(self):
        await self.join_group()


class KeepsTheOldUser(RightDesk):
    """Checks the login, and keeps the user object of the handshake."""

    diagnosis = "wrong-name"

    async def user_changed(self, event):
        user = await get_user(self.scope)
        if not user.is_authenticated:
            await self.end()


class KeepsTheAnonymousUser(RightDesk):
    """Replaces the user, and answers `nobody` instead of closing the connection."""

    diagnosis = "stale-user"

    async def user_changed(self, event):
        self.scope["user"] = await get_user(self.scope)


class ClosesWithoutACode(RightDesk):
    """Closes without a code, so the page cannot see why."""

    diagnosis = "wrong-close-code"

    async def end(self):
        await self.send({"type": "websocket.close"})
        raise StopConsumer()


class StopsWithoutClosing(RightDesk):
    """Believes that StopConsumer closes the connection."""

    diagnosis = "zombie"

    async def end(self):
        raise StopConsumer()


class GoesOnAfterTheClose(RightDesk):
    """Closes, and still answers the frames that arrive later."""

    diagnosis = "send-after-close"

    async def end(self):
        await self.send({"type": "websocket.close", "code": 4401})


class NeverLeavesItsGroup(RightDesk):
    """Believes that a consumer that has ended is in no group."""

    diagnosis = "group-leak"

    async def __call__(self, scope, receive, send):
        await AsyncConsumer.__call__(self, scope, receive, send)


class HasNoHandler(RightDesk):
    """Sends a type that no handler has. The type of the message names the handler."""

    diagnosis = "no-layer-handler"

    @classmethod
    def user_saved(cls, sender, instance, **kwargs):
        cls.notify(group_of(instance), "user.updated")
