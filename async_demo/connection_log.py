"""Lesson 29: a middleware that answers health checks, and logs a line for each connection."""

import asyncio
import logging

logger = logging.getLogger(__name__)


class ConnectionLog:
    """Wraps a consumer. One instance serves all clients of the process, so it can count them."""

    def __init__(self, inner):
        self.inner = inner
        self.connections = set()

    async def __call__(self, scope, receive, send):
        if scope["type"] == "http":
            await self.answer(send)
            return
        connection = Connection(receive, send)
        self.connections.add(connection)
        try:
            await self.inner(scope, connection.receive, connection.send)
        except BaseException as error:  # also CancelledError: Daphne cancels stuck consumers
            connection.end = type(error).__name__
            raise
        finally:
            self.connections.discard(connection)
            logger.info("%s %s", scope["path"], connection.summary())

    async def answer(self, send):
        """The health check: the load balancer needs only the status."""
        busy = sum(connection.is_busy for connection in self.connections)
        body = f"ok, open: {len(self.connections)}, busy: {busy}\n".encode()
        headers = [(b"content-type", b"text/plain")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})


class Connection:
    """Its `receive` and `send` replace those of the server, and see each event."""

    is_busy = False
    frames_in = frames_out = 0
    end = "no disconnect"

    def __init__(self, receive, send):
        self.server_receive, self.server_send = receive, send
        self.begun = asyncio.get_running_loop().time()

    async def receive(self):
        self.is_busy = False  # the handler of the last event has returned
        event = await self.server_receive()
        self.is_busy = True
        if event["type"] == "websocket.receive":
            self.frames_in += 1
        elif event["type"] == "websocket.disconnect":
            self.end = f"code {event.get('code')}"
        return event

    async def send(self, message):
        if message["type"] == "websocket.send":
            self.frames_out += 1
        await self.server_send(message)

    def summary(self):
        seconds = asyncio.get_running_loop().time() - self.begun
        return f"{self.end}, {seconds:.1f} s, in: {self.frames_in}, out: {self.frames_out}"
