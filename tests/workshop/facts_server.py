"""Daphne as it is, playing lists of replies: the program that real_daphne.py starts.

A client's query string is `NUMBER:REPLIES`: REPLIES, a Python literal, are the events to send
after websocket.connect. What the application sees of that connection is printed, a line each,
with the client's NUMBER in front. `/consumers/NAME` leads to one of the consumers below instead.
"""

import ast
import logging
import sys
from urllib.parse import unquote

import daphne.server
from channels.consumer import AsyncConsumer, SyncConsumer
from channels.exceptions import StopConsumer
from django.conf import settings


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


CONSUMERS = {
    f"/consumers/{consumer.__name__}": consumer.as_asgi()
    for base in (SyncConsumer, AsyncConsumer)
    for consumer in base.__subclasses__()
}


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


class Server(daphne.server.Server):
    def listen_success(self, port):
        super().listen_success(port)
        print("port", port.getHost().port, flush=True)


if __name__ == "__main__":
    settings.configure()
    logging.basicConfig(stream=sys.stdout, format="log %(message)s")
    daphne.server.reactor = QuickReactor(daphne.server.reactor)
    Server(
        application,
        endpoints=["tcp:port=0:interface=127.0.0.1"],
        websocket_handshake_timeout=2,
        application_close_timeout=0.1,
    ).run()
