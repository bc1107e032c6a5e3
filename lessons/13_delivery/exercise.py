"""Lesson 13: a waiter that reports lost announcements.

The kitchen sends numbered announcements to the group `waiters`:
`{"type": "dish.ready", "number": 7, "dish": "tea"}`. For each announcement that arrives, each
client receives the text frame `tea is ready`.

The layer may lose announcements. If announcements were lost before one that arrives, the client
first receives how many. If 10 arrives after 7, it receives `2 missed`, then `tea is ready`.

For each client, a count begins with the first announcement that it receives. A number that is not
higher than the last number begins a new count. The first number of a count never reports a loss.
Numbers are integers, also 0 and negative ones.

The consumer joins the group before the accept. `__call__` leaves the group, however the connection
ends: keep this method. Clients only listen: a frame gets no answer, and the connection stays open.
"""

from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer


# The checks look for this name and this base class: keep both.
class Waiter(AsyncConsumer):
    async def __call__(self, scope, receive, send):
        try:
            await super().__call__(scope, receive, send)
        finally:
            await self.channel_layer.group_discard("waiters", self.channel_name)

    async def websocket_connect(self, event):
        await self.channel_layer.group_add("waiters", self.channel_name)
        await self.send({"type": "websocket.accept"})

    async def websocket_receive(self, event):
        pass  # clients only listen

    async def dish_ready(self, event):
        # TODO: if announcements were lost before this one, first send how many.
        await self.send_text(f"{event['dish']} is ready")

    async def send_text(self, text):
        await self.send({"type": "websocket.send", "text": text})

    async def websocket_disconnect(self, event):
        raise StopConsumer()
