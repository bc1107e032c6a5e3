"""Daphne as it is, playing lists of replies: the program that real_daphne.py starts.

A client's query string is `NUMBER:REPLIES`: REPLIES, a Python literal, are the events to send
after websocket.connect. What the application sees of that connection is printed, a line each,
with the client's NUMBER in front. `/consumers/NAME` leads to one of the consumers below instead.
"""

import ast
import logging
import sys
import threading
from enum import IntEnum
from urllib.parse import unquote

import daphne.server
from asgiref.sync import ThreadSensitiveContext, sync_to_async
from channels.consumer import AsyncConsumer, SyncConsumer
from channels.exceptions import StopConsumer
from django.conf import settings

from lessons.bench.servers.port_server import PortServer
from tests.support.daphne_timeouts import wait_for_late_answers


class NeverStops(SyncConsumer):
    def websocket_connect(self, event):
        self.send({"type": "websocket.accept"})

    def websocket_disconnect(self, event):
        pass


class NoDisconnectHandler(SyncConsumer):
    def websocket_connect(self, event):
        self.send({"type": "websocket.accept"})


class Zombie(SyncConsumer):
    def websocket_connect(self, event):
        self.send({"type": "websocket.accept"})
        raise StopConsumer()


class HangsUp(SyncConsumer):
    def websocket_connect(self, event):
        self.send({"type": "websocket.accept"})

    def websocket_receive(self, event):
        if event["text"] == "bye":
            self.send({"type": "websocket.close", "code": 4000})
        else:
            self.send({"type": "websocket.send", "text": event["text"]})

    def websocket_disconnect(self, event):
        raise StopConsumer()


class Code(IntEnum):
    OVER = 4000


class EqualsEverything(str):
    def __eq__(self, other):
        return True

    __hash__ = str.__hash__


class SendsSubclasses(SyncConsumer):
    def websocket_connect(self, event):
        self.send({"type": "websocket.accept"})

    def websocket_receive(self, event):
        if event["text"] == "bye":
            self.send({"type": "websocket.close", "code": Code.OVER})
        else:
            self.send({"type": "websocket.send", "text": EqualsEverything(event["text"])})

    def websocket_disconnect(self, event):
        raise StopConsumer()


class ForgetsAwait(AsyncConsumer):
    async def websocket_connect(self, event):
        self.send({"type": "websocket.accept"})

    async def websocket_disconnect(self, event):
        raise StopConsumer()


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


GATE = threading.Event()  # slow work waits until a client at /let-go has come


def slow_work(patience=30):
    print("begins", flush=True)
    GATE.wait(patience)
    print("ends", flush=True)


class Ticks(AsyncConsumer):
    async def websocket_connect(self, event):
        await self.send({"type": "websocket.accept"})

    async def websocket_receive(self, event):
        print("tick", flush=True)
        await self.send({"type": "websocket.send", "text": "tock"})

    async def websocket_disconnect(self, event):
        raise StopConsumer()


class OnTheLoop(Ticks):
    async def websocket_receive(self, event):
        slow_work(0.5)  # nobody can let it go: the order of what is printed tells


class Queued(Ticks):
    async def websocket_receive(self, event):
        await sync_to_async(slow_work)()


class InAThread(Ticks):
    async def websocket_receive(self, event):
        await sync_to_async(slow_work, thread_sensitive=False)()


class SlowHandler(SyncConsumer):
    def websocket_connect(self, event):
        self.send({"type": "websocket.accept"})

    def websocket_receive(self, event):
        slow_work()

    def websocket_disconnect(self, event):
        raise StopConsumer()


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


def below(base):
    for consumer in base.__subclasses__():
        yield consumer
        yield from below(consumer)


CONSUMERS = {
    f"/consumers/{consumer.__name__}": consumer.as_asgi()
    for consumer in below(AsyncConsumer)  # of which SyncConsumer is a subclass
} | {"/let-go": let_go}


async def application(scope, receive, send):
    number, _, replies = unquote(scope["query_string"].decode()).partition(":")
    print(number, scope, flush=True)
    play = CONSUMERS.get(scope["path"], player(number, ast.literal_eval(replies)))
    try:
        await play(scope, receive, send)
    finally:
        print(number, "over", flush=True)


def player(number, replies):
    async def play(scope, receive, send):
        print(number, await receive(), flush=True)
        for reply in replies:
            await send(reply)
        event = {}
        while event.get("type") != "websocket.disconnect":
            event = await receive()
            print(number, event, flush=True)

    return play


class QuickReactor:
    """Twisted's reactor, but Daphne looks after its applications every 20 ms, not every 1 s."""

    def __init__(self, reactor):
        self.reactor = reactor

    def __getattr__(self, name):
        return getattr(self.reactor, name)

    def callLater(self, delay, call):
        return self.reactor.callLater(delay / 50, call)


def serve(application, reactor=QuickReactor, *, impatient=False, **options):
    """Serve until the process is ended, on a port that was free; log to stdout.

    `impatient`: wait for a client's answer to a close no longer than Daphne itself does.
    """
    if not impatient:
        wait_for_late_answers()
    logging.basicConfig(stream=sys.stdout, format="log %(message)s")
    daphne.server.reactor = reactor(daphne.server.reactor)
    PortServer(application, endpoints=["tcp:port=0:interface=127.0.0.1"], **options).run()


if __name__ == "__main__":
    settings.configure()
    serve(
        application,
        impatient="impatient" in sys.argv,
        websocket_handshake_timeout=2,
        application_close_timeout=0.1,
    )
