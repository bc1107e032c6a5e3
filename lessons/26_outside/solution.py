"""Lesson 26, solved: a long job that shows its progress to every client that watches."""

import time

from asgiref.sync import async_to_sync
from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer
from channels.layers import get_channel_layer

from layers_demo.models import Job


def report(job, percent):
    # One statement compares and stores. So of two equal reports, only one changes the row.
    if not Job.objects.filter(id=job, percent__lt=percent).update(percent=percent):
        return False
    for pause in (0.5, 0.5, 0.5, 0):
        try:
            # Only the message is tried again. The row is stored already.
            async_to_sync(get_channel_layer().group_send)(f"job-{job}", {"type": "job.progress"})
            break
        except Exception:  # each layer has its own exceptions
            time.sleep(pause)
    return True


class Progress(AsyncConsumer):
    shown = -1

    async def __call__(self, scope, receive, send):
        self.job = scope["url_route"]["kwargs"]["number"]
        self.group = f"job-{self.job}"
        try:
            await super().__call__(scope, receive, send)
        finally:
            await self.channel_layer.group_discard(self.group, self.channel_name)

    async def websocket_connect(self, event):
        # Join before the read: a report after the read sends a message to this consumer.
        await self.channel_layer.group_add(self.group, self.channel_name)
        await self.send({"type": "websocket.accept"})
        await self.show()

    async def websocket_receive(self, event):
        pass

    async def job_progress(self, event):
        await self.show()

    async def show(self):
        job = await Job.objects.aget(id=self.job)
        # Two messages may lead to the same row, also after the end.
        if job.percent > self.shown:
            self.shown = job.percent
            await self.send({"type": "websocket.send", "text": f"{job.percent} %"})
            if job.percent == 100:
                await self.send({"type": "websocket.close"})

    async def websocket_disconnect(self, event):
        raise StopConsumer()
