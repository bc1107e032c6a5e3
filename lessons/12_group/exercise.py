"""Lesson 12: a lounge whose clients learn who comes and leaves.

The URL ends with a lounge's name: 1 to 50 ASCII letters, digits, `-`, `_` and `.`. Two names are
two lounges, even `A` and `a`. For another name, accept, then close with 4400. Such a client never
joins, and its frames change nothing.

All clients in a lounge receive its news in text frames, also the client that came or wrote:

- `someone came` when a client has joined.
- `someone: hello` for the text frame `hello`. The text stays unchanged, even if it is only spaces.
  Ignore empty and binary frames.
- `someone left` once when a connection ends: the client leaves, a handler raises, or the server
  cancels the consumer.

From the accept on, a client misses no news. If the server cancels a consumer before it has sent
`someone came`, `someone left` may be missing.
"""

import re

from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer


# The checks look for this name and this base class: keep both.
class Lounge(AsyncConsumer):
    group = None

    # TODO 2: leave the group and send "someone left", however the connection ends.

    async def websocket_connect(self, event):
        name = self.scope["url_route"]["kwargs"]["room_name"]
        # TODO 1: check the name before you use it.
        self.group = f"lounge-{name}"
        await self.channel_layer.group_add(self.group, self.channel_name)
        await self.send({"type": "websocket.accept"})
        await self.send_news("someone came")

    async def send_news(self, text):
        await self.channel_layer.group_send(self.group, {"type": "lounge.news", "text": text})

    async def lounge_news(self, event):
        await self.send({"type": "websocket.send", "text": event["text"]})

    async def websocket_receive(self, event):
        if event.get("text"):
            await self.send_news(f"someone: {event['text']}")

    async def websocket_disconnect(self, event):
        await self.send_news("someone left")
        raise StopConsumer()
