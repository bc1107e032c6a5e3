"""Lesson 7: a stopwatch that sends its seconds.

From the accept on, the client gets a text frame each second: `1`, `2`, `3`. The consumer answers
every frame of the client at once, even an empty or a binary frame, with the seconds so far as
text: `2 so far`. Each connection has its own stopwatch. The stopwatch ends with its connection,
however the connection ends: the client leaves, a handler raises, or the server cancels the
consumer, even before websocket_connect has run. The consumer does not hide an exception that a
handler raises. Stopwatch stays an AsyncConsumer.
"""

import asyncio

from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer


class Stopwatch(AsyncConsumer):
    # TODO 2: end the stopwatch in a place that always runs, around super().__call__().

    async def websocket_connect(self, event):
        self.seconds = 0
        await self.send({"type": "websocket.accept"})
        # TODO 1: run this beside the handlers.
        await self.run()

    async def run(self):
        while True:
            await asyncio.sleep(1)
            self.seconds += 1
            await self.send({"type": "websocket.send", "text": f"{self.seconds}"})

    async def websocket_receive(self, event):
        await self.send({"type": "websocket.send", "text": f"{self.seconds} so far"})

    async def websocket_disconnect(self, event):
        raise StopConsumer()
