"""Lesson 8: a countdown, as a stream of events.

The body of the request is a number of seconds in digits, such as `3`. It can come in several
pieces: begin the response after the last one. The server can omit an empty `body`, and `more_body`
if it is False. If the body is not a number, you may do anything.

The response has the status 200 and the content type `text/event-stream`. For `3`, the consumer
sends the event `data: 3` and an empty line at once. The events `data: 2`, `data: 1` and `data: 0`
follow, each a second later. The response ends right after `data: 0`. You may add other headers.

When the client leaves, perhaps before its body is complete, the countdown ends. The server sends
`http.disconnect` when the client has left, and also after a complete response. Then the consumer
stops, unless it has already stopped.
"""

from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer


# The checks look for this name and this base class: keep both.
class Countdown(AsyncConsumer):
    async def http_request(self, event):
        # TODO 1: this event has one piece of the body. Begin when all pieces have come.
        await self.count_down(int(event["body"]))

    async def count_down(self, seconds):
        # TODO 2: send the other events too, and stop when the client leaves.
        headers = [(b"content-type", b"text/event-stream")]
        await self.send({"type": "http.response.start", "status": 200, "headers": headers})
        body = f"data: {seconds}\n\n".encode()
        await self.send({"type": "http.response.body", "body": body})

    async def http_disconnect(self, event):
        raise StopConsumer()
