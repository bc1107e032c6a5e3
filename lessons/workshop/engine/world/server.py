"""The fake server: it connects a client with the consumer, as Daphne does in production.

It does three things for one connection:

1. It **records**. It runs the application inside a RecordingMiddleware, so every event of the
   connection is in its transcript, with the handler that was running.
2. It **applies Daphne's rules** to each message that the consumer sends. `rules` is the state
   machine of the protocol (daphne_rules.py). If Daphne raises, so does the server, in the
   consumer's own call of send(). If Daphne drops the message silently, the server keeps that fault.
3. It **observes**. observe() says what is left when the loop is idle: whether the application has
   ended, whether a handler runs, which tasks and group memberships remain. faults/connection.py
   names the faults.

The server never asks the consumer anything. It knows that a handler has returned because Channels
calls receive() again only then.
"""

import asyncio
from contextvars import Context, ContextVar
from dataclasses import replace

from lessons.workshop.engine.faults.connection import Observation
from lessons.workshop.engine.faults.finding import Place, SubjectSource, running_place
from lessons.workshop.engine.recording.events import Event, exact_copy
from lessons.workshop.engine.recording.middleware import RecordingMiddleware
from lessons.workshop.engine.recording.recorder import Connection, Recorder, current_connection
from lessons.workshop.engine.world.channel_layer import current_layers
from lessons.workshop.engine.world.daphne_rules import BrokenRule, ignored_keys_text
from lessons.workshop.engine.world.interleaving import switch_point_after_send

# The server that runs the application. Every task that the application starts inherits it.
_current_server: ContextVar = ContextVar("current server", default=None)

# Tasks that cannot be cancelled. They are kept: when such a task is freed, Python raises
# GeneratorExit in its coroutine, and a loop with a bare except then spins for ever.
_abandoned_tasks: list[asyncio.Task] = []


