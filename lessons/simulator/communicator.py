"""A WebsocketCommunicator that holds a consumer to Daphne's rules and waits for no clock."""

import asyncio

from channels.testing import HttpCommunicator, WebsocketCommunicator

from lessons.simulator.daphne_rules import DaphneRules, HttpRules
from lessons.simulator.database import without_connection_cleanup
from lessons.simulator.finding import CheckFailed
from lessons.simulator.loop import SimulatedLoop
from lessons.simulator.server import FakeServer
from lessons.wire.events import Event
from lessons.wire.transcript import first_difference, render_difference

# What the strict communicators share: Daphne's rules are kept, and no clock is waited for.

CLOSE_TIMEOUT = 10  # seconds; Daphne's --application-close-timeout


class StrictClient:
    """The stock communicators' methods, each of which returns once the consumer is at rest.

    What Daphne would refuse, drop or never see is raised as CheckFailed, with its diagnosis.
    Needs a SimulatedLoop. As a context manager it lets the client leave at the end and judges
    how the consumer stopped. Mixed into a communicator that has a `leave()`.
    """

    server: FakeServer

    async def __aenter__(self):
        return self

    async def __aexit__(self, kind, error, trace):
        try:
            if error is None:
                await self.leave()
        finally:
            await self.cancel_application()

    @property
    def input_queue(self):
        """Events that the consumer has yet to take, as in the stock communicator."""
        return self.server.inbox

    @property
    def transcript(self) -> tuple[Event, ...]:
        """All that crossed so far."""
        return self.server.transcript

    @property
    def unread(self) -> list[dict]:
        """What the consumer sent and nobody has looked at yet."""
        return self.server.unread

    @property
    def finished(self) -> bool:
        """Whether the application has returned."""
        return self.future.done()

    @property
    def is_busy(self) -> bool:
        """Whether a handler has begun and not returned: no other event reaches the consumer."""
        return self.server.is_busy(self.future)

    # What a client does

    async def send_input(self, message):
        """Hand the consumer an event, any event, and wait until it has dealt with it."""
        if self.server.client_left or self.future.done():
            raise self.failure("closed-early", f"The client could not send {message} any more.")
        self.server.deliver(message)
        await self._settle()

    async def wait(self, timeout=CLOSE_TIMEOUT):
        """Wait until the application has ended, for `timeout` seconds of the loop's clock."""
        await self._settle()
        await asyncio.wait([self.future], timeout=timeout)
        await self._settle()
        if not self.future.done():
            self.server.judge_stubborn_tasks()
            raise self.failure(
                self.server.rules.overdue if self.server.client_left else "still-open"
            )
        self.server.judge_what_is_left(self.server.rules.left_behind)

    async def cancel_application(self):
        """Leave no task behind, whatever state the consumer is in."""
        if self._future is not None and not self._future.done():
            self._future.cancel()
            await asyncio.wait([self._future], timeout=CLOSE_TIMEOUT)
            # A clean-up may wait for a task that never ends; the second time it is cut short.
            self._future.cancel()
            await asyncio.wait([self._future])
        self.server.drop_stubborn_tasks()
        if self._future is not None and not self._future.cancelled():
            self._future.exception()  # looked at, so that asyncio does not complain

    # What a server does

    async def kill(self):
        """Cancel the application, as Daphne does on SIGTERM and 10 s after a disconnect.

        What it then leaves behind is judged.
        """
        application = self.future  # asking for it starts it
        await self._rest()
        application.cancel()
        await asyncio.wait([self.future], timeout=CLOSE_TIMEOUT)
        await self._rest()
        self.server.judge_after_crash(self.future)

    async def crash(self):
        """Let a handler raise, as a bug in it would, and judge what the consumer leaves behind.

        The bug is an event that has no handler. A consumer that survives it goes on.
        """
        bug = {"type": "bug.in.a.handler"}
        self.server.deliver(bug)
        await self._rest()
        if self.future.done():
            cause = f"No handler for message type {bug['type']}"
            self.server.judge_after_crash(self.future, cause)

    # What a client sees

    async def receive_output(self, timeout=1):
        """The next event that the consumer sent."""
        await self._something_comes(timeout)
        if not self.unread:
            self.server.judge_dead_tasks()
            raise self.failure(self.server.reason_for_silence(self.future))
        return self.unread.pop(0)

    async def receive_nothing(self, timeout=0.1, interval=0.01):
        """Whether the consumer stays silent for `timeout` seconds of the loop's clock."""
        await self._something_comes(timeout)
        return not self.unread

    def expect(self, *events, otherwise=None):
        """All that the consumer sent since the last look equals `events`, or CheckFailed.

        `otherwise` is the id of the diagnosis that a difference gets. What the consumer has done
        wrong while another client was at work, over the layer, goes first.
        """
        if not self.server.is_judged:
            self.server.judge(self.future)
        sent, self.server.unread = self.server.unread, []
        if first_difference(events, sent) is None:
            return
        if len(sent) < len(events):
            self.server.judge_dead_tasks()
        reason = "reply-differs" if sent else self.server.reason_for_silence(self.future)
        raise self.failure(otherwise or reason, render_difference(events, sent))

    def failure(self, name: str, detail: str = "", event: str = "") -> CheckFailed:
        """The exception that says: diagnosis `name`, at the handler for `event` or the last one."""
        if event:
            self.server.last_type = event
        return self.server.failure(name, detail=detail)

    # How it waits

    async def _something_comes(self, timeout):
        await self._settle()
        if not self.unread:
            self.server.came.clear()
            try:
                async with asyncio.timeout(timeout):
                    await self.server.came.wait()
            except TimeoutError:
                pass
            await self._settle()

    async def _settle(self):
        """Wait until nothing moves, tell of an end that the server made, judge what is seen."""
        loop = asyncio.get_running_loop()
        if not isinstance(loop, SimulatedLoop):
            raise RuntimeError("a strict communicator needs lessons.simulator.loop.SimulatedLoop")
        application = self.future  # asking for it starts it
        await self._rest()
        self.server.judge_replies()
        farewell = self.server.rules.farewell
        if farewell and not self.server.client_left and not application.done():
            closing = self.server.last_type
            self.server.deliver(farewell)
            await self._rest()
            self.server.judge(application)
            # What a check finds wrong from here on, the handler that closed has done.
            self.server.last_type = closing
        self.server.judge(application)

    async def _rest(self):
        """Let the consumer go on until nothing moves, and judge nothing."""
        with without_connection_cleanup():
            await asyncio.get_running_loop().wait_until_idle()


