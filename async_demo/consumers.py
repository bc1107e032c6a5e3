"""AsyncConsumer, event by event. Consumers for lessons 4 to 9 and 30."""

import asyncio
import json
import time

from asgiref.sync import ThreadSensitiveContext, sync_to_async
from channels.consumer import AsyncConsumer, SyncConsumer
from channels.exceptions import StopConsumer
from django.contrib.auth.models import User


class Echo(AsyncConsumer):
    """Lesson 4: the echo of lesson 2, now async. Each connection has its own list."""

    async def websocket_connect(self, event):
        self.kinds = []
        await self.send({"type": "websocket.accept"})

    async def websocket_receive(self, event):
        text, data = event.get("text"), event.get("bytes")
        if text == "kinds?":
            # join() is a plain function, so it needs no await.
            await self.answer(", ".join(self.kinds))
        elif text is not None:
            self.kinds.append("text")
            await self.answer(text)
        else:
            self.kinds.append("bytes")
            await self.send({"type": "websocket.send", "bytes": data})

    async def answer(self, text):
        # A function that awaits must be async def, and its callers must await it.
        await self.send({"type": "websocket.send", "text": text})

    async def websocket_disconnect(self, event):
        raise StopConsumer()


class Printer(AsyncConsumer):
    """Lesson 4: one printer for all clients. It prints one frame at a time."""

    is_busy = False  # on the class, so all connections share it

    async def websocket_connect(self, event):
        await self.send({"type": "websocket.accept"})

    async def websocket_receive(self, event):
        if Printer.is_busy:
            answer = "busy"
        else:
            # There is no await between the check and this line, so no other handler runs here.
            Printer.is_busy = True
            try:
                await asyncio.sleep(3)  # prints; other handlers can run now
            finally:
                Printer.is_busy = False
            answer = "printed"
        await self.send({"type": "websocket.send", "text": answer})

    async def websocket_disconnect(self, event):
        raise StopConsumer()


class Sleeper(AsyncConsumer):
    """Lesson 6: four ways to wait. Send one from a client and "tick" from another client."""

    async def websocket_connect(self, event):
        await self.send({"type": "websocket.accept"})

    async def websocket_receive(self, event):
        text = event.get("text")
        if text == "block":
            time.sleep(3)  # noqa: ASYNC251 - the mistake that this lesson shows
        elif text == "queue":
            await sync_to_async(time.sleep)(3)
        elif text == "thread":
            await sync_to_async(time.sleep, thread_sensitive=False)(3)
        elif text == "sleep":
            await asyncio.sleep(3)
        await self.send({"type": "websocket.send", "text": f"{text}: done"})

    async def websocket_disconnect(self, event):
        raise StopConsumer()


class OwnThread(SyncConsumer):
    """Lesson 6: each connection has its own thread for its sync handlers."""

    async def __call__(self, scope, receive, send):
        async with ThreadSensitiveContext():
            await super().__call__(scope, receive, send)

    def websocket_connect(self, event):
        self.send({"type": "websocket.accept"})

    def websocket_receive(self, event):
        time.sleep(3)
        self.send({"type": "websocket.send", "text": "done"})

    def websocket_disconnect(self, event):
        raise StopConsumer()


class Metronome(AsyncConsumer):
    """Lesson 7: the server sends frames on its own, from a task that ends with the connection."""

    interval = 1  # seconds

    async def __call__(self, scope, receive, send):
        self.task = None
        try:
            await super().__call__(scope, receive, send)
        finally:
            # This runs however the connection ends: StopConsumer, an exception, a cancel.
            if self.task is not None:
                self.task.cancel()
                await asyncio.gather(self.task, return_exceptions=True)

    async def websocket_connect(self, event):
        await self.send({"type": "websocket.accept"})
        self.task = asyncio.create_task(self.tick())

    async def tick(self):
        number = 0
        while True:
            await asyncio.sleep(self.interval)
            number += 1
            await self.send({"type": "websocket.send", "text": f"tick {number}"})

    async def websocket_receive(self, event):
        # tick() is a separate task, so it does not block this handler.
        if event.get("text") == "faster":
            self.interval = max(self.interval / 2, 0.1)  # a limit, so no client can flood the loop

    async def websocket_disconnect(self, event):
        raise StopConsumer()


