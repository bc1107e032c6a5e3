"""Lesson 15: a clerk who has dates looked up by a worker.

A client sends a date, `2026-11-21`. At once it receives `asked`, or, if the channel is full, `busy`
and nothing else. Once a worker has done the job, it receives `2026-11-21: Saturday`, and for a text
that is not a date, `hello: not a date`. The text in the answer is unchanged. A text is a date if
`datetime.date.fromisoformat` accepts it; an empty text is not a date. The answer goes to the
connection that asked, and to no other.

`manage.py runworker weekdays` is to run Calendar, in its own process.
"""

import datetime

from channels.consumer import AsyncConsumer
from channels.exceptions import ChannelFull, StopConsumer


class Clerk(AsyncConsumer):
    async def websocket_connect(self, event):
        await self.send({"type": "websocket.accept"})

    async def websocket_receive(self, event):
        job = {"type": "weekday.find", "date": event.get("text") or ""}
        # TODO 1: send the job to "weekdays", with the way back in it. Is there room for it?
        await self.say("asked")

    async def weekday_found(self, event):
        await self.say(event["text"])

    async def say(self, text):
        await self.send({"type": "websocket.send", "text": text})

    async def websocket_disconnect(self, event):
        raise StopConsumer()


class Calendar(AsyncConsumer):
    async def weekday_find(self, event):
        # TODO 2: answer whoever asked, also where this raises ValueError.
        weekday = datetime.date.fromisoformat(event["date"]).strftime("%A")


# What asgi.py hands to ChannelNameRouter.
channel_name_patterns = {"weekdays": Calendar.as_asgi()}
