"""Test clients with the methods of the stock communicators, under Daphne's rules and without waits.

The stock communicators accept what Daphne does not, and wait 0.1 to 1 s to see that a consumer
sends nothing. StrictCommunicator (WebSocket) and StrictHttpCommunicator run the consumer behind a
FakeServer on a SimulatedLoop instead. Each method returns as soon as the loop is idle.
"""

import asyncio
from contextlib import suppress
from copy import deepcopy

from channels.testing import HttpCommunicator, WebsocketCommunicator

from lessons.workshop.engine.faults.finding import CheckFailed
from lessons.workshop.engine.recording.events import Event, error_text
from lessons.workshop.engine.recording.transcript import first_difference, render_difference
from lessons.workshop.engine.world.daphne_rules import CODE_DROPPED, HttpRules, WebSocketRules
from lessons.workshop.engine.world.database import without_connection_cleanup
from lessons.workshop.engine.world.loop import SimulatedLoop
from lessons.workshop.engine.world.server import FakeServer

CLOSE_TIMEOUT = 10  # seconds; Daphne's --application-close-timeout
CLIENT_PORT = 50_001  # of the first client
HANDSHAKE_TIMEOUT = 5  # seconds; Daphne's --websocket_handshake_timeout under runserver
RESPONSE_TIMEOUT = 60  # seconds of the loop's clock until a client gives up on a response
BODY_PIECE_SIZE = 8192  # bytes; Daphne's request_buffer_size


