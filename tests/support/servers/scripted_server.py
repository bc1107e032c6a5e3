"""Daphne as it is, playing lists of replies: the program that real_daphne.py starts.

A client's query string is `NUMBER:REPLIES`: REPLIES, a Python literal, are the events to send
after websocket.connect, or after the body of an HTTP request. What the application sees of that
connection is printed, a line each, with the client's NUMBER in front. `/consumers/NAME` leads to
one of the consumers below instead. See `start` at the end for the applications.
"""

import ast
import asyncio
from functools import partial
from urllib.parse import unquote

from channels.consumer import AsyncConsumer, SyncConsumer
from channels.exceptions import StopConsumer
from django.conf import settings

from tests.support.accepting_consumers import Accepts, AcceptsInAThread
from tests.support.scripted_events import play_http, play_websocket
from tests.support.servers.daphne_server import FastReactor, serve, start

settings.configure()


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


class Busy(Accepts):
    async def websocket_receive(self, event):
        print("begins", flush=True)
        await asyncio.sleep(3600)


def subclasses_of(base):
    for consumer in base.__subclasses__():
        yield consumer
        yield from subclasses_of(consumer)


CONSUMERS = {
    f"/consumers/{consumer.__name__}": consumer.as_asgi()
    for consumer in subclasses_of(AsyncConsumer)  # SyncConsumer is one of them
}


def parts_of(scope):
    """The number and the replies of the query string."""
    number, _, replies = unquote(scope["query_string"].decode()).partition(":")
    return number, replies


async def websocket_application(scope, receive, send):
    number, replies = parts_of(scope)
    print(number, scope, flush=True)

    async def play(scope, receive, send):
        see = partial(print, number, flush=True)
        await play_websocket(ast.literal_eval(replies), receive, send, see)

    try:
        await CONSUMERS.get(scope["path"], play)(scope, receive, send)
    finally:
        print(number, "over", flush=True)


async def http_application(scope, receive, send):
    number, replies = parts_of(scope)

    async def receive_and_print():
        event = await receive()
        # Print the length of the body: it can be long.
        print(number, {**event, "body": len(event["body"])} if "body" in event else event)
        return event

    try:
        await play_http(ast.literal_eval(replies), receive_and_print, send)
    finally:
        print(number, "over", flush=True)


class PrintingReactor(FastReactor):
    """Prints the error of Daphne's periodic check. Daphne itself does not report it."""

    def callLater(self, delay, call):
        def call_and_print():
            try:
                call()
            except Exception as error:
                print("checker died of", error, flush=True)
                raise

        return super().callLater(delay, call_and_print)


def websocket(handshake=2, close=1):
    serve(
        websocket_application,
        reactor=PrintingReactor,
        websocket_handshake_timeout=float(handshake),
        application_close_timeout=float(close),
    )


def http():
    serve(http_application, reactor=PrintingReactor, application_close_timeout=0.3)


if __name__ == "__main__":
    start(websocket, http)
