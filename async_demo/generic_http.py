"""Lesson 8: an answer over HTTP with the generic consumer, and the same events written out."""

from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer
from channels.generic.http import AsyncHttpConsumer


class Length(AsyncHttpConsumer):
    """The generic consumer collects the body, then calls handle()."""

    async def handle(self, body):
        answer = f"{len(body)} bytes\n".encode()
        await self.send_response(200, answer, headers=[(b"content-type", b"text/plain")])


class RawLength(AsyncConsumer):
    """The same events, written out, and a limit. Each piece of the body is an event."""

    limit = 1_000_000  # bytes; Django's DATA_UPLOAD_MAX_MEMORY_SIZE is for views only

    def __init__(self):
        self.pieces, self.length = [], 0

    async def http_request(self, event):
        # Joined once, at the end: with `body += piece`, each piece copies all pieces before it.
        self.pieces.append(event.get("body", b""))
        self.length += len(self.pieces[-1])
        if self.length > self.limit:
            await self.answer(413, b"too long\n")
            raise StopConsumer()  # reads no further piece
        if not event.get("more_body", False):
            body = b"".join(self.pieces)
            await self.answer(200, f"{len(body)} bytes\n".encode())

    async def answer(self, status, body):
        headers = [(b"content-type", b"text/plain")]
        await self.send({"type": "http.response.start", "status": status, "headers": headers})
        await self.send({"type": "http.response.body", "body": body, "more_body": False})

    async def http_disconnect(self, event):
        raise StopConsumer()
