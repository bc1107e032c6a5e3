"""Lesson 26: a job, and the clients that watch it.

A job is an existing row of `Job` that only `report` changes. It runs in a process without sockets,
where sync code calls `report(7, 40)`: job 7 is at 40 percent. A client watches it at
`/ws/layers/outside/7/`.

- If the percent is higher than the row's, `report` stores it, sends a message, and returns
  True, otherwise False. A job may run twice at once: of two equal reports, one returns True.
- If the layer raises an exception, `report` sends again after half a second, at most three
  more times. Then it returns True.
- `Progress` accepts each client, and sends the row's percent, such as `0 %`. After each
  message, it sends the percent if it has grown. It may skip one if a higher one follows.
- After `100 %`, it closes with 1000. Frames have no effect.
"""

import time

from asgiref.sync import async_to_sync
from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer
from channels.layers import get_channel_layer

from layers_demo.models import Job


def report(job, percent):
    # TODO 1: store the percent, if it is higher. Send again if the layer raises an exception.
    message = {"type": "job.progress", "percent": percent}
    async_to_sync(get_channel_layer().group_send)(f"job-{job}", message)
    return True


# The checks look for this name and this base class: keep both.
class Progress(AsyncConsumer):
    async def __call__(self, scope, receive, send):
        self.job = scope["url_route"]["kwargs"]["number"]
        self.group = f"job-{self.job}"
        try:
            await super().__call__(scope, receive, send)
        finally:
            await self.channel_layer.group_discard(self.group, self.channel_name)

    async def websocket_connect(self, event):
        await self.channel_layer.group_add(self.group, self.channel_name)
        await self.send({"type": "websocket.accept"})

    async def websocket_receive(self, event):
        pass

    async def job_progress(self, event):
        # TODO 2: send what the row says, here and for a new client. The message may be old.
        await self.send({"type": "websocket.send", "text": f"{event['percent']} %"})

    async def websocket_disconnect(self, event):
        raise StopConsumer()
