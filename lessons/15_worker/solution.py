"""Lesson 15, solved: a clerk that asks a worker for the weekday of a date."""

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
            # The worker has no socket. Only this name leads back to the client.
            "answer_to": self.channel_name,
        }
        try:
            await self.channel_layer.send("weekdays", job)
        except ChannelFull:  # send() raises this; group_send() would drop the job silently
            await self.send_text("busy")
        else:
            await self.send_text("asked")

    async def weekday_found(self, event):
        await self.send_text(event["text"])

    async def send_text(self, text):
        await self.send({"type": "websocket.send", "text": text})

    async def websocket_disconnect(self, event):
        raise StopConsumer()


class Calendar(AsyncConsumer):
    async def weekday_find(self, event):
        text = event["date"]
        try:
            answer = datetime.date.fromisoformat(text).strftime("%A")
        except ValueError:
            # If this exception left the handler, all waiting jobs would be lost.
            answer = "not a date"
        message = {"type": "weekday.found", "text": f"{text}: {answer}"}
        await self.channel_layer.send(event["answer_to"], message)


channel_name_patterns = {"weekdays": Calendar.as_asgi()}
