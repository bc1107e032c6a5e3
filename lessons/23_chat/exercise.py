"""Lesson 23: one microphone, which two clients may want at the same moment.

The URL names a room, which exists. Its row has the field `speaker`: the user who has the room's
microphone, or None. Every client is logged in.

A client that was accepted receives the state in a text frame: `ada has the microphone`, or
`no user has the microphone`. Later it can send the text `take`. If no user has the microphone, the
client's user gets it. If any user has it, even the client's own user, this client receives
`too late`, and nothing changes. Other frames are ignored.

When a connection ends, however it ends, its channel leaves the group, and its user no longer has
the room's microphone. This is also true if the user has other connections to the room.

Other code changes `speaker` too, at any moment, even between two of your queries. Never undo its
change. After each change that your consumer makes to `speaker`, and only then, it sends one message
`{"type": "stage.changed"}` to the group `stage-` + the room's name. Other code does the same. For
each such message, each client in the room receives the state.
"""

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
        # TODO 1: another user may get the microphone between these two queries.
        room = await Room.objects.aget(name=self.room)
        if room.speaker_id is None:
            room.speaker_id = user.pk
            await room.asave()
            await self.channel_layer.group_send(self.group, {"type": "stage.changed"})
        else:
            await self.send_text("too late")

    async def leave(self):
        # TODO 2: if this user has the microphone, no user has it from now on.
        await self.channel_layer.group_discard(self.group, self.channel_name)

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