HANDSHAKE_TIMEOUT = 5  # seconds; Daphne's --websocket_handshake_timeout under runserver


class StrictCommunicator(StrictClient, WebsocketCommunicator):
    """A browser's WebSocket: the methods of the stock communicator; it leaves with code 1001."""

    def __init__(self, application, path, headers=None, subprotocols=None, spec_version=None):
        self.server = FakeServer(application, DaphneRules(subprotocols or ()))
        super().__init__(self.server.serve, path, headers, subprotocols, spec_version)

    @property
    def closed(self) -> int | None:
        """The code that the consumer closed with (1006: refused); None while it has not."""
        return self.server.rules.close_code

    # What a client does

    async def send_to(self, text_data=None, bytes_data=None):
        """Send one frame; an empty one is a frame too."""
        if (text_data is None) == (bytes_data is None):
            raise TypeError("give exactly one of text_data and bytes_data")
        key, data = ("text", text_data) if bytes_data is None else ("bytes", bytes_data)
        if not isinstance(data, str if key == "text" else bytes):
            raise TypeError(f"{key}_data is a {type(data).__name__}")
        await self.send_input({"type": "websocket.receive", key: data})

    async def connect(self, timeout=HANDSHAKE_TIMEOUT):
        """Offer the handshake: (True, subprotocol) or (False, close code)."""
        return await super().connect(timeout)

    async def disconnect(self, code=1000, timeout=CLOSE_TIMEOUT):
        """Leave with `code` (None: a browser's bare close()); the consumer must then stop."""
        if not self.server.client_left and not self.future.done():
            await self.send_input({"type": "websocket.disconnect", "code": code})
        await self.wait(timeout)

    async def leave(self):
        """End as most clients do, by going to another page, if the connection still stands."""
        if self.server.started and not self.server.is_judged:
            await self.disconnect(1001)

    # What a client sees

    async def receive_from(self, timeout=1):
        """Payload of the next frame, str or bytes."""
        message = await self.receive_output(timeout)
        if message["type"] != "websocket.send":
            raise self.failure("closed-early", f"Instead of a frame came {message}.")
        text = message.get("text")
        return message.get("bytes") if text is None else text


# An HttpCommunicator that holds a consumer to Daphne's rules and waits for no clock.

PIECE = 8192  # bytes; Daphne's request_buffer_size
PATIENCE = 60  # seconds of the loop's clock that a client waits for the end of a response


class StrictHttpCommunicator(StrictClient, HttpCommunicator):
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
                self.server.deliver({"type": "http.request", "body": piece, "more_body": more})
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
        if self.server.started and not self.server.is_judged:
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
                raise self.failure("response-not-finished")
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
