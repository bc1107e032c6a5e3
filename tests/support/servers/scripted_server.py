"""Daphne as it is, playing lists of replies: the program that real_daphne.py starts.

A client's query string is `NUMBER:REPLIES`: REPLIES, a Python literal, are the events to send
after websocket.connect. What the application sees of that connection is printed, a line each,
with the client's NUMBER in front. `/consumers/NAME` leads to one of the consumers below instead.

Arguments such as `handshake=0.5 close=0.2` are the seconds of Daphne's timeouts.
"""

import ast
import sys
import threading
from functools import partial
from urllib.parse import unquote

from asgiref.sync import ThreadSensitiveContext, sync_to_async
from channels.consumer import AsyncConsumer, SyncConsumer
from channels.exceptions import StopConsumer
from django.conf import settings

from tests.support.accepting_consumers import Accepts, AcceptsInAThread
from tests.support.scripted_events import play_websocket
from tests.support.servers.daphne_server import serve


class NeverStops(AcceptsInAThread):
    def websocket_disconnect(self, event):
        pass


class NoDisconnectHandler(SyncConsumer):
    def websocket_connect(self, event):
        self.send({"type": "websocket.accept"})


class Zombie(SyncConsumer):
    def websocket_connect(self, event):
        self.send({"type": "websocket.accept"})
        raise StopConsumer()


class HangsUp(AcceptsInAThread):
    def websocket_receive(self, event):
        if event["text"] == "bye":
            self.send({"type": "websocket.close", "code": 4000})
        else:
            self.send({"type": "websocket.send", "text": event["text"]})


class ForgetsAwait(Accepts):
    async def websocket_connect(self, event):
        self.send({"type": "websocket.accept"})


class AsyncHandlerInSync(SyncConsumer):
    async def websocket_connect(self, event):
        await self.send({"type": "websocket.accept"})

    def websocket_disconnect(self, event):
        raise StopConsumer()


class DefHandlerInAsync(AsyncConsumer):
    async def websocket_connect(self, event):
        await self.send({"type": "websocket.accept"})

    def websocket_receive(self, event):
        print("ran", event["text"], flush=True)

    def websocket_disconnect(self, event):
        print("def disconnect", flush=True)
        raise StopConsumer()


class DefConnectInAsync(AsyncConsumer):
    def websocket_connect(self, event):
        pass


GATE = threading.Event()  # slow work waits until a client connects to /let-go


def slow_work(timeout=30):
    print("begins", flush=True)
    GATE.wait(timeout)
    print("ends", flush=True)


class Ticks(Accepts):
    async def websocket_receive(self, event):
        print("tick", flush=True)
        await self.send({"type": "websocket.send", "text": "tock"})


class Doubles(Ticks):
    async def websocket_receive(self, event):
        key = "text" if event.get("text") is not None else "bytes"
        await self.send({"type": "websocket.send", key: event[key] * 2})


class OnTheLoop(Ticks):
    async def websocket_receive(self, event):
        slow_work(0.5)  # /let-go cannot run in this time; the order of the lines shows it


class Queued(Ticks):
    async def websocket_receive(self, event):
        await sync_to_async(slow_work)()


class InAThread(Ticks):
    async def websocket_receive(self, event):
        await sync_to_async(slow_work, thread_sensitive=False)()


class SlowHandler(AcceptsInAThread):
    def websocket_receive(self, event):
        slow_work()


class OnItsOwnThread(SlowHandler):
    async def __call__(self, scope, receive, send):
        async with ThreadSensitiveContext():
            await super().__call__(scope, receive, send)


async def let_go(scope, receive, send):
    await send({"type": "websocket.accept"})
    GATE.set()
    GATE.clear()
    while (await receive())["type"] != "websocket.disconnect":
        pass


def subclasses_of(base):
    for consumer in base.__subclasses__():
        yield consumer
        yield from subclasses_of(consumer)


CONSUMERS = {
    f"/consumers/{consumer.__name__}": consumer.as_asgi()
    for consumer in subclasses_of(AsyncConsumer)  # SyncConsumer is one of them
} | {"/let-go": let_go}


async def application(scope, receive, send):
    number, _, replies = unquote(scope["query_string"].decode()).partition(":")
    print(number, scope, flush=True)

    async def play(scope, receive, send):
        see = partial(print, number, flush=True)
        await play_websocket(ast.literal_eval(replies), receive, send, see)

    try:
        await CONSUMERS.get(scope["path"], play)(scope, receive, send)
    finally:
        print(number, "over", flush=True)


if __name__ == "__main__":
    settings.configure()
    seconds = dict(word.split("=") for word in sys.argv[1:] if "=" in word)
    serve(
        application,
        default_close_timeout="default-close-timeout" in sys.argv,
        websocket_handshake_timeout=float(seconds.get("handshake", 2)),
        application_close_timeout=float(seconds.get("close", 1)),
    )
