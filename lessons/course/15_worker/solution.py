"""Lesson 15, solved: a clerk who has dates looked up by a worker."""

import datetime

from channels.consumer import AsyncConsumer
from channels.exceptions import ChannelFull, StopConsumer


class Clerk(AsyncConsumer):
    async def websocket_connect(self, event):
        await self.send({"type": "websocket.accept"})

    async def websocket_receive(self, event):
        job = {
            "type": "weekday.find",
            "date": event.get("text") or "",
            # The worker has no socket and no self of ours: this name is the only way back.
            "answer_to": self.channel_name,
        }
        try:
            await self.channel_layer.send("weekdays", job)
        except ChannelFull:  # raised by send() alone; group_send() would have dropped the job
            await self.say("busy")
        else:
            await self.say("asked")

    async def weekday_found(self, event):
        await self.say(event["text"])

    async def say(self, text):
        await self.send({"type": "websocket.send", "text": text})

    async def websocket_disconnect(self, event):
        raise StopConsumer()


class Calendar(AsyncConsumer):
    async def weekday_find(self, event):
        text = event["date"]
        try:
            answer = datetime.date.fromisoformat(text).strftime("%A")
        except ValueError:
            # Whoever asked is told, and the jobs that wait behind this one are not lost.
            answer = "not a date"
        message = {"type": "weekday.found", "text": f"{text}: {answer}"}
        await self.channel_layer.send(event["answer_to"], message)


channel_name_patterns = {"weekdays": Calendar.as_asgi()}
