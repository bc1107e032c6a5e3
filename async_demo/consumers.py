"""AsyncConsumer, event by event: one worked consumer for each of lessons 5 to 10."""

import asyncio
import json
import time

from asgiref.sync import ThreadSensitiveContext, sync_to_async
from channels.consumer import AsyncConsumer, SyncConsumer, get_handler_name
from channels.exceptions import StopConsumer
from django.contrib.auth.models import User


class Echo(AsyncConsumer):
    """Lesson 5: lesson 2's echo, awaited. It keeps a list, and each connection has its own."""

    async def websocket_connect(self, event):
        self.kinds = []
        await self.send({"type": "websocket.accept"})

    async def websocket_receive(self, event):
        text, data = event.get("text"), event.get("bytes")
        if text == "kinds?":
            # No await: list methods and join are plain functions.
            await self.answer(", ".join(self.kinds))
        elif text is not None:
            self.kinds.append("text")
            await self.answer(text)
        else:
            self.kinds.append("bytes")
            await self.send({"type": "websocket.send", "bytes": data})

    async def answer(self, text):
        # A function that awaits is async def, and its callers await it in turn.
        await self.send({"type": "websocket.send", "text": text})

    async def websocket_disconnect(self, event):
        raise StopConsumer()


class Sleeper(AsyncConsumer):
    """Lesson 6: four ways to wait. In one tab wait, in another tick: which way holds it up?"""

    async def websocket_connect(self, event):
        self.ways = {
            "block": self.block,
            "queue": sync_to_async(time.sleep),
            "thread": sync_to_async(time.sleep, thread_sensitive=False),
            "sleep": asyncio.sleep,
        }
        await self.send({"type": "websocket.accept"})

    async def block(self, seconds):
        time.sleep(seconds)  # noqa: ASYNC251 - the mistake that the lesson is about

    async def websocket_receive(self, event):
        text = event.get("text")
        if text in self.ways:
            await self.ways[text](3)
        await self.send({"type": "websocket.send", "text": f"{text}: done"})

    async def websocket_disconnect(self, event):
        raise StopConsumer()


class OwnThread(SyncConsumer):
    """Lesson 6: slow sync handlers on a thread of their own, one for each connection."""

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
    """Lesson 7: the server speaks first, from a task that ends with its connection."""

    pause = 1  # seconds

    async def __call__(self, scope, receive, send):
        self.task = None
        try:
            await super().__call__(scope, receive, send)
        finally:
            # Reached whatever ends the connection: StopConsumer, an exception, a kill.
            if self.task is not None:
                self.task.cancel()
                await asyncio.gather(self.task, return_exceptions=True)

    async def websocket_connect(self, event):
        await self.send({"type": "websocket.accept"})
        self.task = asyncio.create_task(self.tick())

    async def tick(self):
        number = 0
        while True:
            await asyncio.sleep(self.pause)
            number += 1
            await self.send({"type": "websocket.send", "text": f"tick {number}"})

    async def websocket_receive(self, event):
        # The loop above is a task of its own, so this handler gets its turn.
        if event.get("text") == "faster":
            self.pause = max(self.pause / 2, 0.1)  # whatever a client says, others get a turn

    async def websocket_disconnect(self, event):
        raise StopConsumer()


class Heartbeat(AsyncConsumer):
    """Lesson 8: the same consumer answers HTTP, with a response or with a stream of events."""

    body = b""
    task = None

    async def __call__(self, scope, receive, send):
        try:
            await super().__call__(scope, receive, send)
        finally:
            if self.task is not None:
                self.task.cancel()

    async def http_request(self, event):
        # Runs once for each piece of the body.
        self.body += event.get("body", b"")
        if event.get("more_body", False):
            return
        if self.scope["method"] == "POST":
            await self.start(b"text/plain")
            await self.write(f"{len(self.body)} bytes\n")
        else:
            self.task = asyncio.create_task(self.beat())

    async def beat(self):
        await self.start(b"text/event-stream")
        number = 0
        while True:
            number += 1
            await self.write(f"data: beat {number}\n\n", more_body=True)
            await asyncio.sleep(1)

    async def start(self, content_type):
        headers = [(b"content-type", content_type)]
        await self.send({"type": "http.response.start", "status": 200, "headers": headers})

    async def write(self, text, more_body=False):
        body = text.encode()
        await self.send({"type": "http.response.body", "body": body, "more_body": more_body})

    async def http_disconnect(self, event):
        # Comes when the client has left, and after a complete response too.
        raise StopConsumer()


class Shelf(AsyncConsumer):
    """Lesson 9: JSON in, JSON out, and a fixed list of what a client may ask for."""

    async def websocket_connect(self, event):
        self.titles = []
        # What is not in this dict is out of a client's reach, whatever it sends.
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
        """The value that the text holds; None for a binary frame and for what is not JSON."""
        try:
            return json.loads(text or "")
        except (ValueError, RecursionError):
            return None

    async def put(self, request):
        title = request.get("title")
        if not isinstance(title, str):
            return {"error": "A title is a string."}
        self.titles.append(title)
        return {"count": len(self.titles)}

    async def list_titles(self, request):
        return {"titles": self.titles}

    async def websocket_disconnect(self, event):
        raise StopConsumer()


class LeanEcho(AsyncConsumer):
    """Lesson 10: goes to the database's thread where the database is asked, and only there."""

    # Those that ask no database. Whatever is not listed goes the safe way.
    lean = ("websocket.receive", "websocket.disconnect")

    async def dispatch(self, message):
        if message.get("type") in self.lean:
            await getattr(self, get_handler_name(message))(message)
        else:
            # Looks after the connections first, and refuses a type that is no handler's.
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
