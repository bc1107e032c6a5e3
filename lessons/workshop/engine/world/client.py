"""The simulated clients, and what Daphne does with the connection of each.

It does three things for one connection:

1. It **records**. It runs the application inside a RecordingMiddleware, so every event of the
   connection is in its transcript, with the handler that was running.
2. It **applies Daphne's rules** to each message that the consumer sends. `rules` is the state
   machine of the protocol (daphne_rules.py). If Daphne raises, it raises in the consumer's own
   call of send(). If Daphne drops the message silently, it keeps that fault.
3. It **observes** what is left when the loop is idle: whether the application has ended, whether a
   handler runs, which tasks and group memberships remain. faults/connection.py names the faults.

It never asks the consumer anything. It knows that a handler has returned because Channels calls
receive() again only then. No method raises for a fault of the consumer: what judges the consumer
returns a finding, or None.
"""

import asyncio
from contextlib import suppress
from contextvars import Context
from urllib.parse import unquote, urlparse

from ..faults import connection as faults
from ..faults.finding import Finding, Place, SubjectSource, make_finding
from ..recording.events import Event, exact_copy
from ..recording.middleware import RecordingMiddleware
from ..recording.recorder import Bug, Connection, Recorder, current_connection
from ..scheduling.loop import maybe_suspend, task_owner
from .channel_layer import current_layers
from .daphne_rules import (
    CODE_DROPPED,
    BrokenRule,
    HttpRules,
    WebSocketRules,
    ignored_keys_text,
    is_too_large,
)
from .interleaving import switch_point

CLOSE_TIMEOUT = 10  # seconds; Daphne's --application-close-timeout
CLIENT_PORT = 50_001  # of the first client
HOST = "127.0.0.1:8000"
HANDSHAKE_TIMEOUT = 5  # seconds; Daphne's --websocket_handshake_timeout under runserver
BUGS = ValueError, ValueError, OSError  # of crashes, for clients one after another
BODY_PIECE_SIZE = 8192  # bytes; Daphne's request_buffer_size

# Tasks that cannot be cancelled. They are kept: when such a task is freed, Python raises
# GeneratorExit in its coroutine, and a loop with a bare except then spins for ever.
_abandoned_tasks: list[asyncio.Task] = []