class StrictClient:
    """What both communicators share. Each method returns once the consumer is idle.

    A method raises CheckFailed for what Daphne rejects or drops, and for a missing reply. It needs
    a SimulatedLoop. As a context manager it lets the client leave at the end, and judges how the
    consumer stops. It is mixed into a communicator, which defines leave().
    """

    server: FakeServer
    _scope_before: dict  # a copy of `scope` as the server made it
    _is_kill_unjudged = False  # whether the application was cancelled, and has not ended yet

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
        """Events that the consumer has not taken yet, as in the stock communicator."""
        return self.server.inbox

    @property
    def transcript(self) -> tuple[Event, ...]:
        """All events so far."""
        return self.server.transcript

    @property
    def unread(self) -> list[dict]:
        """The messages from the consumer that no check has read."""
        return self.server.unread

    @property
    def finished(self) -> bool:
        """Whether the application has returned."""
        return self.future.done()

    @property
    def raised(self) -> str:
        """The exception with which the application ended, as text; empty if it raised none."""
        if not self.has_begun or not self.future.done() or self.future.cancelled():
            return ""
        error = self.future.exception()
        return "" if error is None else error_text(error)

    @property
    def raised_kinds(self) -> list[str]:
        """The names of that exception's class and of the classes that it inherits from."""
        if not self.raised:
            return []
        return [kind.__name__ for kind in type(self.future.exception()).__mro__]

    @property
    def scope_changes(self) -> list[str]:
        """The keys of the server's scope that the application has changed, added or removed."""
        before, now = self._scope_before, self.scope
        return sorted(
            str(key)
            for key in {*before, *now}
            if key not in before or key not in now or not _is_same(before[key], now[key])
        )

    @property
    def is_busy(self) -> bool:
        """Whether a handler runs: until it returns, no other event reaches the consumer."""
        return self.server.is_busy(self.future)

    @property
    def has_begun(self) -> bool:
        """Whether the application was started."""
        return self._future is not None

    @property
    def awaits_answer(self) -> bool:
        """Whether a handler is still at work on the handshake."""
        return self.is_busy and self.server.rules.awaits_answer

    # What a client does, without a wait for the consumer

    def deliver(self, message):
        """Put an event into the consumer's queue, unless the connection has ended."""
        if self.has_begun and not self.server.client_left and not self.future.done():
            self.server.deliver_after_handshake(message)

    # What a client does

    async def send_input(self, message):
        """Send the consumer any event, and wait until the consumer has handled it."""
        if self.server.client_left or self.future.done():
            raise self.failure("closed-early", f"The client could not send {message} any more.")
        self.server.deliver(message)
        await self.settle()

    async def wait(self, timeout=CLOSE_TIMEOUT):
        """Wait until the application has ended, for `timeout` seconds of the loop's clock."""
        await self.settle()
        await asyncio.wait([self.future], timeout=timeout)
        await self.settle()
        rules = self.server.rules
        if not self.future.done():
            self.server.judge_uncancelled_tasks()
            raise self.failure(rules.late_handler if self.server.client_left else "still-open")
        self.server.judge_leftovers(rules.leftover_task)

    async def cancel_application(self):
        """End the application, whatever its state is, and leave no task behind."""
        if self._future is not None and not self._future.done():
            self._future.cancel()
            await asyncio.wait([self._future], timeout=CLOSE_TIMEOUT)
            # A clean-up may wait for a task that never ends. The second cancel interrupts it.
            self._future.cancel()
            await asyncio.wait([self._future])
        self.server.drop_uncancelled_tasks()
        if self._future is not None and not self._future.cancelled():
            self._future.exception()  # otherwise asyncio logs that no code has read it

    # What a server does

    async def kill(self):
        """Cancel the application, as Daphne does on SIGTERM and 10 s after a disconnect.

        Then judge what the consumer leaves behind.
        """
        application = self.future  # the first access starts the application
        await self._wait_until_idle()
        application.cancel()
        await self._wait_until_idle()
        if not application.done() and asyncio.get_running_loop().parked_threads:
            # Its clean-up waits for a thread that goes on when this step has been taken.
            self._is_kill_unjudged = True
            return
        await asyncio.wait([self.future], timeout=CLOSE_TIMEOUT)
        await self._wait_until_idle()
        self.server.judge_after_crash(self.future)

    async def crash(self):
        """Make a handler raise, as a bug would, and judge what the consumer leaves behind.

        The bug is an event that has no handler. A consumer that survives the bug goes on. One that
        ends and hides the bug must close the connection: Daphne closes it for an exception only.
        """
        bug = {"type": "bug.in.a.handler"}
        self.server.deliver(bug)
        await self._wait_until_idle()
        if self.is_busy:  # its clean-up may take a while
            await asyncio.wait([self.future], timeout=CLOSE_TIMEOUT)
            await self._wait_until_idle()
        if self.future.done():
            is_hidden = not self.future.cancelled() and self.future.exception() is None
            if is_hidden and self.server.rules.fault_of_stopped():
                raise self.failure("exception-hidden")
            cause = f"No handler for message type {bug['type']}"
            self.server.judge_after_crash(self.future, cause)

    # What a client sees

    async def receive_output(self, timeout=1):
        """The next message from the consumer."""
        await self.wait_for_output(timeout)
        if not self.unread:
            self.server.judge_failed_tasks()
            raise self.failure(self.server.silence_diagnosis(self.future))
        return self.unread.pop(0)

    async def receive_nothing(self, timeout=0.1, interval=0.01):
        """Whether the consumer sends nothing for `timeout` seconds of the loop's clock."""
        await self.wait_for_output(timeout)
        return not self.unread

    def expect(self, *events, otherwise=None):
        """Raise CheckFailed unless `events` are all that the consumer sent since the last read.

        `otherwise` is the diagnosis for a difference. But if a layer message has caused a fault
        since the last read, that fault is raised.
        """
        if not self.server.is_judged:
            self.server.judge(self.future)
        sent, self.server.unread = self.server.unread, []
        if first_difference(events, sent) is None:
            return
        if len(sent) < len(events):
            self.server.judge_failed_tasks()
        reason = "reply-differs" if sent else self.server.silence_diagnosis(self.future)
        raise self.failure(otherwise or reason, render_difference(events, sent))

    def failure(self, name: str, detail: str = "", event: str = "") -> CheckFailed:
        """The CheckFailed with diagnosis `name`, at the handler for `event` or the last handler."""
        if event:
            self.server.last_type = event
        return self.server.failure(name, detail=detail)

    # How it waits

    async def wait_for_output(self, timeout):
        """Wait until the consumer sends something, for `timeout` seconds of the loop's clock."""
        await self.settle()
        if not self.unread:
            self.server.output_arrived.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(timeout):
                    await self.server.output_arrived.wait()
            await self.settle()

    async def settle(self):
        """Wait until the loop is idle. If the consumer closed, let it disconnect. Judge it."""
        if not isinstance(asyncio.get_running_loop(), SimulatedLoop):
            raise RuntimeError("a strict communicator needs a SimulatedLoop")
        _ = self.future  # the first access starts the application
        await self._wait_until_idle()
        await self.judge()

    async def judge(self):
        """Judge the consumer while the loop is idle. If it closed, let it disconnect first."""
        application = self.future
        if self._is_kill_unjudged:
            self._is_kill_unjudged = False
            await asyncio.wait([application], timeout=CLOSE_TIMEOUT)
            await self._wait_until_idle()
            self.server.judge_after_crash(application)
            return
        closing_type = self.server.last_type
        try:
            self.server.judge_replies()
        except CheckFailed as failure:
            if failure.finding.diagnosis == CODE_DROPPED:
                await self._let_disconnect()  # the client was rejected, only without the code
            raise
        if await self._let_disconnect():
            self.server.judge(application)
            # The handler that closed is responsible for all that a check finds after this.
            self.server.last_type = closing_type
        self.server.judge(application)

    async def _let_disconnect(self) -> bool:
        """If the consumer closed and still runs, deliver the disconnect. Whether that was so."""
        disconnect = self.server.rules.disconnect_event
        if not disconnect or self.server.client_left or self.future.done():
            return False
        self.server.deliver(disconnect)
        await self._wait_until_idle()
        return True

    async def judge_end(self, timeout=CLOSE_TIMEOUT):
        """Judge how the consumer ends; the loop is idle, and judge() has found no fault."""
        if self.future.done():
            self.server.judge_leftovers(self.server.rules.leftover_task)
        else:
            await self.wait(timeout)

    async def _wait_until_idle(self):
        """Let the consumer run until the loop is idle, and judge nothing."""
        with without_connection_cleanup():
            await asyncio.get_running_loop().wait_until_idle()


