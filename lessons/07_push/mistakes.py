"""Lesson 7: the classic wrong versions of the stopwatch."""

import asyncio

from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer


class Running(AsyncConsumer):
    """A stopwatch that never ends; each version below adds its own end."""

    async def websocket_connect(self, event):
        self.seconds = 0
        await self.send({"type": "websocket.accept"})
        self.task = asyncio.create_task(self.run())

    async def run(self):
        while True:
            await asyncio.sleep(1)
            await self.read_out()

    async def read_out(self):
        self.seconds += 1
        await self.send({"type": "websocket.send", "text": f"{self.seconds}"})

    async def websocket_receive(self, event):
        await self.send({"type": "websocket.send", "text": f"{self.seconds} so far"})

    async def websocket_disconnect(self, event):
        raise StopConsumer()


class EndingInFinally(Running):
    """A right stopwatch; each version that subclasses it breaks one method."""

    task = None

    async def __call__(self, scope, receive, send):
        try:
            await super().__call__(scope, receive, send)
        finally:
            if self.task is not None:
                self.task.cancel()


class HidesTheException(Running):
    """Catches the exception, and does not raise it again."""

    diagnosis = "exception-hidden"
    task = None

    async def __call__(self, scope, receive, send):
        try:
            await super().__call__(scope, receive, send)
        except Exception:
            pass
        finally:
            if self.task is not None:
                self.task.cancel()


class LoopsInTheHandler(EndingInFinally):
    """Believes that a handler may run as long as its connection is open."""

    diagnosis = "loop-in-handler"

    async def websocket_connect(self, event):
        self.seconds = 0
        await self.send({"type": "websocket.accept"})
        await self.run()


class AwaitsItsTask(EndingInFinally):
    """Starts a task, and then awaits it in the handler. The task never ends."""

    diagnosis = "loop-in-handler"

    async def websocket_connect(self, event):
        await super().websocket_connect(event)
        await self.task


class StartsAtTheFirstFrame(EndingInFinally):
    """Believes that a server can only answer."""

    diagnosis = "no-push"

    async def websocket_connect(self, event):
        self.seconds = 0
        await self.send({"type": "websocket.accept"})

    async def websocket_receive(self, event):
        if self.task is None:
            self.task = asyncio.create_task(self.run())
        await super().websocket_receive(event)


class ReadsOutOnce(EndingInFinally):
    """Believes that a task runs its coroutine repeatedly; it runs the coroutine once."""

    diagnosis = "no-push"

    async def run(self):
        await asyncio.sleep(1)
        await self.read_out()


class NeverAwaitsItsLoop(EndingInFinally):
    """Calls the coroutine function, which only makes a coroutine."""

    diagnosis = "never-awaited"

    async def websocket_connect(self, event):
        self.seconds = 0
        await self.send({"type": "websocket.accept"})
        self.run()


class DiesInItsTask(EndingInFinally):
    """Sends a number: the exception ends the task, and no log line appears."""

    diagnosis = "payload-not-text"

    async def read_out(self):
        self.seconds += 1
        await self.send({"type": "websocket.send", "text": self.seconds})


class CountsOnNothing(EndingInFinally):
    """Adds to an attribute that does not exist: the exception ends the task."""

    diagnosis = "task-died"

    async def read_out(self):
        self.ticks += 1
        await self.send({"type": "websocket.send", "text": f"{self.ticks}"})


class ReadsOutAtOnce(EndingInFinally):
    """Sends first and sleeps later, so every number comes one second early."""

    diagnosis = "pushed-too-fast"

    async def run(self):
        while True:
            await self.read_out()
            await asyncio.sleep(1)


class CountsForEveryone(EndingInFinally):
    """Keeps the seconds on the class, so two stopwatches share them."""

    diagnosis = "wrong-connection"

    async def websocket_connect(self, event):
        CountsForEveryone.seconds = 0
        await self.send({"type": "websocket.accept"})
        self.task = asyncio.create_task(self.run())

    async def read_out(self):
        CountsForEveryone.seconds += 1
        await self.send({"type": "websocket.send", "text": f"{self.seconds}"})


class SharesOneTask(EndingInFinally):
    """Keeps the task on the class, where the task of the next client replaces it."""

    diagnosis = "wrong-connection"

    async def websocket_connect(self, event):
        self.seconds = 0
        await self.send({"type": "websocket.accept"})
        SharesOneTask.task = asyncio.create_task(self.run())


class LeavesItRunning(Running):
    """Believes that a task ends with the consumer that started it."""

    diagnosis = "task-left-behind"


class CancelsAfterTheEnd(Running):
    """Cancels below `raise`, where no line ever runs."""

    diagnosis = "task-left-behind"

    async def websocket_disconnect(self, event):
        raise StopConsumer()
        self.task.cancel()


class StartsASecondTask(EndingInFinally):
    """Starts another task for each frame, and keeps only the last one."""

    diagnosis = "pushed-too-fast"

    async def websocket_receive(self, event):
        self.task = asyncio.create_task(self.run())
        await super().websocket_receive(event)


class CleansUpOnDisconnect(Running):
    """Believes that websocket_disconnect is the end of every connection."""

    diagnosis = "cleanup-skipped"

    async def websocket_disconnect(self, event):
        self.task.cancel()
        raise StopConsumer()


class CleansUpAfterwards(Running):
    """Puts the clean-up after super().__call__. An exception or a kill skips it."""

    diagnosis = "cleanup-skipped"
    task = None

    async def __call__(self, scope, receive, send):
        await super().__call__(scope, receive, send)
        if self.task is not None:
            self.task.cancel()


class CatchesExceptionsAlone(Running):
    """Cleans up after an Exception. A kill raises CancelledError, which is not an Exception."""

    diagnosis = "cleanup-skipped"
    task = None

    async def __call__(self, scope, receive, send):
        try:
            await super().__call__(scope, receive, send)
        except Exception:
            self.task.cancel()
            raise
        self.task.cancel()


class GuardsDispatch(Running):
    """Guards each handler. A kill happens between the handlers, where the consumer waits."""

    diagnosis = "cleanup-skipped"

    async def dispatch(self, message):
        try:
            await super().dispatch(message)
        except BaseException:
            self.task.cancel()
            raise


class CountsOnConnect(Running):
    """Believes that websocket_connect has always run before the clean-up."""

    diagnosis = "cleanup-raises"

    async def __call__(self, scope, receive, send):
        try:
            await super().__call__(scope, receive, send)
        finally:
            self.task.cancel()


class CatchesEverything(EndingInFinally):
    """Catches every exception in the loop, also the CancelledError that should end it."""

    diagnosis = "cancel-swallowed"

    async def run(self):
        while True:
            try:
                await super().run()
            except:  # noqa: E722
                pass
