"""Lesson 26: a long job that shows its progress to every client that watches.

A job is a row of the table Job. Its `percent` is 0 before the job begins, and 100 at its end. The
job runs in a process without sockets. There, sync code calls `report(7, 40)`: job 7 is at 40
percent. A client that connects to `/ws/layers/outside/7/` watches job 7. In the checks, each job
has a row, and `report` is called with 1 to 100 percent.

`report` stores the percent if it is higher than the percent in the row, and returns True.
Otherwise, it changes nothing, sends nothing, and returns False. A job may be run twice, even at the
same time, so reports may come twice, or in the wrong order. Of equal reports, only one returns
True. The process that gets True for 100 percent sends the bill.

After it has stored the percent, `report` sends a message that makes the consumers look. If the
layer raises an exception, `report` tries again every half second, three times at most. If the last
try fails too, it still returns True, because the percent is stored. No exception of the layer
leaves `report`, and it has returned 3 seconds later at the latest.

A client is accepted. At once it receives the percent in the row, as `0 %` or `40 %`. Whenever the
percent has grown, and a message has said so, it receives the new percent. It never receives a lower
one, or one twice. If a second report follows quickly, the client may miss the percent of the first.
After `100 %`, the client is closed with code 1000, also if the job was at its end before the client
connected.
Frames from clients have no effect. Progress stays an AsyncConsumer.
"""

import time

from asgiref.sync import async_to_sync
from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer
from channels.layers import get_channel_layer

from layers_demo.models import Job


def report(job, percent):
    # TODO 1: store the percent, if it is higher. Try again if the layer fails.
    message = {"type": "job.progress", "percent": percent}
    async_to_sync(get_channel_layer().group_send)(f"job-{job}", message)
    return True


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
        # TODO 2: a message may be lost, late, or about an old percent. What does the row say?
        await self.send({"type": "websocket.send", "text": f"{event['percent']} %"})

    async def websocket_disconnect(self, event):
        raise StopConsumer()