class FakeServer:
    """Serves one connection by Daphne's rules.

    `rules` are those of the protocol: WebSocketRules or HttpRules. `unread` holds what the client
    has received and no check has read. `last_type` is the type of the event, from the client or
    the layer, whose handler is responsible for what comes next.
    """

    def __init__(self, application, scope: dict, rules):
        self.recorder = Recorder()
        self.recorder.listeners.append(self._on_event)
        self.rules = rules
        self.source = SubjectSource(application)
        self.inbox: asyncio.Queue = asyncio.Queue()
        self.unread: list[dict] = []
        self.arrivals: list[tuple[float, dict]] = []  # as `unread`, with the loop's times
        self.finds_lines = False  # whether it looks for the line that sends each message
        self.sent_from: list[Place | None] = []  # one for each item of `arrivals`
        self.sent_too_late: list[dict] = []  # after the consumer received the disconnect
        self.second_closes: list[Place] = []  # where it closed a closed connection: Daphne drops it
        self.sent_after_end: Place | None = None  # what sent when the application had returned
        self.output_arrived = asyncio.Event()
        self.last_type = ""
        self.task: asyncio.Task | None = None  # it runs the application
        self._application = RecordingMiddleware(application, self.recorder)
        self._scope = scope
        self._connection: Connection | None = None
        self._receive_calls = self._events_taken = 0
        self._client_type = ""  # of the last event from the client
        self._broken: list[BrokenRule] = []
        self._held: list[dict] = []  # events of a client that waits for the handshake's answer
        self._has_returned = False

    # Serving

    def start(self) -> asyncio.Task:
        """Run the application, in a context without what the check has set."""
        if self.task is None:
            self.task = Context().run(asyncio.create_task, self._serve())
        return self.task

    async def _serve(self):
        _current_server.set(self)
        try:
            await self._application(self._scope, self._receive, self._send)
        finally:
            self._has_returned = True

    def deliver(self, message: dict) -> None:
        """Put an event into the consumer's queue."""
        if message.get("type") == self.rules.disconnect_type:
            self.rules.disconnect()
        self.inbox.put_nowait(message)

    def deliver_after_handshake(self, message: dict) -> None:
        """As deliver(). But a client sends no frame before it was accepted: until then it waits."""
        is_frame = message.get("type") == "websocket.receive"
        if is_frame and self.rules.is_rejected:
            return
        if self._held or (is_frame and self.rules.awaits_answer):
            self._held.append(message)
        else:
            self.deliver(message)

    async def _receive(self):
        self._receive_calls += 1
        self._connection = current_connection.get()
        message = await self.inbox.get()
        self._events_taken += 1
        self._client_type = message.get("type", "")
        if not self._handles_layer_message():
            self.last_type = self._client_type
        return message

    async def _send(self, message):
        if self._has_returned:
            self.sent_after_end = self._place_of_sender()
        try:
            is_seen = self.rules.apply(message)
        except BrokenRule as broken:
            is_seen = broken.is_obeyed
            broken.place = self._place_of_sender()
            broken.remark = "\n".join(filter(None, (broken.remark, ignored_keys_text(message))))
            self._broken.append(broken)
            if broken.error:
                raise broken.error from None
            if not is_seen:
                return
        if self._held and not self.rules.awaits_answer:
            held, self._held = self._held, []
            for event in [] if self.rules.is_rejected else held:
                self.deliver(event)
        message = exact_copy(message)  # the client receives values, not objects
        if is_seen:
            self.unread.append(message)
            self.arrivals.append((asyncio.get_running_loop().time(), message))
            self.sent_from.append(running_place(self.source.file) if self.finds_lines else None)
            self.output_arrived.set()
        elif self.client_left and self._client_type == self.rules.disconnect_type:
            self.sent_too_late.append(message)
        elif message.get("type") == "websocket.close" and not self.client_left:
            self.second_closes.append(self._place_of_sender())
        await switch_point_after_send()

    def _place_of_sender(self) -> Place:
        return running_place(self.source.file) or self.place_of_handler()

    def _on_event(self, event: Event) -> None:
        """A handler starts on an event from the client or a message from the layer."""
        if event.direction == "in" and event.message.get("type") != "scope":
            self.last_type = str(event.message.get("type", ""))

    # State

    @property
    def transcript(self) -> tuple[Event, ...]:
        return tuple(self.recorder.events)

    @property
    def started(self) -> bool:
        """Whether the consumer has called receive()."""
        return self._receive_calls > 0

    @property
    def client_left(self) -> bool:
        return self.rules.client_left

    @property
    def connection_id(self) -> str:
        """The id in the recorded events. It is empty before the consumer has started."""
        return self._connection.id if self._connection else ""

    def is_busy(self) -> bool:
        """Whether a handler has started and not returned."""
        has_asked = self._receive_calls > self._events_taken and self.inbox.empty()
        waits_for_event = has_asked and not self._handles_layer_message()
        return self.task is not None and not self.task.done() and not waits_for_event

    def _handles_layer_message(self) -> bool:
        """Whether the handler of a channel layer message has started and not returned."""
        running = self._connection and self._connection.running
        return bool(running) and running.source == "layer"

    def place_of_wait(self) -> Place | None:
        """The line of the student's file at which the application waits, if a handler runs."""
        return self.source.place_of_wait(self.task) if self.is_busy() else None

    def place_of_handler(self) -> Place:
        """The line at which the last handler waits, or that defines it if it has returned."""
        return self.place_of_wait() or self.source.place_of_handler(self.last_type)

    def observe(self) -> Observation:
        """What it has seen so far, from which a fault gets its name."""
        has_ended = self.task is not None and self.task.done()
        return Observation(
            source=self.source,
            rules=self.rules,
            event=self.last_type,
            client_event=self._client_type,
            events=self.transcript,
            broken=tuple(self._broken),
            waits_at=self.place_of_wait(),
            is_busy=self.is_busy(),
            handles_layer_message=self._handles_layer_message(),
            has_ended=has_ended,
            error=self.task.exception() if has_ended and not self.task.cancelled() else None,
        )

    def observe_all(self) -> Observation:
        """The same with its tasks and groups: these take most of the time."""
        loop = asyncio.get_running_loop()
        tasks = loop.tasks_started_with(_current_server, self)
        left = [it for it in tasks if not it.done()]
        errors = [it.exception() for it in tasks if it.done() and not it.cancelled()]
        groups = [
            (layer.channel_of(self.connection_id), group)
            for layer in current_layers().values()
            for group in layer.groups_of(self.connection_id)
        ]
        return replace(
            self.observe(),
            tasks=tuple(it for it in left if it not in loop.parked_tasks),
            uncancelled=tuple(it for it in left if it.cancelling()),
            failed=tuple(filter(None, errors)),
            groups=tuple(groups),
        )

    def drop_uncancelled_tasks(self) -> None:
        """Let the loop end without the tasks that go on: it would wait for them for ever."""
        for task in self.observe_all().uncancelled:
            asyncio.tasks._unregister_task(task)  # asyncio's documentation allows this to loops
            _abandoned_tasks.append(task)
