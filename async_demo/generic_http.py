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
    """The same events, written out. Each piece of the body is an event."""

    body = b""  # bytes cannot change, so += makes a new object, on self

    async def http_request(self, event):
        self.body += event.get("body", b"")
        if event.get("more_body", False):
            return
        headers = [(b"content-type", b"text/plain")]
        await self.send({"type": "http.response.start", "status": 200, "headers": headers})
        answer = f"{len(self.body)} bytes\n".encode()
        await self.send({"type": "http.response.body", "body": answer, "more_body": False})

    async def http_disconnect(self, event):
        raise StopConsumer()
