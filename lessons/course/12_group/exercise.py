"""Lesson 12: a lounge where each client hears who comes and goes.

The URL names the lounge. Each name of 1 to 50 ASCII letters, digits, `-`, `_` and `.` is a lounge.
`A` and `a` are two lounges. With any other name, accept, and close with code 4004. Such a client
never comes in, never leaves, and its frames change nothing.

All clients in a lounge, the one that it is about among them, receive text frames: `someone came`
when a client is in; `someone: hello` when a client sends `hello` in a text frame. The text is not
changed, even if it is only spaces. The clients that are still there receive `someone left` once
when a client's connection ends, whatever ended it: the client left, a handler raised, or the server
cancelled the consumer. From the accept on, a client misses nothing. A binary frame, or an empty
one, says nothing.
"""

import re

from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer


class Lounge(AsyncConsumer):
    group = None

    # TODO 2: leave the group, and tell the others, at the place that is always reached.

    async def websocket_connect(self, event):
        name = self.scope["url_route"]["kwargs"]["room_name"]
        # TODO 1: look at the name before it becomes a part of a group's name.
        self.group = f"lounge-{name}"
        await self.channel_layer.group_add(self.group, self.channel_name)
        await self.send({"type": "websocket.accept"})
        await self.tell("someone came")

    async def tell(self, text):
        await self.channel_layer.group_send(self.group, {"type": "lounge.news", "text": text})

    async def lounge_news(self, event):
        await self.send({"type": "websocket.send", "text": event["text"]})

    async def websocket_receive(self, event):
        if event.get("text"):
            await self.tell(f"someone: {event['text']}")

    async def websocket_disconnect(self, event):
        await self.tell("someone left")
        raise StopConsumer()