def _add_connection(scope: dict, path: str, port: int) -> None:
    """Add to the scope what Daphne also says about a connection, and Channels' class leaves out."""
    scope.setdefault("asgi", {"version": "3.0"})
    scope |= {
        "raw_path": path.partition("?")[0].encode(),
        "root_path": "",
        "client": ["127.0.0.1", port],
        "server": ["127.0.0.1", 8000],
    }
    if scope["type"] == "http":
        scope |= {"scheme": "http", "http_version": "1.1"}


class StrictCommunicator(StrictClient, WebsocketCommunicator):
    """A browser's WebSocket, with the methods of WebsocketCommunicator."""

    def __init__(
        self,
        application,
        path,
        headers=None,
        subprotocols=None,
        spec_version=None,
        port=CLIENT_PORT,
    ):
        self.server = FakeServer(application, WebSocketRules(subprotocols or ()))
        super().__init__(self.server.serve, path, headers, subprotocols, spec_version)
        _add_connection(self.scope, path, port)
        self._scope_before = deepcopy(self.scope)

    @property
    def close_code(self) -> int | None:
        """The code with which the consumer closed (1006: rejected), or None."""
        return self.server.rules.close_code

    async def send_to(self, text_data=None, bytes_data=None):
        """Send one frame. An empty frame is a frame, too."""
        if (text_data is None) == (bytes_data is None):
            raise TypeError("give exactly one of text_data and bytes_data")
        key, data = ("text", text_data) if bytes_data is None else ("bytes", bytes_data)
        if not isinstance(data, str if key == "text" else bytes):
            raise TypeError(f"{key}_data is a {type(data).__name__}")
        await self.send_input({"type": "websocket.receive", key: data})

    def begin(self):
        """Start the application, and deliver the connect event."""
        _ = self.future
        self.deliver({"type": "websocket.connect"})

    def begin_disconnect(self, code):
        """Deliver the disconnect event, unless the connection has ended."""
        self.deliver({"type": "websocket.disconnect", "code": code})

    async def connect(self, timeout=HANDSHAKE_TIMEOUT):
        """Start the handshake. Returns (True, subprotocol) or (False, close code)."""
        return await super().connect(timeout)

    async def disconnect(self, code=1000, timeout=CLOSE_TIMEOUT):
        """Leave with `code` (None: a browser's bare close()). Then the consumer must stop."""
        if not self.server.client_left and not self.future.done():
            await self.send_input({"type": "websocket.disconnect", "code": code})
        await self.wait(timeout)

    async def leave(self):
        """Leave with 1001, as a browser does when it opens another page, if still connected."""
        if self.server.started and not self.server.is_judged:
            await self.disconnect(1001)

    async def receive_from(self, timeout=1):
        """Payload of the next frame, str or bytes."""
        message = await self.receive_output(timeout)
        if message["type"] != "websocket.send":
            raise self.failure("closed-early", f"Instead of a frame came {message}.")
        text = message.get("text")
        return message.get("bytes") if text is None else text


