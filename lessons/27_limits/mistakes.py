"""Lesson 27: wrong copiers, each with the diagnosis that it must get."""

import asyncio
import math
import time

from asgiref.sync import sync_to_async
from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer
from django.core.cache import cache

PAGES = 3
MINUTE = 60
MAX_LENGTH = 40
SILENCE = 30


class RightCopier(AsyncConsumer):
    """What the mistakes below have right."""

    watch = None
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
        if not self.is_closed:
            self.start_watch()
            await self.answer(event.get("text") or "")

    async def answer(self, text):
        if not 1 <= len(text) <= MAX_LENGTH:
            await self.send_text("not a page")
        elif wait := await self.take_page():
            await self.send_text(f"wait {wait}")
        else:
            await self.send_text(f"copied {text}")

    async def take_page(self):
        minute, second = divmod(time.time(), MINUTE)
        used = await self.count(self.key(minute))
        return 0 if used <= PAGES else self.rest(second)

    def key(self, minute):
        return f"pages-{self.scope['user'].pk}-{minute:.0f}"

    def rest(self, second):
        return math.ceil(MINUTE - second)

    async def count(self, key):
        await cache.aadd(key, 0, 2 * MINUTE)
        return await sync_to_async(cache.incr)(key)

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
        await self.close()

    async def close(self):
        self.is_closed = True
        await self.send({"type": "websocket.close", "code": 4408})

    async def send_text(self, text):
        await self.send({"type": "websocket.send", "text": text})

    async def websocket_disconnect(self, event):
        raise StopConsumer()


class CountsOnSelf(RightCopier):
    """Counts on self, and forgets that a user can open many connections."""

    diagnosis = "quota-of-each-connection"
    counts = None

    async def count(self, key):
        self.counts = self.counts or {}
        self.counts[key] = self.counts.get(key, 0) + 1
        return self.counts[key]


class CountsOnTheClass(RightCopier):
    """Counts on the class, which all connections of one process share, and no other process."""

    diagnosis = "quota-of-each-server"
    counts = {}

    async def count(self, key):
        self.counts[key] = self.counts.get(key, 0) + 1
        return self.counts[key]


class ReadsThenWrites(RightCopier):
    """Reads the count, then writes it. Another server can read the same count in between."""

    diagnosis = "quota-raced"

    async def count(self, key):
        used = await cache.aget(key, 0) + 1
        await cache.aset(key, used, 2 * MINUTE)
        return used


class ChecksThenCounts(RightCopier):
    """Counts in one step, but decides before that."""

    diagnosis = "quota-raced"

    async def count(self, key):
        used = await cache.aget(key, 0)
        if used < PAGES:
            await super().count(key)
        return used + 1


class CallsTheCacheOnTheLoop(RightCopier):
    """Calls the cache on the event loop, where all connections wait for its answer."""

    diagnosis = "blocked-loop"

    async def count(self, key):
        cache.add(key, 0, 2 * MINUTE)
        return cache.incr(key)


class CountsAllUsersTogether(RightCopier):
    """Leaves the user out of the key."""

    diagnosis = "quota-of-all-users"

    def key(self, minute):
        return f"pages-{minute:.0f}"


class NeverBeginsAgain(RightCopier):
    """Leaves the minute out of the key, and gives the key no end."""

    diagnosis = "quota-not-renewed"

    def key(self, minute):
        return f"pages-{self.scope['user'].pk}"

    async def count(self, key):
        await cache.aadd(key, 0, None)
        return await sync_to_async(cache.incr)(key)


class BeginsWithTheFirstPage(RightCopier):
    """Lets the key expire 60 seconds after the first page. The exercise counts by the clock."""

    diagnosis = "quota-not-renewed"

    def key(self, minute):
        return f"pages-{self.scope['user'].pk}"

    async def count(self, key):
        await cache.aadd(key, 0, MINUTE)
        return await sync_to_async(cache.incr)(key)


