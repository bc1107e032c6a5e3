"""Lesson 6: the classic wrong versions of the bakery."""

import asyncio
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

from asgiref.sync import sync_to_async
from channels.consumer import AsyncConsumer, SyncConsumer
from channels.db import database_sync_to_async
from channels.exceptions import StopConsumer


def bake(bread):
    time.sleep(2)
    return f"{bread} is done"


class Shop(AsyncConsumer):
    """The exercise without the call of bake(); each version below adds one."""

    async def websocket_connect(self, event):
        await self.send({"type": "websocket.accept"})

    async def websocket_receive(self, event):
        bread = event.get("text")
        await self.send({"type": "websocket.send", "text": f"baking {bread}"})
        await self.send({"type": "websocket.send", "text": await self.baked(bread)})

    async def websocket_disconnect(self, event):
        raise StopConsumer()


class BakesOnTheLoop(Shop):
    """Believes that `async def` makes each call inside it asynchronous."""

    diagnosis = "blocked-loop"

    async def baked(self, bread):
        return bake(bread)


class SleepsInACoroutine(Shop):
    """Copies the code of the library into a coroutine, with its time.sleep."""

    diagnosis = "blocked-loop"

    async def baked(self, bread):
        time.sleep(2)
        return f"{bread} is done"


class BakesInATask(Shop):
    """Believes that a task runs in another thread."""

    diagnosis = "blocked-loop"

    async def baked(self, bread):
        async def work():
            return bake(bread)

        return await asyncio.create_task(work())


class CallsInsteadOfPassing(Shop):
    """Calls bake() on the loop, and passes its result to the thread."""

    diagnosis = "blocked-loop"

    async def baked(self, bread):
        return await asyncio.to_thread(bake(bread))


class WaitsForTheThread(Shop):
    """Gives the work to a thread, and blocks the loop until the work is done."""

    diagnosis = "blocked-loop"

    async def baked(self, bread):
        with ThreadPoolExecutor() as pool:
            return pool.submit(bake, bread).result()


class RunsAProgramAfterwards(Shop):
    """Bakes in a thread, then runs a short program that blocks the loop."""

    diagnosis = "blocked-loop"

    async def baked(self, bread):
        done = await asyncio.to_thread(bake, bread)
        subprocess.run([sys.executable, "-c", "pass"])
        return done


class SleepsAndDoesNotBake(Shop):
    """Believes that asyncio.sleep replaces any slow call; it replaces only a wait."""

    diagnosis = "work-left-out"

    async def baked(self, bread):
        await asyncio.sleep(2)
        return f"{bread} is done"


class SharesTheOneThread(Shop):
    """Believes that sync_to_async uses a new thread for each call."""

    diagnosis = "work-still-queued"

    async def baked(self, bread):
        return await sync_to_async(bake)(bread)


class SharesTheDatabaseThread(Shop):
    """Believes that database_sync_to_async is for any slow function."""

    diagnosis = "work-still-queued"

    async def baked(self, bread):
        return await database_sync_to_async(bake)(bread)


class HasOneOven(Shop):
    """Makes its own executor, with one thread for all connections."""

    diagnosis = "work-still-queued"
    oven = ThreadPoolExecutor(1)

    async def baked(self, bread):
        return await asyncio.get_running_loop().run_in_executor(self.oven, bake, bread)


class LocksTheOven(Shop):
    """Uses a lock that is not needed, so only one client bakes at a time."""

    diagnosis = "work-still-queued"

    async def websocket_connect(self, event):
        type(self).lock = vars(LocksTheOven).get("lock") or asyncio.Lock()
        await super().websocket_connect(event)

    async def baked(self, bread):
        async with self.lock:
            return await asyncio.to_thread(bake, bread)


class ForgetsTheAwait(Shop):
    """Forgets to await the thread."""

    diagnosis = "never-awaited"

    async def baked(self, bread):
        asyncio.to_thread(bake, bread)
        return f"{bread} is done"


class BakesInASyncHandler(SyncConsumer):
    """Believes that each sync handler runs in its own thread."""

    diagnosis = "slow-sync-handler"

    def websocket_connect(self, event):
        self.send({"type": "websocket.accept"})

    def websocket_receive(self, event):
        bread = event.get("text")
        self.send({"type": "websocket.send", "text": f"baking {bread}"})
        self.send({"type": "websocket.send", "text": bake(bread)})

    def websocket_disconnect(self, event):
        raise StopConsumer()
