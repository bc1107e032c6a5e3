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
from multiprocessing.connection import Connection

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
from lessons.workshop.page.exercise_server.database_copy import logins
from lessons.workshop.page.exercise_server.messages import MAX_SIZE, pack, unpack
from lessons.workshop.page.live.client_identity import LOST_CONNECTION
from lessons.workshop.page.live.event_forwarder import EventForwarder
from lessons.workshop.page.live.feed import Feed, session_key_of

TICK = 0.25  # seconds between two looks of the watchdog
ANSWER_TIMEOUT = 3.0  # seconds
IMPORT_TIMEOUT = 5.0
PLACE_TIMEOUT = 1.0  # code in C may not let the other thread answer
EXIT_TIMEOUT = 1.0
QUOTA = 500  # messages that are handled before a pause of one tick; each send() is two
HEADER = 4  # bytes in front of a message, which say how long it is: as multiprocessing does
BYTES_PER_MESSAGE = 4096  # of a larger message, so many bytes count as a message
MANY_MESSAGES = 100  # from a handler that does not return: it does not only wait

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

    `report(finding)` is called for a finding that does not end it.
    """

    def __init__(self, served: ServedTarget, feed: Feed, report: Callable):
        self._served, self._feed, self._report = served, feed, report
        loop = asyncio.get_running_loop()
        self.loaded: asyncio.Future[bool] = loop.create_future()
        self.ended: asyncio.Future[Finding | None] = loop.create_future()
        self._started, self._answered = asyncio.Event(), asyncio.Event()
        self._place: asyncio.Future[Place] = loop.create_future()
        self.connections: dict[int, _Relay] = {}
        self._forwarders = {child.WORKER: self._forwarder("worker")}
        self._numbers = itertools.count(child.WORKER + 1)
        self._last_finding: Finding | None = None
        self._child = None
        self._writer: asyncio.StreamWriter | None = None
        self._tasks: list[asyncio.Task] = []
        self._ending: asyncio.Task | None = None
        self._handled = 0  # messages

    async def start(self) -> None:
        """Start the process. Then wait for `loaded` or `ended`."""
        ours, theirs = socket.socketpair()
        try:
            self._child = await in_thread(self._start_child, Connection(theirs.detach()))
        except BaseException:
            ours.close()
            raise
        reader, self._writer = await asyncio.open_connection(sock=ours)
        self._tasks = [asyncio.create_task(it) for it in (self._read(reader), self._watch())]

    def _start_child(self, theirs: Connection):
        with theirs:
            return start_child(child.run, theirs, self._served, method=clean_start_method())

    async def stop(self) -> None:
        """End the process, and wait until it and what it started have ended."""
        await self._end(None)

    def take_outside_step(self, step: str) -> None:
        self._write("outside", step)

    # A client's connection

    def _forwarder(self, client: int | str) -> EventForwarder:
        return EventForwarder(self._feed, client, self._served.target.title)

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
            raise
        except ServerLost:
            await relay.lose(scope["type"])
        finally:
            receiving.cancel()
            del self.connections[number]

    async def _pass_events(self, number: int, relay: "_Relay", scope, account, receive) -> None:
        login = await in_thread(logins, session_key_of(scope) or "")
        self._write("connect", number, scope, account, login)
        while True:
            event = await receive()
            relay.last_event = event["type"]
            self._write("event", number, event)

    def _write(self, *message) -> None:
        if self._writer and not self._writer.is_closing():
            data = pack(message)
            self._writer.write(len(data).to_bytes(HEADER) + data)

    # What the process sends. A student's code may have sent it, so each value is checked.

    async def _read(self, reader: asyncio.StreamReader) -> None:
        """Handle each message before the next one, until the process has ended."""
        quota, detail = QUOTA, None
        try:
            while True:
                size = int.from_bytes(await reader.readexactly(HEADER))
                if size > MAX_SIZE:
                    raise ValueError(f"a message of {size:,} bytes")
                await self._handle(*unpack(await reader.readexactly(size)))
                self._handled += 1
                quota -= 1 + size / BYTES_PER_MESSAGE
                if quota < 0:
                    await asyncio.sleep(TICK)
                    quota = QUOTA
        except (EOFError, OSError):
            pass
        except (ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
            detail = f"It sent something that cannot be read: {error}"
        await self._lose_process(detail)

    async def _handle(self, kind: str, *values) -> None:
        match kind, values:
            case "send", (int(number), message):
                self._write("answer", await self._send(number, message))
            case "recorded", (int(number), dict(event)):
                self._forwarders[number](read_dataclass(Event, event))
            case "ended", (int(number), None | str() as error, str(traceback)):
                self._forwarders.pop(number, None)
                if relay := self.connections.get(number):
                    relay.end(error, traceback)
            case "pong", ():
                self._answered.set()
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
                self._feed.post({"outside": text})
            case "started", ():
                self._started.set()
            case "loaded", ():
                self._answered.set()
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
        """End the process that is late."""
        await self._started.wait()
        is_late = await self._is_late(IMPORT_TIMEOUT)
        name, detail = "stuck", f"Its import has not ended after {IMPORT_TIMEOUT:g} s."
        while not is_late:
            handled = self._handled
            self._answered.clear()
            self._write("ping")
            is_late = await self._is_late(ANSWER_TIMEOUT)
            is_sending = self._handled - handled > MANY_MESSAGES
            name = "endless-sending" if is_sending else "blocked-loop"
            detail = f"The event loop has not run for {ANSWER_TIMEOUT:g} s."
        self._write("where")
        place = Place(self._served.file)
        with suppress(TimeoutError):
            place = await asyncio.wait_for(self._place, PLACE_TIMEOUT)
        await self._end(make_finding(name, place, self._last_event(), detail))

    async def _is_late(self, timeout: float) -> bool:
        """Whether no answer comes within so many seconds.

        This counts ticks: a workshop that waits counts none.
        """
        for _ in range(int(timeout / TICK)):
            await asyncio.sleep(TICK)
            if self._answered.is_set():
                return False
        return True

    def _last_event(self) -> str:
        return next((one.last_event for one in reversed(self.connections.values())), "")

    # The end

    async def _lose_process(self, detail: str | None) -> None:
        """The process has ended, or it has sent what cannot be read."""
        finding = self._last_finding
        if self._ending is None and finding is None:
            detail = detail or await in_thread(self._how_it_died)
            place = Place(self._served.file)
            finding = make_finding("process-died", place, self._last_event(), detail)
        await self._end(finding)

    def _how_it_died(self) -> str:
        self._child.join(EXIT_TIMEOUT)
        code = self._child.exitcode
        if code is None:
            return "It ended its connection to the workshop, and still runs."
        return (
            f"It ended by {signal.Signals(-code).name}."
            if code < 0
            else (f"It ended with exit code {code}.")
        )

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