class ReadsTheMonotonicClock(RightCopier):
    """Takes the minute from a clock that begins at another moment on each machine."""

    diagnosis = "retry-after-wrong"

    async def take_page(self):
        minute, second = divmod(time.monotonic(), MINUTE)
        used = await self.count(self.key(minute))
        return 0 if used <= PAGES else self.rest(second)


class CountsWithoutAKey(RightCopier):
    """Expects incr() to create a missing key."""

    diagnosis = "counter-missing"

    async def count(self, key):
        return await sync_to_async(cache.incr)(key)


class AllowsOneMore(RightCopier):
    """Compares the count with <=, although it does not include this page yet."""

    diagnosis = "quota-not-kept"

    async def count(self, key):
        return await super().count(key) - 1


class CountsEveryFrame(RightCopier):
    """Counts before it looks at the frame."""

    diagnosis = "refused-counted"

    async def answer(self, text):
        wait = await self.take_page()
        if not 1 <= len(text) <= MAX_LENGTH:
            await self.send_text("not a page")
        else:
            await self.send_text(f"wait {wait}" if wait else f"copied {text}")


class RoundsDown(RightCopier):
    """Rounds down. A client that obeys comes too early."""

    diagnosis = "retry-after-wrong"

    def rest(self, second):
        return int(MINUTE - second)


class NamesAFixedTime(RightCopier):
    """Always lets the client wait for a whole minute."""

    diagnosis = "retry-after-wrong"

    def rest(self, second):
        return MINUTE


class AcceptsAnyLength(RightCopier):
    """Trusts that clients send short texts."""

    diagnosis = "length-not-limited"

    async def answer(self, text):
        wait = await self.take_page() if text else None
        if wait is None:
            await self.send_text("not a page")
        else:
            await self.send_text(f"wait {wait}" if wait else f"copied {text}")


class WatchesFromTheConnectionOn(RightCopier):
    """Starts the task once, so a frame does not end the silence."""

    diagnosis = "idle-too-early"

    def start_watch(self):
        if self.watch is None:
            super().start_watch()


class KeepsOldTasks(RightCopier):
    """Starts a task for each frame, and does not cancel the one before."""

    diagnosis = "task-left-behind"

    def start_watch(self):
        self.watch = asyncio.create_task(self.watch_silence())


class WatchesAfterTheFirstFrame(RightCopier):
    """Starts to watch at the first frame. A client that never sends one stays for ever."""

    diagnosis = "idle-not-noticed"

    async def websocket_connect(self, event):
        await self.send({"type": "websocket.accept"})
        if not self.scope["user"].is_authenticated:
            await self.send({"type": "websocket.close", "code": 4401})
            raise StopConsumer()


class OnlyPagesEndTheSilence(RightCopier):
    """Counts only copied pages as a sign of life."""

    diagnosis = "idle-too-early"

    async def websocket_receive(self, event):
        if not self.is_closed:
            await self.answer(event.get("text") or "")

    async def send_text(self, text):
        if text.startswith("copied"):
            self.start_watch()
        await super().send_text(text)


class AnswersAfterTheClose(RightCopier):
    """Believes that no frame comes after a close. It may have been sent before."""

    diagnosis = "send-after-close"

    async def close(self):
        await self.send({"type": "websocket.close", "code": 4408})


class CancelsOnDisconnect(RightCopier):
    """Cancels the task in websocket_disconnect, which a crash and a kill skip."""

    diagnosis = "cleanup-skipped"

    async def __call__(self, scope, receive, send):
        await AsyncConsumer.__call__(self, scope, receive, send)

    async def websocket_disconnect(self, event):
        self.stop_watch()
        raise StopConsumer()


class ServesAnonymousClients(RightCopier):
    """Counts anonymous clients as one user, whose pk is None."""

    diagnosis = "anonymous-let-in"

    async def websocket_connect(self, event):
        await self.send({"type": "websocket.accept"})
        self.start_watch()
