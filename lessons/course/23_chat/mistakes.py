"""Lesson 23: the classic wrong versions of the den."""

from channels.consumer import AsyncConsumer
from channels.db import database_sync_to_async
from channels.exceptions import StopConsumer
from django.contrib.auth.models import User

from db_demo.models import Membership, Room


class RightDen(AsyncConsumer):
    """The whole den, and right; each version that builds on it spoils one method."""

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
        user_id = self.scope["user"].pk
        rows = Membership.objects.filter(room__name=self.name, user_id=user_id)
        return rows.filter(user__is_active=True).exists()

    async def may_stay(self):
        if self.group is None:
            return False
        if await self.is_member():
            return True
        await self.show_out()
        return False

    async def show_out(self):
        await self.leave()
        await self.send({"type": "websocket.close", "code": 4403})

    async def websocket_receive(self, event):
        if event.get("text") and await self.may_stay():
            await self.pass_on(event["text"])

    async def pass_on(self, text):
        line = f"{self.scope['user'].get_username()}: {text}"
        await self.channel_layer.group_send(self.group, {"type": "den.said", "text": line})

    async def den_said(self, event):
        if await self.may_stay():
            await self.send({"type": "websocket.send", "text": event["text"]})

    async def leave(self):
        if self.group is not None:
            group, self.group = self.group, None
            await self.channel_layer.group_discard(group, self.channel_name)

    async def websocket_disconnect(self, event):
        raise StopConsumer()


class AsksAtTheDoor(RightDen):
    """Believes that who was let in may stay."""

    diagnosis = "removed-member-still-sends"

    async def may_stay(self):
        return self.group is not None


class PassesOnThenAsks(RightDen):
    """Asks, but too late: the message is on its way."""

    diagnosis = "removed-member-still-sends"

    async def websocket_receive(self, event):
        if event.get("text") and self.group is not None:
            await self.pass_on(event["text"])
            await self.may_stay()


class AsksTheWriter(RightDen):
    """Asks those who speak; who only listens is never asked."""

    diagnosis = "removed-member-still-receives"

    async def den_said(self, event):
        if self.group is not None:
            await self.send({"type": "websocket.send", "text": event["text"]})


class SaysNothing(RightDen):
    """Passes over what it may not do; the client believes that it is in a quiet room."""

    diagnosis = "removed-member-not-closed"

    async def show_out(self):
        pass


class StopsAndLeavesTheSocket(RightDen):
    """Ends the consumer, which closes no socket."""

    diagnosis = "zombie"

    async def show_out(self):
        raise StopConsumer()


class LetsEverybodyIn(RightDen):
    """Asks for a user, as if each were a member."""

    diagnosis = "stranger-let-in"

    async def is_member(self):
        return self.scope["user"].is_authenticated


class ClosesTheRoom(RightDen):
    """Sends the close to the group: all are shown out for one."""

    diagnosis = "other-members-closed"

    async def show_out(self):
        await self.channel_layer.group_send(self.group, {"type": "den.closed"})

    async def den_closed(self, event):
        if self.group is not None:
            await super().show_out()


class TakesAGuestForAMember(RightDen):
    """Looks for the room whose member is None: that finds each room that has no members."""

    diagnosis = "guest-is-member"

    @database_sync_to_async
    def is_member(self):
        user_id = self.scope["user"].pk
        rooms = Room.objects.filter(name=self.name, members=user_id)
        inactive = User.objects.filter(pk=user_id, is_active=False)
        return rooms.exists() and not inactive.exists()


class BelievesTheScope(RightDen):
    """Asks scope["user"] whether it is active: it is as it was at the handshake."""

    diagnosis = "inactive-stays"

    @database_sync_to_async
    def is_member(self):
        user = self.scope["user"]
        rows = Membership.objects.filter(room__name=self.name, user_id=user.pk)
        return user.is_active and rows.exists()


class AsksForAnyRoom(RightDen):
    """Looks whether the user is a member, and not of which room."""

    diagnosis = "member-elsewhere"

    @database_sync_to_async
    def is_member(self):
        rows = Membership.objects.filter(user_id=self.scope["user"].pk)
        return rows.filter(user__is_active=True).exists()
