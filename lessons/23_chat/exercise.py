"""Lesson 23: one microphone, which two clients may want.

The URL names an existing room. Its `speaker` is the user with the microphone, or None. Every client
is logged in.

After the accept, the client receives the state: `ada has the microphone`, or
`no user has the microphone`. With the text `take`, the client's user gets the microphone. If any
user has it, even this one, the client receives `too late`. Ignore other frames.

However a connection ends, it leaves the group, and its user gives back the microphone, even if
other connections remain. Queries never fail.

Other code may change `speaker` between any two queries. Never undo its change. After each change
that your consumer makes, and only then, it sends one `{"type": "stage.changed"}` to the group
`stage-` + the room's name. Other code does the same. For each such message, each client in the room
receives the state.
"""

from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer

from db_demo.models import Room


# The checks look for this name and this base class: keep both.
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
        await self.channel_layer.group_discard(self.group, self.channel_name)
        # TODO 2: if this user has the microphone, give it back.

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
