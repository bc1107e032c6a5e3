"""The workshop's side of a process that serves a student's code: relays, watches, ends it.

Code that blocks, sends without end, exits or grows ends its own process only. The finding says why.
"""

import asyncio
import itertools
import signal
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial

from lessons.workshop.course.diagnoses import diagnose
from lessons.workshop.engine.faults.finding import Finding, Place, make_finding
from lessons.workshop.engine.process.child_process import (
    clean_start_method,
    end_child,
    start_child,
)
from lessons.workshop.engine.process.data import read_dataclass
from lessons.workshop.engine.recording.events import Event
from lessons.workshop.page.exercise_server import child
from lessons.workshop.page.exercise_server.child import ServedTarget
from lessons.workshop.page.exercise_server.database_copy import find_login
from lessons.workshop.page.exercise_server.messages import read_message, write_message
from lessons.workshop.page.live.client_identity import LOST_CONNECTION
from lessons.workshop.page.live.event_forwarder import EventForwarder
from lessons.workshop.page.live.page_socket import session_key_of

TICK = 0.25  # seconds between two looks of the watchdog
PLACE_TIMEOUT = 1.0  # seconds; code in C may not let the other thread answer
EXIT_TIMEOUT = 1.0  # seconds

# What the process must do, and within how many seconds.
ANSWER, IMPORT, CANCEL = "answer", "import", "cancel"
TIMEOUTS = {ANSWER: 3.0, IMPORT: 5.0, CANCEL: 2.0}
TOO_LATE = {
    ANSWER: ("blocked-loop", "The event loop has not run for 3 s."),
    IMPORT: ("stuck", "Its import has not ended after 5 s."),
    CANCEL: ("stuck", "Daphne has given up the connection, and its code still runs."),
}

MESSAGES_PER_SECOND = 2000  # more must wait; each send() is two
BYTES_PER_MESSAGE = 4096  # of a larger message, so many bytes count as a message
QUOTA = MESSAGES_PER_SECOND * TICK  # messages that may be handled in one tick
YIELD_AFTER = 20  # messages after which the other tasks of the workshop run
ENDLESS_AFTER = 2.0  # seconds without a pause
MANY_MESSAGES = 100  # from a handler that does not return: it does not only wait
ENDLESS = f"More than {MESSAGES_PER_SECOND} messages a second, for {ENDLESS_AFTER:g} s."

# The workshop's other threads may be busy: a worked example blocks them.
_threads = ThreadPoolExecutor(4, thread_name_prefix="exercise-server")


async def in_thread(function, *args):
    """Call `function` in a thread that only this package uses."""
    return await asyncio.get_running_loop().run_in_executor(_threads, function, *args)


class ApplicationRaised(Exception):
    """The application in the child process raised an exception; its traceback is a note."""


class ServerLost(Exception):
    """The process that served a connection has ended."""


