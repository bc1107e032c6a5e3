"""Lesson 23: the classic wrong versions of the stage."""

import asyncio
from typing import ClassVar

from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer

from db_demo.models import Room


class RightStage(AsyncConsumer):
    """A right stage. Each mistake below changes one method."""

    group = None

    async def __call__(self, scope, receive, send):
        try:
            await super().__call__(scope, receive, send)
        finally:
            if self.group is not None:
                await self.leave()

    async def websocket_connect(self, event):
        self.room = self.scope["url_route"]["kwargs"]["room"]
        self.group = f"stage-{self.room}"
        await self.channel_layer.group_add(self.group, self.channel_name)
        await self.send({"type": "websocket.accept"})
        await self.send_state()

    async def websocket_receive(self, event):
        if event.get("text") == "take":
            await self.take(self.scope["user"])

    async def take(self, user):
        if await self.rows().filter(speaker=None).aupdate(speaker=user.pk):
            await self.notify()
        else:
            await self.send_text("too late")

    async def leave(self):
        await self.free(self.scope["user"])
        await self.channel_layer.group_discard(self.group, self.channel_name)

    async def free(self, user):
        if await self.rows().filter(speaker=user.pk).aupdate(speaker=None):
            await self.notify()

    def rows(self):
        return Room.objects.filter(name=self.room)

    async def notify(self):
        await self.channel_layer.group_send(self.group, {"type": "stage.changed"})

    async def stage_changed(self, event):
        await self.send_state()

    async def send_state(self):
        room = await self.rows().select_related("speaker").aget()
        owner = room.speaker.get_username() if room.speaker else "no user"
        await self.send_text(f"{owner} has the microphone")

    async def send_text(self, text):
        await self.send({"type": "websocket.send", "text": text})

    async def websocket_disconnect(self, event):
        raise StopConsumer()


class ChecksThenSaves(RightStage):
    """Reads, checks, and saves later. Another user got the microphone in between."""

    diagnosis = "checked-then-saved"

    async def take(self, user):
        room = await self.rows().aget()
        if room.speaker_id is None:
            room.speaker_id = user.pk
            await room.asave()
            await self.notify()
        else:
            await self.send_text("too late")


class LocksItsOwnProcess(RightStage):
    """An asyncio.Lock stops the clients of this process, and no other process."""

    diagnosis = "checked-then-saved"
    locks: ClassVar[dict] = {}

    async def take(self, user):
        lock = self.locks.setdefault((asyncio.get_running_loop(), self.room), asyncio.Lock())
        async with lock:
            room = await self.rows().aget()
            if room.speaker_id is not None:
                await self.send_text("too late")
                return
            await self.rows().aupdate(speaker=user.pk)
        await self.notify()


class ChecksBeforeItFrees(RightStage):
    """Reads who has the microphone, and frees it later. Another user got it in between."""

    diagnosis = "checked-then-saved"

    async def free(self, user):
        room = await self.rows().aget()
        if room.speaker_id == user.pk:
            await self.rows().aupdate(speaker=None)
            await self.notify()


class FreesForAnyUser(RightStage):
    """Frees the microphone when any client leaves, not only the one who has it."""

    diagnosis = "freed-for-another"

    async def free(self, user):
        if await self.rows().exclude(speaker=None).aupdate(speaker=None):
            await self.notify()


class FreesInEveryRoom(RightStage):
    """Frees each microphone that the user has, not only that of this room."""

    diagnosis = "freed-in-every-room"

    async def free(self, user):
        if await Room.objects.filter(speaker=user.pk).aupdate(speaker=None):
            await self.notify()


class NeverFrees(RightStage):
    """Leaves the group only. The user who left has the microphone forever."""

    diagnosis = "not-freed"

    async def free(self, user):
        pass


class FreesOnDisconnect(RightStage):
    """Frees in websocket_disconnect, which does not run after a crash or a cancel."""

    diagnosis = "not-freed"

    async def leave(self):
        await self.channel_layer.group_discard(self.group, self.channel_name)

    async def websocket_disconnect(self, event):
        await self.free(self.scope["user"])
        raise StopConsumer()


class NotifiesTooEarly(RightStage):
    """Sends the message, then writes: the other consumers read the old row."""

    diagnosis = "notified-too-early"

    async def take(self, user):
        if await self.rows().filter(speaker=None).aexists():
            await self.notify()
            await asyncio.sleep(0)
        if not await self.rows().filter(speaker=None).aupdate(speaker=user.pk):
            await self.send_text("too late")


class NotifiesAlways(RightStage):
    """Sends the message even if the update has changed no row."""

    diagnosis = "notified-without-change"

    async def free(self, user):
        await self.rows().filter(speaker=user.pk).aupdate(speaker=None)
        await self.notify()


class NotifiesItself(RightStage):
    """Sends the new state to its own client only."""

    diagnosis = "member-missed"

    async def notify(self):
        await self.send_state()


class FreesWithoutMessage(RightStage):
    """Frees the microphone, and the other clients do not receive it."""

    diagnosis = "freed-silently"

    async def free(self, user):
        await self.rows().filter(speaker=user.pk).aupdate(speaker=None)