class Client:
    """One connection of a client, served by Daphne's rules. It needs a SimulatedLoop.

    `rules` are those of the protocol: WebSocketRules or HttpRules; replies have `broken` some.
    `last_type` is the type of the event, from the client or the layer, whose handler is responsible
    for what comes next; `last_client_type` is that of the last event from the client.
    """

    def __init__(self, application, rules, path: str, headers, port: int, **scope):
        """`scope` is what the scopes of its protocol have, and of other protocols have not."""
        url = urlparse(path)
        headers = list(headers or ())
        if "host" not in (name.decode().lower() for name, _ in headers):
            headers.insert(0, (b"host", HOST.encode()))
        self.scope = {
            "asgi": {"version": "3.0"},
            "path": unquote(url.path),
            "raw_path": path.partition("?")[0].encode(),
            "root_path": "",
            "query_string": url.query.encode(),
            "headers": headers,
            "client": ["127.0.0.1", port],
            "server": ["127.0.0.1", 8000],
            **scope,
        }
        self._scope_before = exact_copy(self.scope)
        self.recorder = Recorder()
        self.recorder.listeners.append(self._on_event)
        self.rules = rules
        self.source = SubjectSource(application)
        self.inbox: asyncio.Queue = asyncio.Queue()
        # What the client has received and no check has read: the loop's time, the message, and the
        # line that sent it if `finds_lines`.
        self.arrivals: list[tuple[float, dict, Place | None]] = []
        self.finds_lines = False
        self.bug = ValueError  # of a crash
        self.sent_too_late: list[dict] = []  # after the consumer received the disconnect
        self.second_closes: list[Place] = []  # where it closed a closed connection: Daphne drops it
        self.sent_after_end: Place | None = None  # what sent when the application had returned
        self.last_type = ""
        self.is_judged = False  # a fault was found, or it was killed: no further claim holds
        self._is_kill_unjudged = False  # the application was cancelled, and has not ended yet
        self._output_arrived = asyncio.Event()
        self._task: asyncio.Task | None = None  # it runs the application
        self._application = RecordingMiddleware(application, self.recorder)
        self._connection: Connection | None = None
        self._receive_calls = self._events_taken = 0
        self.last_client_type = ""
        self.broken: list[BrokenRule] = []
        self.answers_after = 0.0  # seconds until the client answers a close of the consumer
        self._is_answering = False
        self._held: list[dict] = []  # events of a client that waits for the handshake's answer

    # Serving

    @property
    def future(self) -> asyncio.Task:
        """The task that runs the application. The first access starts it.

        Its context is without what the check has set.
        """
        if self._task is None:
            self._task = Context().run(asyncio.create_task, self._serve())
        return self._task

    async def _serve(self):
        task_owner.set(self)
        await self._application(self.scope, self._receive, self._send)

    def put(self, message: dict) -> None:
        """Put an event into the consumer's queue. Daphne cuts the connection at a large frame."""
        if message.get("type") == "websocket.receive" and is_too_large(message):
            message = self._disconnect_event(1006)
        if message.get("type") == self.rules.disconnect_type:
            self.rules.disconnect()
        self.inbox.put_nowait(message)

    def deliver(self, message: dict) -> None:
        """As put(), unless the connection has ended.

        A client sends no frame before it was accepted: until then the frame waits.
        """
        if not self.has_begun or self.rules.client_left or self.finished:
            return
        is_frame = message.get("type") == "websocket.receive"
        if is_frame and self.rules.is_rejected:
            return
        if self._held or (is_frame and self.rules.awaits_answer):
            self._held.append(message)
        else:
            self.put(message)

    def begin_disconnect(self, code: int | None = None) -> None:
        """Deliver the disconnect event, unless the connection has ended.

        A client that leaves during the handshake can only cut the line: it sends no code.
        """
        is_early = self.rules.awaits_answer and not self._held
        self.deliver(self._disconnect_event(1006 if is_early else code))

    def _disconnect_event(self, code: int | None) -> dict:
        return {"type": self.rules.disconnect_type}

    async def _receive(self):
        self._receive_calls += 1
        self._connection = current_connection.get()
        message = await self.inbox.get()
        self._events_taken += 1
        self.last_client_type = message.get("type", "")
        if not self.handles_layer_message:
            self.last_type = self.last_client_type
        return message

    async def _send(self, message):
        if self.finished:
            self.sent_after_end = self._place_of_sender()
        try:
            is_seen = self.rules.apply(message)
        except BrokenRule as broken:
            is_seen = broken.is_obeyed
            broken.place = self._place_of_sender()
            broken.remark = "\n".join(filter(None, (broken.remark, ignored_keys_text(message))))
            self.broken.append(broken)
            if broken.error:
                raise broken.error from None
            if not is_seen:
                return
        if self._held and not self.rules.awaits_answer:
            held, self._held = self._held, []
            for event in [] if self.rules.is_rejected else held:
                self.put(event)
        message = exact_copy(message)  # the client receives values, not objects
        if is_seen:
            place = self.source.running_place() if self.finds_lines else None
            self.arrivals.append((asyncio.get_running_loop().time(), message, place))
            self._output_arrived.set()
        elif self.rules.client_left and self.last_client_type == self.rules.disconnect_type:
            self.sent_too_late.append(message)
        elif message.get("type") == "websocket.close" and not self.rules.client_left:
            self.second_closes.append(self._place_of_sender())
        await switch_point()
        await maybe_suspend()  # ASGI allows send() to do so

    def permit_obeyed(self) -> None:
        """Do not report the replies so far that Daphne obeys in part."""
        self.broken = [rule for rule in self.broken if not rule.is_obeyed]

    def _place_of_sender(self) -> Place:
        place = self.source.running_place()
        return place or self.source.place_of_origin(asyncio.current_task()) or self.place

    def _on_event(self, event: Event) -> None:
        """A handler starts on an event from the client or a message from the layer."""
        if event.direction == "in" and event.message.get("type") != "scope":
            self.last_type = str(event.message.get("type", ""))

    # State

    @property
    def transcript(self) -> tuple[Event, ...]:
        return tuple(self.recorder.events)

    @property
    def has_begun(self) -> bool:
        return self._task is not None

    @property
    def finished(self) -> bool:
        """Whether the application has returned. It is started if it was not."""
        return self.future.done()

    @property
    def has_ended(self) -> bool:
        return self.has_begun and self.finished

    @property
    def connection_id(self) -> str:
        """The id in the recorded events. It is empty before the consumer has started."""
        return self._connection.id if self._connection else ""

    @property
    def is_busy(self) -> bool:
        """Whether a handler runs: until it returns, no other event reaches the consumer."""
        has_asked = self._receive_calls > self._events_taken and self.inbox.empty()
        waits_for_event = has_asked and not self.handles_layer_message
        return self.has_begun and not self.finished and not waits_for_event

    @property
    def awaits_answer(self) -> bool:
        """Whether a handler is still at work on the handshake."""
        return self.is_busy and self.rules.awaits_answer

    @property
    def error(self) -> BaseException | None:
        """The exception with which the application ended."""
        has_result = self.has_ended and not self.future.cancelled()
        return self.future.exception() if has_result else None

    @property
    def scope_changes(self) -> list[str]:
        """The keys of the server's scope that the application has changed, added or removed."""
        before, now, missing = self._scope_before, self.scope, object()
        if before == now:
            return []
        changed = (it for it in {*before, *now} if before.get(it, missing) != now.get(it, missing))
        return sorted(map(str, changed))

    def place_of_wait(self) -> Place | None:
        """The line of the student's file at which the application waits, if a handler runs."""
        return self.source.place_of_wait(self.future) if self.is_busy else None

    @property
    def handles_layer_message(self) -> bool:
        """Whether the handler of a channel layer message has started and not returned."""
        running = self._connection and self._connection.running
        return bool(running) and running.source == "layer"

    @property
    def place(self) -> Place:
        """The line at which the last handler waits, or that defines it if it has returned."""
        return self.place_of_wait() or self.source.place_of_handler(self.last_type)

    def finding(self, code: str, place: Place | None = None, detail: str = "", **more) -> Finding:
        """By default at the last handler and its event."""
        more = {"event": self.last_type, **more}
        return make_finding(code, place or self.place, detail=detail, **more)

    def _all_tasks(self) -> list[asyncio.Task]:
        return asyncio.get_running_loop().tasks_of(self)

    @property
    def tasks(self) -> list[asyncio.Task]:
        """The tasks that its application has started, and that run."""
        return [task for task in self._all_tasks() if not task.done()]

    @property
    def uncancelled(self) -> list[asyncio.Task]:
        """The tasks that were cancelled and go on."""
        return [task for task in self.tasks if task.cancelling()]

    @property
    def failed(self) -> list[BaseException]:
        """The exceptions of the tasks that have ended."""
        ended = (it for it in self._all_tasks() if it.done() and not it.cancelled())
        return [error for task in ended if (error := task.exception())]

    def unseen_errors(self) -> list[BaseException]:
        """The exceptions of its tasks that no code has read so far. This reads them."""
        tasks = asyncio.get_running_loop().tasks()
        if not any(task.done() and task._log_traceback for task in tasks):
            return []  # nearly always, and quicker than a look at each task's context
        others = (it for it in self._all_tasks() if it is not self.future)
        failed = [it for it in others if it.done() and it._log_traceback]
        return [it.exception() for it in failed if not it.cancelled()]

    def groups(self) -> list[tuple[str, str]]:
        """The (channel, group) pairs of its consumer, on all layers."""
        return [
            (channel, group)
            for layer in current_layers().values()
            for group, members in layer.groups.items()
            if (channel := layer.channel_of(self.connection_id)) in members
        ]

    # Ends

    async def kill(self) -> Finding | None:
        """Cancel the application, as Daphne does on SIGTERM and 10 s after a disconnect.

        Returns what the consumer leaves behind.
        """
        application = self.future  # the first access starts the application
        await self.wait_until_idle()
        application.cancel()
        await self.wait_until_idle()
        loop = asyncio.get_running_loop()
        goes_on = self.tasks or not application.done()
        if goes_on and (loop.parked_tasks or loop.thread_scheduler.parks_thread):
            # Its clean-up, or a task, is parked until this step has been taken.
            self._is_kill_unjudged = True
            return None
        return await self._fault_after_kill()

    async def _fault_after_kill(self) -> Finding | None:
        self._is_kill_unjudged = False
        await self._wait_for_end()
        return self._fault_after_crash()

    async def crash(self) -> Finding | None:
        """Make a handler raise, as a bug would. Returns what the consumer leaves behind.

        A consumer that survives the bug goes on. One that ends and hides the bug must close the
        connection: Daphne closes it for an exception only.
        """
        # Channels raises ValueError for an unknown event. A handler may raise anything.
        bug = Bug(self.bug)
        self.put(bug)
        await self.wait_until_idle()
        if self.is_busy:  # its clean-up may take a while
            await self._wait_for_end()
        if not self.finished:
            return None
        is_hidden = not self.future.cancelled() and self.error is None
        if is_hidden and self.rules.fault_of_stopped():
            return self.finding("exception-hidden", self.source.place_of_handler("__call__"))
        return self._fault_after_crash(str(bug.error))

    def _fault_after_crash(self, cause: str = "") -> Finding | None:
        self.rules.disconnect()
        self.is_judged = True  # there was no disconnect event
        return faults.fault_after_crash(self, cause)

    async def cancel_application(self) -> None:
        """End the application, whatever its state is, and leave no task behind."""
        if self.has_begun and not self.finished:
            self.future.cancel()
            await asyncio.wait([self.future], timeout=CLOSE_TIMEOUT)
            # A clean-up may wait for a task that never ends. The second cancel interrupts it.
            self.future.cancel()
            await asyncio.wait([self.future])
        # The loop would wait for ever for tasks that cannot be cancelled.
        for task in self.uncancelled:
            asyncio.tasks._unregister_task(task)  # asyncio's documentation allows this to loops
            _abandoned_tasks.append(task)
        _ = self.error, self.failed  # otherwise asyncio logs that no code has read them

    # Faults

    async def fault_now(self) -> Finding | None:
        """A fault that shows while the loop is idle.

        If the consumer closed, it must handle the disconnect first.
        """
        if self._is_kill_unjudged:
            return await self._fault_after_kill()
        closing_type = self.last_type
        fault = faults.fault_of_replies(self)
        if fault and fault.diagnosis != CODE_DROPPED:
            return fault
        # Daphne obeys a rejection without its code: the disconnect follows.
        if not await self._let_disconnect() or fault:
            return fault or faults.fault_now(self)
        if fault := faults.fault_now(self):
            return fault
        # The handler that closed is responsible for all that a check finds after this.
        self.last_type = closing_type
        return None

    async def _let_disconnect(self) -> bool:
        """If the consumer closed and still runs, deliver the disconnect. Whether that was so."""
        disconnect = self.rules.disconnect_event
        if not disconnect or self.rules.client_left or self.finished:
            return False
        if self.answers_after and not self.rules.is_rejected:
            if not self._is_answering:
                self._is_answering = True
                asyncio.get_running_loop().call_later(self.answers_after, self.deliver, disconnect)
            return False
        self.put(disconnect)
        await self.wait_until_idle()
        return True

    async def fault_of_end(self, timeout: float = CLOSE_TIMEOUT) -> Finding | None:
        """What is wrong with how the consumer ends, within `timeout` seconds of the loop's clock.

        The loop is idle, and fault_now() is None.
        """
        if not self.finished:
            await self._wait_for_end(timeout)
            if fault := await self.fault_now():
                return fault
        return faults.fault_of_end(self)

    async def wait_for_output(self, timeout: float) -> Finding | None:
        """Wait until the consumer has sent something, for `timeout` seconds of the loop's clock.

        Returns a fault that shows until then.
        """
        _ = self.future
        await self.wait_until_idle()
        fault = await self.fault_now()
        if fault or self.arrivals:
            return fault
        self._output_arrived.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout):
                await self._output_arrived.wait()
        await self.wait_until_idle()
        return await self.fault_now()

    async def wait_for_answer(self) -> Finding | None:
        """Wait for the answer to the handshake. Without one, Daphne cuts the connection after 5 s.

        Returns a fault that shows until then.
        """
        fault = await self.wait_for_output(HANDSHAKE_TIMEOUT)
        if fault or not self.rules.awaits_answer:
            return fault
        self.put(self._disconnect_event(1006))
        await self.wait_until_idle()
        return await self.fault_now()

    async def _wait_for_end(self, timeout: float = CLOSE_TIMEOUT) -> None:
        await asyncio.wait([self.future], timeout=timeout)
        await self.wait_until_idle()

    async def wait_until_idle(self) -> None:
        """Let the consumer run until the loop is idle, and judge nothing."""
        await asyncio.get_running_loop().wait_until_idle()