class ExerciseProcess:
    """One child process and its connections. `ended` becomes the finding that says why it ended.

    `report(finding)` is called for a finding that does not end it; `say(text)` with the result of
    a step from outside. `group` is the feed of the page.
    """

    def __init__(self, served: ServedTarget, group: str, report: Callable, say: Callable):
        self._served = served
        self._group = group
        self._report = report
        self._say = say
        loop = asyncio.get_running_loop()
        self.loaded: asyncio.Future[bool] = loop.create_future()
        self.ended: asyncio.Future[Finding | None] = loop.create_future()
        self._place: asyncio.Future[Place] = loop.create_future()
        self.connections: dict[int, _Relay] = {}
        self._forwarders = {child.WORKER: self._forwarder("worker")}
        self._numbers = itertools.count(child.WORKER + 1)
        self._last_finding: Finding | None = None
        self._child = self._writer = None
        self._tasks: list[asyncio.Task] = []
        self._ending: asyncio.Task | None = None
        self._left: dict[tuple, float] = {}  # seconds that are left, by what the process must do
        self._handled = 0  # messages
        self._quota = QUOTA  # how many more may be handled in this tick
        self._refilled = asyncio.Event()
        self._is_endless = False  # it sends too fast, without a pause

    async def start(self) -> None:
        """Start the process. Then wait for `loaded` or `ended`."""
        ours, theirs = socket.socketpair()
        try:
            self._child = await in_thread(self._start_child, theirs)
            reader, self._writer = await asyncio.open_connection(sock=ours)
        except BaseException:
            ours.close()  # a child that has started ends now
            raise
        self._tasks = [asyncio.create_task(one) for one in (self._read(reader), self._watch())]

    def _start_child(self, connection: socket.socket):
        try:
            return start_child(child.run, connection, self._served, method=clean_start_method())
        finally:
            connection.close()

    async def stop(self) -> None:
        """End the process, and wait until it and what it started have ended."""
        await self._end(None)

    def take_outside_step(self, step: str) -> None:
        self._write("outside", step)

    # A client's connection

    def _forwarder(self, client: int | str) -> EventForwarder:
        return EventForwarder(self._group, client, self._served.target.title)

    async def relay(self, client: int, account: str | None, scope, receive, send) -> None:
        """Serve a connection, as the application itself would. Raises what it raises."""
        number = next(self._numbers)
        relay = self.connections[number] = _Relay(send)
        self._forwarders[number] = self._forwarder(client)
        receiving = asyncio.create_task(self._pass_events(number, relay, scope, account, receive))
        if self.ended.done():
            relay.lost()
        try:
            await relay.ended
        except asyncio.CancelledError:
            self._write("cancel", number)
            self._left[CANCEL, number] = TIMEOUTS[CANCEL]
            raise
        except ServerLost:
            await relay.lose(scope["type"])
        finally:
            receiving.cancel()
            del self.connections[number]

    async def _pass_events(self, number: int, relay: "_Relay", scope, account, receive) -> None:
        key = session_key_of(scope)
        login = await in_thread(find_login, key) if key else []
        self._write("connect", number, scope, account, login)
        while True:
            event = await receive()
            relay.last_event = event["type"]
            self._write("event", number, event)
            with suppress(OSError):
                await self._writer.drain()

    def _write(self, *message) -> None:
        if not self._writer.is_closing():
            self._writer.write(write_message(*message))

    # What the process sends. A student's code may have sent it, so each value is checked.

    async def _read(self, reader: asyncio.StreamReader) -> None:
        try:
            while True:
                message, size = await read_message(reader)
                if not self._is_endless or message[0] == "place":
                    await self._handle(*message)
                self._handled += 1
                if self._handled % YIELD_AFTER == 0:
                    await asyncio.sleep(0)
                self._quota -= 1 + size / BYTES_PER_MESSAGE
                while self._quota <= 0 and not self._is_endless:
                    self._refilled.clear()
                    await self._refilled.wait()
        except (EOFError, OSError):
            finding = None if self._ending else await self._how_it_died()
        except (ValueError, TypeError, LookupError, AttributeError) as error:
            detail = f"It sent something that cannot be read: {error}"
            finding = make_finding("process-died", Place(self._served.file), detail=detail)
        await self._end(finding)

    async def _handle(self, kind: str, *values) -> None:
        match kind, values:
            case "send", (int(number), message):
                self._write("answer", await self._send(number, message))
            case "recorded", (int(number), dict(event)):
                self._forwarders[number](read_dataclass(Event, event))
            case "ended", (int(number), None | str() as error, str(traceback)):
                self._forwarders.pop(number, None)
                self._left.pop((CANCEL, number), None)
                if relay := self.connections.get(number):
                    relay.end(error, traceback)
            case "pong", ():
                self._left.pop((ANSWER,), None)
            case "place", (int(line), str(handler)):
                if not self._place.done():
                    self._place.set_result(Place(self._served.file, line, handler))
            case "finding", (dict(finding), bool(ends)):
                found = diagnose(read_dataclass(Finding, finding))
                if ends:
                    self._last_finding = found
                else:
                    self._report(found)
            case "said", (str(text),):
                self._say(text)
            case "started", ():
                self._left[IMPORT,] = TIMEOUTS[IMPORT]
            case "loaded", ():
                self._left.pop((IMPORT,), None)
                if not self.loaded.done():
                    self.loaded.set_result(True)
            case _:
                raise ValueError(f"no message is {kind!r}")

    async def _send(self, number: int, message) -> list[str] | None:
        """Pass the message to Daphne. Returns the exception that Daphne raises, as two texts."""
        relay = self.connections.get(number)
        if relay is None:
            return None
        try:
            await relay.send(message)
        except Exception as error:
            kind = type(error)
            return [f"{kind.__module__}.{kind.__qualname__}", str(error)]
        return None

    # The watchdog

    async def _watch(self) -> None:
        """End the process that is late. This counts ticks: a workshop that waits counts none."""
        handled_before = 0
        busy = 0.0  # seconds without a pause
        while True:
            if self.loaded.done() and (ANSWER,) not in self._left:
                self._left[ANSWER,] = TIMEOUTS[ANSWER]
                self._write("ping")
                handled_before = self._handled
            await asyncio.sleep(TICK)
            busy = busy + TICK if self._quota <= 0 else 0.0
            self._is_endless = busy > ENDLESS_AFTER
            self._quota = min(self._quota + QUOTA, QUOTA)
            self._refilled.set()
            if self._is_endless:
                name, detail = "endless-sending", ENDLESS
                break
            self._left = {what: left - TICK for what, left in self._left.items()}
            if late := next((what for what, left in self._left.items() if left <= 0), None):
                name, detail = TOO_LATE[late[0]]
                if name == "blocked-loop" and self._handled - handled_before > MANY_MESSAGES:
                    name = "endless-sending"
                break
        self._write("where")
        place = Place(self._served.file)
        with suppress(TimeoutError):
            place = await asyncio.wait_for(self._place, PLACE_TIMEOUT)
        await self._end(make_finding(name, place, self._last_event(), detail))

    def _last_event(self) -> str:
        return next((one.last_event for one in reversed(self.connections.values())), "")

    # The end

    async def _how_it_died(self) -> Finding:
        if self._last_finding:
            return self._last_finding
        code = await in_thread(self._exit_code)
        how = f"with exit code {code}"
        if code is None:
            how = "its connection to the workshop, and still runs"
        elif code < 0:
            how = f"by {signal.Signals(-code).name}"
        place = Place(self._served.file)
        return make_finding("process-died", place, self._last_event(), f"It ended {how}.")

    def _exit_code(self) -> int | None:
        self._child.join(EXIT_TIMEOUT)
        return self._child.exitcode

    async def _end(self, finding: Finding | None) -> None:
        """End the process, once. Its connections are lost.

        A task does it, so a caller that is cancelled does not leave the process half ended.
        """
        if self._ending is None and self._child is not None:
            self._ending = asyncio.create_task(self._kill(finding))
        if self._ending:
            await asyncio.shield(self._ending)

    async def _kill(self, finding: Finding | None) -> None:
        try:
            await in_thread(partial(end_child, self._child, everywhere=True))
        finally:
            if self._writer:
                self._writer.close()
            for relay in self.connections.values():
                relay.lost()
            self.ended.set_result(finding)
            for task in self._tasks:
                task.cancel()


class _Relay:
    """One connection of a client: where its messages go, and how it ends."""

    def __init__(self, send):
        self._send = send
        self.last_event = ""
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._is_open = False

    async def send(self, message) -> None:
        await self._send(message)
        if isinstance(message, dict):
            self._is_open |= message.get("type") == "websocket.accept"
            self._is_open &= message.get("type") != "websocket.close"

    def end(self, error: str | None, traceback: str) -> None:
        if self.ended.done():
            return
        if error is None:
            self.ended.set_result(None)
        else:
            raised = ApplicationRaised(error)
            raised.add_note(traceback)
            self.ended.set_exception(raised)

    def lost(self) -> None:
        if not self.ended.done():
            self.ended.set_exception(ServerLost("The process that served the connection ended."))

    async def lose(self, kind: str) -> None:
        """Close the connection. The page shows the code as a lost connection."""
        if kind == "http":
            raise ServerLost("The process that served the request ended.")
        code = {"code": LOST_CONNECTION} if self._is_open else {}
        with suppress(Exception):  # the client has disconnected, too
            await self._send({"type": "websocket.close", **code})