class StrictHttpCommunicator(StrictClient, HttpCommunicator):
    """One HTTP request with its body in pieces. The client reads the response, or leaves.

    `body` is cut into pieces as Daphne cuts it. A list is taken as the pieces. Without `is_whole`,
    deliver_piece() adds more of them. With `leaves_out`, events lack the keys that the ASGI spec
    allows a server to leave out: an empty body, and a more_body that is False.
    """

    def __init__(
        self,
        application,
        method,
        path,
        body=b"",
        headers=None,
        *,
        is_whole=True,
        leaves_out=False,
        port=CLIENT_PORT,
    ):
        pieces = _pieces_of(body) if isinstance(body, bytes) else body
        self.server = FakeServer(application, HttpRules())
        super().__init__(self.server.serve, method, path, b"".join(pieces), headers)
        self.pieces = pieces
        self._is_whole = is_whole
        self._leaves_out = leaves_out
        _add_connection(self.scope, path, port)
        self._scope_before = deepcopy(self.scope)

    def begin(self):
        """Deliver the body. As with Daphne, all its pieces arrive before the first is handled."""
        if not self.sent_request:
            self.sent_request = True
            _ = self.future
            for number, piece in enumerate(self.pieces, start=1):
                self._deliver_piece(piece, number < len(self.pieces) or not self._is_whole)

    def deliver_piece(self, piece: bytes, more: bool):
        """Deliver one more piece of the body, unless the body or the connection has ended."""
        if not self._is_whole:
            self._is_whole = not more
            self._deliver_piece(piece, more)

    def _deliver_piece(self, piece: bytes, more: bool):
        keys = {"body": piece, "more_body": more}
        kept = {key: value for key, value in keys.items() if value or not self._leaves_out}
        self.deliver({"type": "http.request", **kept})

    def begin_disconnect(self, code=None):
        """Deliver the disconnect event, unless the request has ended."""
        self.deliver({"type": self.server.rules.disconnect_type})

    async def send_request(self):
        """Send the body, and wait until the consumer has handled it."""
        if not self.sent_request:
            self.begin()
            await self.settle()

    async def send_input(self, message):
        """Send any event. After it, the body is not sent automatically."""
        self.sent_request = True
        await super().send_input(message)

    async def disconnect(self, timeout=CLOSE_TIMEOUT):
        """Close the connection. Then the consumer must stop."""
        if not self.server.client_left and not self.future.done():
            await self.send_input({"type": self.server.rules.disconnect_type})
        await self.wait(timeout)

    async def leave(self):
        """Close the connection if it is still open. Then the consumer must have stopped."""
        if self.server.started and not self.server.is_judged:
            await self.disconnect()

    async def get_response(self, timeout=RESPONSE_TIMEOUT):
        """The whole response: a dict with status, headers and body."""
        await self.send_request()
        start = await self.receive_output(timeout)
        response = {"status": start["status"], "headers": list(start.get("headers", []))}
        return {**response, "body": await self.read(timeout)}

    async def read(self, timeout=RESPONSE_TIMEOUT) -> bytes:
        """The rest of the body, up to its end."""
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
        """The part of the body that has arrived and was not read, without a wait for more."""
        await self.settle()
        messages, self.server.unread = self.server.unread, []
        return b"".join(message.get("body", b"") for message in messages)


def _is_same(before, now) -> bool:
    return type(before) is type(now) and before == now


def _pieces_of(body: bytes) -> list[bytes]:
    """The pieces of a body. The last one is shorter than the others, even if it is empty."""
    size = BODY_PIECE_SIZE
    return [body[first : first + size] for first in range(0, len(body) + 1, size)]
