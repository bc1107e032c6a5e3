"""Lesson 8, solved: a countdown, as a stream of events."""

import asyncio

from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer


class Countdown(AsyncConsumer):
    body = b""  # of this request: += makes a new object on self
    task = None  # until the body is complete

    async def __call__(self, scope, receive, send):
        try:
            await super().__call__(scope, receive, send)
        finally:
            if self.task is not None:
                self.task.cancel()

    async def http_request(self, event):
        self.body += event.get("body", b"")
        if not event.get("more_body", False):
            # In a task: http.disconnect waits while a handler runs.
            self.task = asyncio.create_task(self.count_down(int(self.body)))

    async def count_down(self, seconds):
        headers = [(b"content-type", b"text/event-stream")]
        await self.send({"type": "http.response.start", "status": 200, "headers": headers})
        for left in range(seconds, 0, -1):
            await self.write(left, more_body=True)
            await asyncio.sleep(1)
        await self.write(0, more_body=False)

    async def write(self, left, more_body):
        body = f"data: {left}\n\n".encode()
        await self.send({"type": "http.response.body", "body": body, "more_body": more_body})

    async def http_disconnect(self, event):
        raise StopConsumer()
