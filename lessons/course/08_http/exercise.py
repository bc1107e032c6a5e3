"""Lesson 8: a countdown, as a stream of events.

The body of the request is a number of seconds in digits, such as `3`. It can come in several
pieces, and a server can leave out of an event what is empty or False. Any other body may get any
response.

The response has the status 200 and the content type `text/event-stream`. Its events are the seconds
that are left: `data: 3` and an empty line at once, then `2`, `1` and `0`, each one second after the
one before. The response ends with `0`. You may add other headers. When the client leaves, even
before its body is complete, the countdown ends. The server sends `http.disconnect` when the client
has left, and also after a complete response. The consumer stops at that event at the latest.
"""

from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer


class Countdown(AsyncConsumer):
    async def http_request(self, event):
        # TODO 1: this is one piece of the body. Begin when all pieces have come.
        await self.count_down(int(event["body"]))

    async def count_down(self, seconds):
        # TODO 2: send the other events too, and stop when the client leaves.
        headers = [(b"content-type", b"text/event-stream")]
        await self.send({"type": "http.response.start", "status": 200, "headers": headers})
        body = f"data: {seconds}\n\n".encode()
        await self.send({"type": "http.response.body", "body": body})

    async def http_disconnect(self, event):
        raise StopConsumer()