class Heartbeat(AsyncConsumer):
    """Lesson 8: a consumer also answers HTTP, here with a stream of events."""

    async def __call__(self, scope, receive, send):
        self.task = None
        try:
            await super().__call__(scope, receive, send)
        finally:
            if self.task is not None:
                self.task.cancel()
                await asyncio.gather(self.task, return_exceptions=True)

    async def http_request(self, event):
        # The server sends this event once for each piece of the body. Begin after the last one.
        if not event.get("more_body", False):
            self.task = asyncio.create_task(self.beat())

    async def beat(self):
        headers = [(b"content-type", b"text/event-stream")]
        await self.send({"type": "http.response.start", "status": 200, "headers": headers})
        number = 0
        while True:
            number += 1
            body = f"data: beat {number}\n\n".encode()
            await self.send({"type": "http.response.body", "body": body, "more_body": True})
            await asyncio.sleep(1)

    async def http_disconnect(self, event):
        # The server sends this when the client disconnects, and after a complete response.
        raise StopConsumer()


class Shelf(AsyncConsumer):
    """Lesson 9: JSON in, JSON out, and a fixed list of commands that a client may call."""

    async def websocket_connect(self, event):
        self.titles = []
        # A client can only call the methods in this dict.
        self.commands = {"put": self.put, "list": self.list_titles}
        await self.send({"type": "websocket.accept"})

    async def websocket_receive(self, event):
        request = self.decode(event.get("text"))
        name = request.get("command") if isinstance(request, dict) else None
        command = self.commands.get(name) if isinstance(name, str) else None
        if command is None:
            answer = {"error": "Send a JSON object with a command: put, list."}
        else:
            answer = await command(request)
        await self.send({"type": "websocket.send", "text": json.dumps(answer)})

    def decode(self, text):
        """Return the JSON value in `text`, or None for a binary frame or invalid JSON."""
        try:
            return json.loads(text or "")
        except (ValueError, RecursionError):
            return None

    async def put(self, request):
        title = request.get("title")
        if not isinstance(title, str) or len(title) > 100:
            return {"error": "A title is a string of at most 100 characters."}
        if len(self.titles) == 100:  # so a client cannot fill the memory
            return {"error": "The shelf is full."}
        self.titles.append(title)
        return {"count": len(self.titles)}

    async def list_titles(self, request):
        return {"titles": self.titles}

    async def websocket_disconnect(self, event):
        raise StopConsumer()


class LeanEcho(AsyncConsumer):
    """Lesson 30: an echo whose frames do not use the sync thread."""

    async def dispatch(self, message):
        if message.get("type") == "websocket.receive":
            # This handler makes no query, so it needs no check of the database connections.
            await self.websocket_receive(message)
        else:
            # super() checks the connections first. It also refuses unknown types.
            await super().dispatch(message)

    async def websocket_connect(self, event):
        await self.send({"type": "websocket.accept"})
        count = await User.objects.acount()
        await self.send({"type": "websocket.send", "text": f"There are {count} accounts."})

    async def websocket_receive(self, event):
        text, data = event.get("text"), event.get("bytes")
        if text is not None:
            await self.send({"type": "websocket.send", "text": text})
        else:
            await self.send({"type": "websocket.send", "bytes": data})

    async def websocket_disconnect(self, event):
        raise StopConsumer()


class SlowEcho(AsyncConsumer):
    """Lesson 29: answers each frame after one second. ConnectionLog is around it."""

    async def websocket_connect(self, event):
        await self.send({"type": "websocket.accept"})

    async def websocket_receive(self, event):
        await asyncio.sleep(1)  # works; a restart should not interrupt it
        await self.send({"type": "websocket.send", "text": event.get("text") or ""})

    async def websocket_disconnect(self, event):
        raise StopConsumer()
