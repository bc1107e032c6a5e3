"""An HttpCommunicator that holds a consumer to Daphne's rules and waits for no clock."""

import asyncio

from channels.testing import HttpCommunicator

from lessons.simulator.http_rules import HttpRules
from lessons.simulator.server import FakeServer
from lessons.simulator.strict import CLOSE_TIMEOUT, Strict

PIECE = 8192  # bytes; Daphne's request_buffer_size
PATIENCE = 60  # seconds of the loop's clock that a client waits for the end of a response


class StrictHttpCommunicator(Strict, HttpCommunicator):
    """One HTTP request, its body in pieces; the client reads the response, or leaves.

    `body` is cut as Daphne cuts it, or comes in the given pieces where it is a list.
    """

    def __init__(self, application, method, path, body=b"", headers=None):
        pieces = _pieces_of(body) if isinstance(body, bytes) else body
        self.server = FakeServer(application, HttpRules())
        super().__init__(self.server.serve, method, path, b"".join(pieces), headers)
        self.pieces = pieces

    # What a client does

    async def send_request(self):
        """Send the body. All its pieces wait before the first is handled, as with Daphne."""
        if not self.sent_request:
            self.sent_request = True
            for number, piece in enumerate(self.pieces, start=1):
                more = number < len(self.pieces)
                self.server.put({"type": "http.request", "body": piece, "more_body": more})
            await self._settle()

    async def send_input(self, message):
        """As of any communicator. A request that is sent by hand is not sent a second time."""
        self.sent_request = True
        await super().send_input(message)

    async def disconnect(self, timeout=CLOSE_TIMEOUT):
        """Close the connection; the consumer must then stop."""
        if not self.server.client_left and not self.future.done():
            await self.send_input({"type": self.server.rules.leaving})
        await self.wait(timeout)

    async def leave(self):
        """Close the connection if it still stands; the consumer must have stopped by then."""
        if self.server.started and not self.server.told:
            await self.disconnect()

    # What a client sees

    async def get_response(self, timeout=PATIENCE):
        """The whole response: a dict with status, headers and body."""
        await self.send_request()
        start = await self.receive_output(timeout)
        response = {"status": start["status"], "headers": list(start.get("headers", []))}
        return {**response, "body": await self.read(timeout)}

    async def read(self, timeout=PATIENCE) -> bytes:
        """What is still to come of the body, up to its end."""
        loop = asyncio.get_running_loop()
        latest, parts = loop.time() + timeout, []
        while True:
            if loop.time() >= latest:
                raise self.red("response-not-finished")
            part = await self.receive_output(max(0, latest - loop.time()))
            parts.append(part.get("body", b""))
            if not part.get("more_body", False):
                return b"".join(parts)

    async def read_so_far(self) -> bytes:
        """What has come of the body and was not read yet, without waiting for more."""
        await self._settle()
        come, self.server.unread = self.server.unread, []
        return b"".join(message.get("body", b"") for message in come)


def _pieces_of(body: bytes) -> list[bytes]:
    """The last one is shorter than the others; it is empty where they come out even."""
    return [body[first : first + PIECE] for first in range(0, len(body) + 1, PIECE)]
