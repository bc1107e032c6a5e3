"""The simulated clients: what a browser does on its connection, and what the server does with it.

No method raises for a fault of the consumer. What judges the consumer returns a finding, or None.
"""

import asyncio
from contextlib import suppress
from copy import deepcopy
from urllib.parse import unquote, urlparse

from lessons.workshop.engine.faults import connection as faults
from lessons.workshop.engine.faults.finding import Finding
from lessons.workshop.engine.recording.events import Event
from lessons.workshop.engine.world.daphne_rules import CODE_DROPPED, HttpRules, WebSocketRules
from lessons.workshop.engine.world.database import without_connection_cleanup
from lessons.workshop.engine.world.server import FakeServer

CLOSE_TIMEOUT = 10  # seconds; Daphne's --application-close-timeout
CLIENT_PORT = 50_001  # of the first client
HANDSHAKE_TIMEOUT = 5  # seconds; Daphne's --websocket_handshake_timeout under runserver
BODY_PIECE_SIZE = 8192  # bytes; Daphne's request_buffer_size


class Client:
    """One connection of a client. It needs a SimulatedLoop."""

    def __init__(self, application, rules, path: str, headers, port: int, **scope):
        """`scope` is what the scopes of its protocol have, and of other protocols have not."""
        url = urlparse(path)
        self.scope = {
            "asgi": {"version": "3.0"},
            "path": unquote(url.path),
            "raw_path": path.partition("?")[0].encode(),
            "root_path": "",
            "query_string": url.query.encode(),
            "headers": headers or [],
            "client": ["127.0.0.1", port],
            "server": ["127.0.0.1", 8000],
            **scope,
        }
        self.server = FakeServer(application, self.scope, rules)
        self.is_judged = False  # a fault was found, or it was killed: no further claim holds
        self._scope_before = deepcopy(self.scope)
        self._is_kill_unjudged = False  # the application was cancelled, and has not ended yet

    # What it has seen

    @property
    def future(self) -> asyncio.Task:
        """The task that runs the application. The first access starts it."""
        return self.server.start()

    @property
    def transcript(self) -> tuple[Event, ...]:
        """All events so far."""
        return self.server.transcript

    @property
    def unread(self) -> list[dict]:
        """The messages from the consumer that no check has read."""
        return self.server.unread

    @property
    def has_begun(self) -> bool:
        """Whether the application was started."""
        return self.server.task is not None

    @property
    def finished(self) -> bool:
        """Whether the application has returned."""
        return self.future.done()

    @property
    def is_busy(self) -> bool:
        """Whether a handler runs: until it returns, no other event reaches the consumer."""
        return self.server.is_busy()

    @property
    def awaits_answer(self) -> bool:
        """Whether a handler is still at work on the handshake."""
        return self.is_busy and self.server.rules.awaits_answer

    @property
    def error(self) -> BaseException | None:
        """The exception with which the application ended."""
        has_result = self.has_begun and self.finished and not self.future.cancelled()
        return self.future.exception() if has_result else None

    @property
    def scope_changes(self) -> list[str]:
        """The keys of the server's scope that the application has changed, added or removed."""
        before, now, missing = self._scope_before, self.scope, object()
        return sorted(
            str(key)
            for key in {*before, *now}
            if not _is_same(before.get(key, missing), now.get(key, missing))
        )

    # What it does, without a wait for the consumer

    def deliver(self, message: dict) -> None:
        """Put an event into the consumer's queue, unless the connection has ended."""
        if self.has_begun and not self.server.client_left and not self.finished:
            self.server.deliver_after_handshake(message)

    def begin_disconnect(self, code: int | None = None) -> None:
        """Deliver the disconnect event, unless the connection has ended."""
        self.deliver(self._disconnect_event(code))

    def _disconnect_event(self, code: int | None) -> dict:
        return {"type": self.server.rules.disconnect_type}

    # What the server does

    async def kill(self) -> Finding | None:
        """Cancel the application, as Daphne does on SIGTERM and 10 s after a disconnect.

        Returns what the consumer leaves behind.
        """
        application = self.future  # the first access starts the application
        await self.wait_until_idle()
        application.cancel()
        await self.wait_until_idle()
        if not application.done() and asyncio.get_running_loop().parked_threads:
            # Its clean-up waits for a thread that goes on when this step has been taken.
            self._is_kill_unjudged = True
            return None
        return await self._fault_after_kill()

    async def _fault_after_kill(self) -> Finding | None:
        self._is_kill_unjudged = False
        await asyncio.wait([self.future], timeout=CLOSE_TIMEOUT)
        await self.wait_until_idle()
        return self._fault_after_crash()

    async def crash(self) -> Finding | None:
        """Make a handler raise, as a bug would. Returns what the consumer leaves behind.

        The bug is an event that has no handler. A consumer that survives the bug goes on. One that
        ends and hides the bug must close the connection: Daphne closes it for an exception only.
        """
        bug = {"type": "bug.in.a.handler"}
        self.server.deliver(bug)
        await self.wait_until_idle()
        if self.is_busy:  # its clean-up may take a while
            await asyncio.wait([self.future], timeout=CLOSE_TIMEOUT)
            await self.wait_until_idle()
        if not self.finished:
            return None
        is_hidden = not self.future.cancelled() and self.error is None
        if is_hidden and self.server.rules.fault_of_stopped():
            return self.server.observe().finding("exception-hidden")
        return self._fault_after_crash(f"No handler for message type {bug['type']}")

    def _fault_after_crash(self, cause: str = "") -> Finding | None:
        self.server.rules.disconnect()
        self.is_judged = True  # there was no disconnect event
        return faults.fault_after_crash(self.server.observe_all(), cause)

    async def cancel_application(self) -> None:
        """End the application, whatever its state is, and leave no task behind."""
        if self.has_begun and not self.finished:
            self.future.cancel()
            await asyncio.wait([self.future], timeout=CLOSE_TIMEOUT)
            # A clean-up may wait for a task that never ends. The second cancel interrupts it.
            self.future.cancel()
            await asyncio.wait([self.future])
        self.server.drop_uncancelled_tasks()
        _ = self.error  # otherwise asyncio logs that no code has read it

    # Faults

    async def fault_now(self) -> Finding | None:
        """A fault that shows while the loop is idle.

        If the consumer closed, it must handle the disconnect first.
        """
        if self._is_kill_unjudged:
            return await self._fault_after_kill()
        closing_type = self.server.last_type
        seen = self.server.observe()
        fault = faults.fault_of_replies(seen)
        if fault and fault.diagnosis != CODE_DROPPED:
            return fault
        # Daphne obeys a rejection without its code: the disconnect follows.
        if not await self._let_disconnect() or fault:
            return fault or faults.fault_now(seen)
        if fault := faults.fault_now(self.server.observe()):
            return fault
        # The handler that closed is responsible for all that a check finds after this.
        self.server.last_type = closing_type
        return faults.fault_now(self.server.observe())

    async def _let_disconnect(self) -> bool:
        """If the consumer closed and still runs, deliver the disconnect. Whether that was so."""
        disconnect = self.server.rules.disconnect_event
        if not disconnect or self.server.client_left or self.finished:
            return False
        self.server.deliver(disconnect)
        await self.wait_until_idle()
        return True

    async def fault_of_end(self, timeout: float = CLOSE_TIMEOUT) -> Finding | None:
        """What is wrong with how the consumer ends, within `timeout` seconds of the loop's clock.

        The loop is idle, and fault_now() is None.
        """
        if not self.finished:
            await asyncio.wait([self.future], timeout=timeout)
            await self.wait_until_idle()
            if fault := await self.fault_now():
                return fault
        return faults.fault_of_end(self.server.observe_all())

    async def wait_for_output(self, timeout: float) -> Finding | None:
        """Wait until the consumer has sent something, for `timeout` seconds of the loop's clock.

        Returns a fault that shows until then.
        """
        _ = self.future
        await self.wait_until_idle()
        fault = await self.fault_now()
        if fault or self.unread:
            return fault
        self.server.output_arrived.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout):
                await self.server.output_arrived.wait()
        await self.wait_until_idle()
        return await self.fault_now()

    async def wait_until_idle(self) -> None:
        """Let the consumer run until the loop is idle, and judge nothing."""
        with without_connection_cleanup():
            await asyncio.get_running_loop().wait_until_idle()


