"""Lesson 15: a clerk who has dates looked up by a worker.

A client sends a date, `2026-11-21`. At once it gets `asked`, or, where the channel is full, `busy`
and nothing else. Once a worker has done the job it gets `2026-11-21: Saturday`; for a text that is
no date, `hello: not a date`. The answer goes to the connection that asked, and to no other.

`manage.py runworker weekdays` is to run Calendar, in a process of its own.
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
