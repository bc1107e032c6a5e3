"""Lesson 15: a clerk that asks a worker for the weekday of a date.

A client sends a text, such as `2026-11-21`. At once it receives `asked`, or, if the channel is
full, only `busy`. Once a worker has done the job, the client receives `2026-11-21: Saturday`. For
`hello`, it receives `hello: not a date`. The text in the answer is unchanged.

Every text that `datetime.date.fromisoformat` accepts is a date, `20261121` too. `2026-1-2` and an
empty text are not dates. You may ignore a binary frame, or take it for an empty text.

Each answer goes only to the connection that asked. A client may send more texts before an answer
comes. A job may be lost: then the client receives no answer, and may ask again.

`manage.py runworker weekdays` runs Calendar in another process. Calendar may take 2 seconds for a
job, not more.
"""

import datetime

from channels.consumer import AsyncConsumer
from channels.exceptions import ChannelFull, StopConsumer


# The checks look for this name and this base class: keep both.
class Clerk(AsyncConsumer):
    async def websocket_connect(self, event):
        await self.send({"type": "websocket.accept"})

    async def websocket_receive(self, event):
        job = {"type": "weekday.find", "date": event.get("text") or ""}
        # TODO 1: add the channel for the answer to the job, under any key. Send the job to the
        #         channel "weekdays", which may be full.
        await self.send_text("asked")

    async def weekday_found(self, event):
        await self.send_text(event["text"])

    async def send_text(self, text):
        await self.send({"type": "websocket.send", "text": text})

    async def websocket_disconnect(self, event):
        raise StopConsumer()


class Calendar(AsyncConsumer):
    async def weekday_find(self, event):
        # TODO 2: send the answer to the connection that asked, even if fromisoformat() raises
        #         ValueError.
        weekday = datetime.date.fromisoformat(event["date"]).strftime("%A")


# asgi.py passes this to ChannelNameRouter.
channel_name_patterns = {"weekdays": Calendar.as_asgi()}
