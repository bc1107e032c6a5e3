"""Lesson 7, solved: a stopwatch that sends its seconds."""

import asyncio

from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer


class Stopwatch(AsyncConsumer):
    task = None  # until websocket_connect has run, no task exists

    async def __call__(self, scope, receive, send):
        try:
            await super().__call__(scope, receive, send)
        finally:
            # Runs after StopConsumer, after any exception, and when the server cancels.
            if self.task is not None:
                self.task.cancel()

    async def websocket_connect(self, event):
        self.seconds = 0
        await self.send({"type": "websocket.accept"})
        # In a task: this handler returns, so the consumer can handle the next event.
        self.task = asyncio.create_task(self.run())

    async def run(self):
        while True:
            await asyncio.sleep(1)
            self.seconds += 1
            await self.send({"type": "websocket.send", "text": f"{self.seconds}"})

    async def websocket_receive(self, event):
        await self.send({"type": "websocket.send", "text": f"{self.seconds} so far"})

    async def websocket_disconnect(self, event):
        raise StopConsumer()