class WebSocketClient(Client):
    """A browser's WebSocket."""

    def __init__(self, application, path, headers=None, subprotocols=None, port=CLIENT_PORT, **own):
        """`own` is what the scope has, too."""
        own = {"type": "websocket", "subprotocols": subprotocols or [], **own}
        rules = WebSocketRules(subprotocols or ())
        super().__init__(application, rules, path, headers, port, **own)

    def begin(self) -> None:
        _ = self.future
        self.deliver({"type": "websocket.connect"})

    def _disconnect_event(self, code):
        return {**super()._disconnect_event(code), "code": code}


class HttpClient(Client):
    """One HTTP request with its body in pieces. The client reads the response, or leaves.

    `body` is cut into pieces as Daphne cuts it. A list is taken as the pieces. If they are
    `unfinished`, deliver_piece() adds more. With `leaves_out`, events lack the keys that the ASGI
    spec allows a server to leave out: an empty body, and a more_body that is False.
    """

    unfinished = leaves_out = False

    def __init__(self, application, method, path, body=b"", headers=None, port=CLIENT_PORT):
        headers = headers or [(b"accept", b"*/*")]  # as curl sends it
        own = {"type": "http", "method": method.upper(), "scheme": "http", "http_version": "1.1"}
        super().__init__(application, HttpRules(), path, headers, port, **own)
        self.pieces = _pieces_of(body) if isinstance(body, bytes) else body

    def begin(self) -> None:
        """Deliver the body. As with Daphne, all its pieces arrive before the first is handled."""
        _ = self.future
        for number, piece in enumerate(self.pieces, start=1):
            self._deliver_piece(piece, number < len(self.pieces) or self.unfinished)

    def deliver_piece(self, piece: bytes, more: bool) -> None:
        """Deliver one more piece of the body, unless the body or the connection has ended."""
        if self.unfinished:
            self.unfinished = more
            self._deliver_piece(piece, more)

    def _deliver_piece(self, piece: bytes, more: bool) -> None:
        keys = {"body": piece, "more_body": more}
        kept = {key: value for key, value in keys.items() if value or not self.leaves_out}
        self.deliver({"type": "http.request", **kept})


def _pieces_of(body: bytes) -> list[bytes]:
    """The pieces of a body. The last one is shorter than the others, even if it is empty."""
    size = BODY_PIECE_SIZE
    return [body[first : first + size] for first in range(0, len(body) + 1, size)]
