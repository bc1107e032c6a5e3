"""Lesson 23, solved: the database decides who gets the microphone, the layer notifies the room."""

from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer

from db_demo.models import Room


class Stage(AsyncConsumer):
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
        if not await self.change_speaker(None, user.pk):
            await self.send_text("too late")

    async def leave(self):
        # Leave the group first: it must be left even if the database fails.
        await self.channel_layer.group_discard(self.group, self.channel_name)
        await self.change_speaker(self.scope["user"].pk, None)

    async def change_speaker(self, old, new):
        """One statement checks and writes, so no other code can act in between."""
        rows = Room.objects.filter(name=self.room, speaker=old)
        is_changed = await rows.aupdate(speaker=new)
        if is_changed:  # only now, and only then, the other clients have something to read
            await self.channel_layer.group_send(self.group, {"type": "stage.changed"})
        return is_changed

    async def stage_changed(self, event):
        await self.send_state()

    async def send_state(self):
        room = await Room.objects.select_related("speaker").aget(name=self.room)
        owner = room.speaker.get_username() if room.speaker else "no user"
        await self.send_text(f"{owner} has the microphone")

    async def send_text(self, text):
        await self.send({"type": "websocket.send", "text": text})

    async def websocket_disconnect(self, event):
        raise StopConsumer()
