"""Lesson 8: the classic wrong versions of the countdown."""

import asyncio

from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer

START = {
    "type": "http.response.start",
    "status": 200,
    "headers": [(b"content-type", b"text/event-stream")],
}


class Right(AsyncConsumer):
    """A right countdown; each version below replaces a part of it."""

    start = START
    body = b""
    task = None

    async def http_request(self, event):
        self.body += event.get("body", b"")
        if not event.get("more_body", False):
            self.task = asyncio.create_task(self.count_down(int(self.body)))

    async def count_down(self, seconds):
        await self.send(self.start)
        for left in range(seconds, 0, -1):
            await self.write(left, more_body=True)
            await asyncio.sleep(1)
        await self.write(0, more_body=False)

    async def write(self, left, more_body):
        body = f"data: {left}\n\n".encode()
        await self.send({"type": "http.response.body", "body": body, "more_body": more_body})

    async def http_disconnect(self, event):
        if self.task is not None:
            self.task.cancel()
        raise StopConsumer()


class SendsText(Right):
    """Believes that Channels encodes the text."""

    diagnosis = "body-not-bytes"

    async def write(self, left, more_body):
        body = f"data: {left}\n\n"
        await self.send({"type": "http.response.body", "body": body, "more_body": more_body})


class WritesHeadersAsText(Right):
    """Believes that headers are text."""

    diagnosis = "headers-not-bytes"
    start = {**START, "headers": [("content-type", "text/event-stream")]}


class WritesHeadersAsADict(Right):
    """Believes that headers are a dict, as in most libraries."""

    diagnosis = "headers-not-pairs"
    start = {**START, "headers": {b"content-type": b"text/event-stream"}}


class WritesTheStatusAsText(Right):
    """Believes that the status is the text of the status line."""

    diagnosis = "status-not-int"
    start = {**START, "status": "200 OK"}


class ForgetsTheStart(Right):
    """Believes that the first body starts the response, with 200 by default."""

    diagnosis = "body-before-start"

    async def count_down(self, seconds):
        for left in range(seconds, -1, -1):
            await self.write(left, more_body=left > 0)
            await asyncio.sleep(1)


class StartsEachEvent(Right):
    """Believes that each event is a response."""

    diagnosis = "started-twice"

    async def write(self, left, more_body):
        await self.send(self.start)
        await super().write(left, more_body)

    async def count_down(self, seconds):
        for left in range(seconds, -1, -1):
            await self.write(left, more_body=left > 0)
            await asyncio.sleep(1)


class ForgetsMoreBody(Right):
    """Believes that a response ends when nothing more is sent."""

    diagnosis = "response-cut-short"

    async def write(self, left, more_body):
        await self.send({"type": "http.response.body", "body": f"data: {left}\n\n".encode()})


class NeverEnds(Right):
    """Announces another part with every part, also with the last one."""

    diagnosis = "response-not-finished"

    async def write(self, left, more_body):
        await super().write(left, more_body=True)


class ReadsTheFirstPiece(Right):
    """Believes that http.request carries the whole body, and reads the first one."""

    diagnosis = "body-read-once"

    async def http_request(self, event):
        if self.task is None:
            self.task = asyncio.create_task(self.count_down(int(event["body"] or b"0")))


class AnswersEachPiece(Right):
    """Believes that http.request comes once for each request."""

    diagnosis = "body-read-once"

    async def http_request(self, event):
        self.task = asyncio.create_task(self.count_down(int(event["body"] or b"0")))


class ReadsTheLastPiece(Right):
    """Waits for the last piece, and reads only that one."""

    diagnosis = "body-read-once"

    async def http_request(self, event):
        if not event.get("more_body", False):
            self.task = asyncio.create_task(self.count_down(int(event["body"] or b"0")))


class ReadsTheKeysOfDaphne(Right):
    """Believes that every server sends the keys that Daphne sends."""

    diagnosis = "http-key-left-out"

    async def http_request(self, event):
        self.body += event["body"]
        if not event["more_body"]:
            self.task = asyncio.create_task(self.count_down(int(self.body)))


class KeepsTheTaskOnTheClass(Right):
    """Believes that only one countdown runs."""

    diagnosis = "wrong-connection"

    async def http_request(self, event):
        self.body += event.get("body", b"")
        if not event.get("more_body", False):
            Right.task = asyncio.create_task(self.count_down(int(self.body)))


class KeepsThePiecesOnTheClass(Right):
    """Believes that each request gets its own copy of a list in the class body."""

    diagnosis = "wrong-connection"
    pieces = []

    async def http_request(self, event):
        self.pieces.append(event.get("body", b""))
        if not event.get("more_body", False):
            self.task = asyncio.create_task(self.count_down(int(b"".join(self.pieces))))


class StreamsInTheHandler(Right):
    """Believes that http.disconnect interrupts a handler."""

    diagnosis = "stream-outlives-client"

    async def http_request(self, event):
        self.body += event.get("body", b"")
        if not event.get("more_body", False):
            await self.count_down(int(self.body))


class LeavesTheTaskToItself(Right):
    """Believes that a task ends with the consumer that started it."""

    diagnosis = "stream-outlives-client"

    async def http_disconnect(self, event):
        raise StopConsumer()


class GoesOnWaiting(Right):
    """Believes that a consumer ends with its response."""

    diagnosis = "http-no-stop-consumer"

    async def http_disconnect(self, event):
        if self.task is not None:
            self.task.cancel()


class HearsNoDisconnect(AsyncConsumer):
    """Believes that an HTTP request has no disconnect."""

    diagnosis = "no-http-disconnect-handler"
    start = START
    body = b""
    http_request = Right.http_request
    count_down = Right.count_down
    write = Right.write


class DeclaresText(Right):
    """Believes that a stream of events has the type of plain text."""

    diagnosis = "not-an-event-stream"
    start = {**START, "headers": [(b"content-type", b"text/plain")]}


class EndsTheLineAlone(Right):
    """Believes that an event ends with its line."""

    diagnosis = "event-not-ended"

    async def write(self, left, more_body):
        body = f"data: {left}\n".encode()
        await self.send({"type": "http.response.body", "body": body, "more_body": more_body})


class SendsAllAtOnce(Right):
    """Believes that each part needs time to reach the client."""

    diagnosis = "event-early"

    async def count_down(self, seconds):
        await self.send(self.start)
        for left in range(seconds, -1, -1):
            await self.write(left, more_body=left > 0)
