"""Lesson 7: the classic wrong versions of the stopwatch."""

import asyncio

from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer


class Running(AsyncConsumer):
    """A stopwatch that runs, and that nothing ends; each version below adds its own end."""

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
    """The whole stopwatch, and right; each version that builds on it spoils one method."""

    task = None

    async def __call__(self, scope, receive, send):
        try:
            await super().__call__(scope, receive, send)
        finally:
            if self.task is not None:
                self.task.cancel()


class HidesTheException(Running):
    """Cleans up in an except clause, and takes the exception for dealt with."""

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
    """Believes that a handler may go on for as long as its connection lives."""

    diagnosis = "loop-in-handler"

    async def websocket_connect(self, event):
        self.seconds = 0
        await self.send({"type": "websocket.accept"})
        await self.run()


class AwaitsItsTask(EndingInFinally):
    """Makes a task, and then waits in the handler for what never ends."""

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
    """Believes that a task is called again and again; it is a coroutine, and runs once."""

    diagnosis = "no-push"

    async def run(self):
        await asyncio.sleep(1)
        await self.read_out()


class NeverAwaitsItsLoop(EndingInFinally):
    """Calls the coroutine function, which makes a coroutine and runs nothing of it."""

    diagnosis = "never-awaited"

    async def websocket_connect(self, event):
        self.seconds = 0
        await self.send({"type": "websocket.accept"})
        self.run()


class DiesInItsTask(EndingInFinally):
    """Sends a number: the exception ends the task, and nobody hears of it."""

    diagnosis = "payload-not-text"

    async def read_out(self):
        self.seconds += 1
        await self.send({"type": "websocket.send", "text": self.seconds})


class CountsOnNothing(EndingInFinally):
    """Counts what it never set: the exception ends the task, and nobody hears of it."""

    diagnosis = "task-died"

    async def read_out(self):
        self.ticks += 1
        await self.send({"type": "websocket.send", "text": f"{self.ticks}"})


class ReadsOutAtOnce(EndingInFinally):
    """Sends first and sleeps then, so that every number comes a second early."""

    diagnosis = "pushed-too-fast"

    async def run(self):
        while True:
            await self.read_out()
            await asyncio.sleep(1)


class CountsForEveryone(EndingInFinally):
    """Keeps the seconds on the class, so that two stopwatches turn one hand."""

    diagnosis = "wrong-connection"

    async def websocket_connect(self, event):
        CountsForEveryone.seconds = 0
        await self.send({"type": "websocket.accept"})
        self.task = asyncio.create_task(self.run())

    async def read_out(self):
        CountsForEveryone.seconds += 1
        await self.send({"type": "websocket.send", "text": f"{self.seconds}"})


class SharesOneTask(EndingInFinally):
    """Keeps the task on the class, where the next client's takes its place."""

    diagnosis = "wrong-connection"

    async def websocket_connect(self, event):
        self.seconds = 0
        await self.send({"type": "websocket.accept"})
        SharesOneTask.task = asyncio.create_task(self.run())


class LeavesItRunning(Running):
    """Believes that a task ends with the consumer that started it."""

    diagnosis = "task-left-behind"


class CancelsAfterTheEnd(Running):
    """Raises first: what stands below `raise` never runs."""

    diagnosis = "task-left-behind"

    async def websocket_disconnect(self, event):
        raise StopConsumer()
        self.task.cancel()


class StartsASecondTask(EndingInFinally):
    """Starts another task for each frame, and keeps the last one alone."""

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
    """Puts the clean-up after super().__call__, where no exception and no kill passes."""

    diagnosis = "cleanup-skipped"
    task = None

    async def __call__(self, scope, receive, send):
        await super().__call__(scope, receive, send)
        if self.task is not None:
            self.task.cancel()


class CatchesExceptionsAlone(Running):
    """Cleans up after an Exception; CancelledError, which a kill raises, is none."""

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
    """Guards each handler; a kill strikes between the handlers, where the consumer waits."""

    diagnosis = "cleanup-skipped"

    async def dispatch(self, message):
        try:
            await super().dispatch(message)
        except BaseException:
            self.task.cancel()
            raise


class CountsOnConnect(Running):
    """Believes that websocket_connect has run wherever the clean-up is reached."""

    diagnosis = "cleanup-raises"

    async def __call__(self, scope, receive, send):
        try:
            await super().__call__(scope, receive, send)
        finally:
            self.task.cancel()


class CatchesEverything(EndingInFinally):
    """Lets nothing stop the loop, not even the CancelledError that was to end it."""

    diagnosis = "cancel-swallowed"

    async def run(self):
        while True:
            try:
                await super().run()
            except:  # noqa: E722
                pass
