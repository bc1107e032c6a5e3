"""Lesson 4: the classic wrong versions of the notepad."""

from channels.consumer import AsyncConsumer, SyncConsumer
from channels.exceptions import StopConsumer


class Awaited(AsyncConsumer):
    """A right notepad; each version below gets one thing wrong."""

    count = 0

    async def websocket_connect(self, event):
        self.lines = []
        await self.send({"type": "websocket.accept"})

    async def websocket_receive(self, event):
        text, data = event.get("text"), event.get("bytes")
        if text is None:
            await self.send({"type": "websocket.send", "bytes": data})
        else:
            self.lines.append(text)
            await self.answer_line()

    async def answer_line(self):
        Awaited.count += 1
        number = Awaited.count
        await self.answer(f"number {number}")
        await self.answer(f"{number}: {' / '.join(self.lines)}")

    async def answer(self, text):
        await self.send({"type": "websocket.send", "text": text})

    async def websocket_disconnect(self, event):
        raise StopConsumer()


class ForgetsToAwaitTheAccept(Awaited):
    """Believes that self.send(...) sends, as it does in a SyncConsumer."""

    diagnosis = "never-awaited"

    async def websocket_connect(self, event):
        self.lines = []
        self.send({"type": "websocket.accept"})


class ForgetsToAwaitTheReply(Awaited):
    """Awaits the accept, and forgets to await the reply."""

    diagnosis = "never-awaited"

    async def answer(self, text):
        reply = self.send({"type": "websocket.send", "text": text})
        return reply is None


class ForgetsToAwaitItsOwnMethod(Awaited):
    """Believes that the await inside a method is enough, and calls the method without one."""

    diagnosis = "never-awaited"

    async def answer_line(self):
        Awaited.count += 1
        self.answer(f"number {Awaited.count}")
        self.answer(f"{Awaited.count}: {' / '.join(self.lines)}")

    async def answer(self, text):
        await self.send({"type": "websocket.send", "text": text})


class KeepsTheHandlersOfASyncConsumer(AsyncConsumer):
    """Changes the base class and nothing else."""

    diagnosis = "def-handler-in-async-consumer"
    count = 0

    def websocket_connect(self, event):
        self.lines = []
        self.send({"type": "websocket.accept"})

    def websocket_receive(self, event):
        self.lines.append(event.get("text"))
        number = KeepsTheHandlersOfASyncConsumer.count + 1
        self.send({"type": "websocket.send", "text": f"number {number}"})
        KeepsTheHandlersOfASyncConsumer.count = number
        text = f"{number}: {' / '.join(self.lines)}"
        self.send({"type": "websocket.send", "text": text})

    def websocket_disconnect(self, event):
        raise StopConsumer()


class NotesInADefHandler(Awaited):
    """Believes that a handler without an await can be a def."""

    diagnosis = "def-handler-in-async-consumer"

    def websocket_receive(self, event):
        self.lines.append(event.get("text"))


class AwaitsInASyncConsumer(SyncConsumer):
    """Writes async def and await, and does not change the base class."""

    diagnosis = "async-handler-in-sync-consumer"

    async def websocket_connect(self, event):
        self.lines = []
        await self.send({"type": "websocket.accept"})

    async def websocket_receive(self, event):
        self.lines.append(event.get("text"))
        await self.send({"type": "websocket.send", "text": " / ".join(self.lines)})

    async def websocket_disconnect(self, event):
        raise StopConsumer()


class AwaitsAPlainFunction(Awaited):
    """Believes that async code must await every call."""

    diagnosis = "awaited-none"

    async def websocket_receive(self, event):
        text, data = event.get("text"), event.get("bytes")
        if text is None:
            await self.send({"type": "websocket.send", "bytes": data})
        else:
            await self.lines.append(text)
            await self.answer_line()


class KeepsTheLinesOnTheClass(Awaited):
    """Believes that each connection gets its own copy of a list in the class body."""

    diagnosis = "shared-mutable"
    lines = []

    async def websocket_connect(self, event):
        await self.send({"type": "websocket.accept"})


class EmptiesTheListOfTheClass(Awaited):
    """Makes a new list for each connection, and stores it on the class."""

    diagnosis = "shared-mutable"
    lines = []

    async def websocket_connect(self, event):
        EmptiesTheListOfTheClass.lines = []
        await self.send({"type": "websocket.accept"})


class CountsOnSelf(Awaited):
    """Believes that `self.count += 1` changes the count of the class."""

    diagnosis = "shared-value-on-self"

    async def answer_line(self):
        self.count += 1
        number = self.count
        await self.answer(f"number {number}")
        await self.answer(f"{number}: {' / '.join(self.lines)}")


class CountsAfterTheAwait(Awaited):
    """Adds async and await, and changes nothing else: it reads, awaits, then writes the count."""

    diagnosis = "changed-while-waiting"

    async def answer_line(self):
        number = CountsAfterTheAwait.count + 1
        await self.answer(f"number {number}")
        CountsAfterTheAwait.count = number
        await self.answer(f"{number}: {' / '.join(self.lines)}")


class ReadsTheCountAgain(Awaited):
    """Believes that the count is still the same after an await."""

    diagnosis = "changed-while-waiting"

    async def answer_line(self):
        ReadsTheCountAgain.count += 1
        await self.answer(f"number {ReadsTheCountAgain.count}")
        await self.answer(f"{ReadsTheCountAgain.count}: {' / '.join(self.lines)}")