class WebSocketClient(Client):
    """A browser's WebSocket."""

    def __init__(self, application, path, headers=None, subprotocols=None, port=CLIENT_PORT):
        own = {"type": "websocket", "subprotocols": subprotocols or []}
        rules = WebSocketRules(subprotocols or ())
        super().__init__(application, rules, path, headers, port, **own)

    def begin(self) -> None:
        """Start the application, and deliver the connect event."""
        _ = self.future
        self.deliver({"type": "websocket.connect"})

    def _disconnect_event(self, code):
        return {**super()._disconnect_event(code), "code": code}


class HttpClient(Client):
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
        own = {"type": "http", "method": method.upper(), "scheme": "http", "http_version": "1.1"}
        super().__init__(application, HttpRules(), path, headers, port, **own)
        self.pieces = _pieces_of(body) if isinstance(body, bytes) else body
        self._is_whole = is_whole
        self._leaves_out = leaves_out

    def begin(self) -> None:
        """Deliver the body. As with Daphne, all its pieces arrive before the first is handled."""
        _ = self.future
        for number, piece in enumerate(self.pieces, start=1):
            self._deliver_piece(piece, number < len(self.pieces) or not self._is_whole)

    def deliver_piece(self, piece: bytes, more: bool) -> None:
        """Deliver one more piece of the body, unless the body or the connection has ended."""
        if not self._is_whole:
            self._is_whole = not more
            self._deliver_piece(piece, more)

    def _deliver_piece(self, piece: bytes, more: bool) -> None:
        keys = {"body": piece, "more_body": more}
        kept = {key: value for key, value in keys.items() if value or not self._leaves_out}
        self.deliver({"type": "http.request", **kept})


def _is_same(before, now) -> bool:
    return type(before) is type(now) and before == now


def _pieces_of(body: bytes) -> list[bytes]:
    """The pieces of a body. The last one is shorter than the others, even if it is empty."""
    size = BODY_PIECE_SIZE
    return [body[first : first + size] for first in range(0, len(body) + 1, size)]
