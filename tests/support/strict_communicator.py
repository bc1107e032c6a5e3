"""Test clients with the methods of the stock communicators, under Daphne's rules and without waits.

The stock communicators accept what Daphne does not, and wait 0.1 to 1 s to see that a consumer
sends nothing. StrictCommunicator (WebSocket) and StrictHttpCommunicator run the consumer behind a
Client on a SimulatedLoop instead. Each method returns as soon as the loop is idle, and raises
CheckFailed for what Daphne rejects or drops, and for a missing reply.
"""

import asyncio

from channels.testing.websocket import WebsocketCommunicator

from lessons.workshop.engine.faults.connection import fault_of_failed_task, silence
from lessons.workshop.engine.faults.finding import CheckFailed, Finding
from lessons.workshop.engine.scheduling.loop import SimulatedLoop
from lessons.workshop.engine.world.client import (
    CLOSE_TIMEOUT,
    HANDSHAKE_TIMEOUT,
    Client,
    HttpClient,
    WebSocketClient,
)


class StrictClient(Client):
    """What both communicators share.

    As a context manager it lets the client leave at the end, and judges how the consumer stops.
    """

    async def __aenter__(self):
        return self

    async def __aexit__(self, kind, error, trace):
        try:
            if error is None:
                await self.leave()
        finally:
            await self.cancel_application()

    def require(self, fault: Finding | None) -> None:
        """Raise CheckFailed if there is a fault."""
        if fault:
            self.is_judged = True
            raise CheckFailed(fault)

    async def settle(self):
        """Wait until the loop is idle. If the consumer closed, let it disconnect. Judge it."""
        if not isinstance(asyncio.get_running_loop(), SimulatedLoop):
            raise RuntimeError("a strict communicator needs a SimulatedLoop")
        _ = self.future  # the first access starts the application
        await self.wait_until_idle()
        self.require(await self.fault_now())

    async def send_input(self, message):
        """Send the consumer any event, and wait until the consumer has handled it."""
        if self.rules.client_left or self.finished:
            detail = f"The client could not send {message} any more."
            self.require(self.finding("closed-early", detail=detail))
        self.put(message)
        await self.settle()

    async def wait(self, timeout=CLOSE_TIMEOUT):
        """Wait until the application has ended, for `timeout` seconds of the loop's clock."""
        await self.settle()
        self.require(await self.fault_of_end(timeout))

    async def disconnect(self, code=1000, timeout=CLOSE_TIMEOUT):
        """Leave with `code` (None: a browser's bare close()). Then the consumer must stop."""
        if not self.rules.client_left and not self.finished:
            await self.send_input(self._disconnect_event(code))
        await self.wait(timeout)

    async def leave(self):
        """Leave as a browser does when it opens another page, if still connected."""
        if self._receive_calls and not self.is_judged:
            await self.disconnect(1001)

    async def kill(self):
        self.require(await super().kill())

    async def crash(self):
        self.require(await super().crash())

    async def receive_output(self, timeout=1):
        """The next message from the consumer."""
        self.require(await self.wait_for_output(timeout))
        if not self.arrivals:
            self.require(fault_of_failed_task(self) or self.finding(silence(self)))
        return self.arrivals.pop(0)[1]

    @property
    def unread(self) -> list[dict]:
        """All messages from the consumer that no check has read."""
        return [message for _, message, _ in self.arrivals]

    def take_unread(self) -> list[dict]:
        """The same. They are read then."""
        unread, self.arrivals = self.unread, []
        return unread


class StrictCommunicator(StrictClient, WebSocketClient):
    """A browser's WebSocket, with the methods of WebsocketCommunicator."""

    send_json_to = WebsocketCommunicator.send_json_to
    receive_from = WebsocketCommunicator.receive_from
    receive_json_from = WebsocketCommunicator.receive_json_from

    async def connect(self, timeout=HANDSHAKE_TIMEOUT):
        """Start the handshake. Returns (True, subprotocol) or (False, close code)."""
        return await WebsocketCommunicator.connect(self, timeout)

    async def send_to(self, text_data=None, bytes_data=None):
        """Send one frame. The stock communicator refuses an empty one."""
        key, data = ("text", text_data) if bytes_data is None else ("bytes", bytes_data)
        assert text_data is None or bytes_data is None, "give only one of text_data and bytes_data"
        assert isinstance(data, str if key == "text" else bytes), f"{data!r} is not a frame"
        await self.send_input({"type": "websocket.receive", key: data})

    @property
    def close_code(self) -> int | None:
        """The code with which the consumer closed (1006: rejected), or None."""
        return self.rules.close_code


class StrictHttpCommunicator(StrictClient, HttpClient):
    """One HTTP request, with the methods of HttpCommunicator."""

    async def send_request(self):
        """Send the body, and wait until the consumer has handled it."""
        if not self.has_begun:
            self.begin()
            await self.settle()
