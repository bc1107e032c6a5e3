"""Lesson 27, solved: a copier. Each user may copy three pages a minute, and a silent client is
closed."""

import asyncio
import math
import time

from asgiref.sync import sync_to_async
from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer
from django.core.cache import cache

PAGES = 3  # that a user may copy in a minute
MINUTE = 60  # seconds
MAX_LENGTH = 40  # characters of a page
SILENCE = 30  # seconds until the question, and again until the close


class Copier(AsyncConsumer):
    watch = None  # a task; a client that is not logged in has none
    is_closed = False

    async def __call__(self, scope, receive, send):
        try:
            await super().__call__(scope, receive, send)
        finally:
            self.stop_watch()

    async def websocket_connect(self, event):
        await self.send({"type": "websocket.accept"})
        if not self.scope["user"].is_authenticated:
            await self.send({"type": "websocket.close", "code": 4401})
            raise StopConsumer()
        self.start_watch()

    async def websocket_receive(self, event):
        if self.is_closed:  # the frame was sent before the client received the close
            return
        self.start_watch()
        text = event.get("text") or ""
        if not 1 <= len(text) <= MAX_LENGTH:
            await self.send_text("not a page")
        elif wait := await self.take_page():
            await self.send_text(f"wait {wait}")
        else:
            await self.send_text(f"copied {text}")

    async def take_page(self):
        """Count a page, and return 0. If none is left, return the seconds until the next minute."""
        # time.time() shows the same minute on all servers. A new minute has a new key.
        minute, second = divmod(time.time(), MINUTE)
        key = f"pages-{self.scope['user'].pk}-{minute:.0f}"
        used = await sync_to_async(self.count)(key)
        return 0 if used <= PAGES else math.ceil(MINUTE - second)

    @staticmethod
    def count(key):
        cache.add(key, 0, 2 * MINUTE)  # does nothing if the key exists
        return cache.incr(key)  # one atomic step; cache.aincr() is that since Django 6.1

    def start_watch(self):
        self.stop_watch()
        self.watch = asyncio.create_task(self.watch_silence())

    def stop_watch(self):
        if self.watch is not None:
            self.watch.cancel()

    async def watch_silence(self):
        await asyncio.sleep(SILENCE)
        await self.send_text("still there?")
        await asyncio.sleep(SILENCE)
        self.is_closed = True
        await self.send({"type": "websocket.close", "code": 4408})

    async def send_text(self, text):
        await self.send({"type": "websocket.send", "text": text})

    async def websocket_disconnect(self, event):
        raise StopConsumer()
