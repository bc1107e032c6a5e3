"""Lesson 5: the classic wrong versions of the notepad."""

from channels.consumer import AsyncConsumer, SyncConsumer
from channels.exceptions import StopConsumer


class Awaited(AsyncConsumer):
    """What all of it should be; each version below gets one thing wrong."""

    async def websocket_connect(self, event):
        self.lines = []
        await self.send({"type": "websocket.accept"})

    async def websocket_receive(self, event):
        text, data = event.get("text"), event.get("bytes")
        if text is None:
            await self.send({"type": "websocket.send", "bytes": data})
        else:
            self.lines.append(text)
            await self.send({"type": "websocket.send", "text": " / ".join(self.lines)})

    async def websocket_disconnect(self, event):
        raise StopConsumer()


class ForgetsToAwaitTheAccept(Awaited):
    """Believes that self.send(...) sends, as it does in a SyncConsumer."""

    diagnosis = "never-awaited"

    async def websocket_connect(self, event):
        self.lines = []
        self.send({"type": "websocket.accept"})


class ForgetsToAwaitTheReply(Awaited):
    """Awaits where the handshake shows the fault, and not where only a reply is missing."""

    diagnosis = "never-awaited"

    async def websocket_receive(self, event):
        text, data = event.get("text"), event.get("bytes")
        if text is None:
            await self.send({"type": "websocket.send", "bytes": data})
        else:
            self.lines.append(text)
            reply = self.send({"type": "websocket.send", "text": " / ".join(self.lines)})
            return reply is None


class ForgetsToAwaitItsOwnMethod(Awaited):
    """Believes that an await inside a method is enough, and calls the method without one."""

    diagnosis = "never-awaited"

    async def websocket_receive(self, event):
        if event.get("text") is None:
            self.answer(bytes=event.get("bytes"))
        else:
            self.lines.append(event["text"])
            self.answer(text=" / ".join(self.lines))

    async def answer(self, **payload):
        await self.send({"type": "websocket.send", **payload})


class KeepsTheHandlersOfASyncConsumer(AsyncConsumer):
    """Changes the base class and nothing else."""

    diagnosis = "def-handler-in-async-consumer"

    def websocket_connect(self, event):
        self.lines = []
        self.send({"type": "websocket.accept"})

    def websocket_receive(self, event):
        text, data = event.get("text"), event.get("bytes")
        if text is None:
            self.send({"type": "websocket.send", "bytes": data})
        else:
            self.lines.append(text)
            self.send({"type": "websocket.send", "text": " / ".join(self.lines)})

    def websocket_disconnect(self, event):
        raise StopConsumer()


class NotesInADefHandler(Awaited):
    """Believes that a handler that awaits nothing need not be async def."""

    diagnosis = "def-handler-in-async-consumer"

    def websocket_receive(self, event):
        self.lines.append(event.get("text"))


class AwaitsInASyncConsumer(SyncConsumer):
    """Writes async def and await, and leaves the base class as it was."""

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
    """Believes that in async code every call is awaited."""

    diagnosis = "awaited-none"

    async def websocket_receive(self, event):
        text, data = event.get("text"), event.get("bytes")
        if text is None:
            await self.send({"type": "websocket.send", "bytes": data})
        else:
            await self.lines.append(text)
            await self.send({"type": "websocket.send", "text": " / ".join(self.lines)})


class KeepsTheLinesOnTheClass(Awaited):
    """Believes that a list in the class body is the first value for each connection."""

    diagnosis = "shared-mutable"
    lines = []

    async def websocket_connect(self, event):
        await self.send({"type": "websocket.accept"})


class EmptiesTheListOfTheClass(Awaited):
    """Believes that a list made anew for each connection belongs to it, wherever it is kept."""

    diagnosis = "shared-mutable"
    lines = []

    async def websocket_connect(self, event):
        EmptiesTheListOfTheClass.lines = []
        await self.send({"type": "websocket.accept"})
