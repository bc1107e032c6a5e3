"""The process that serves a student's code: the lesson's application in a real event loop.

Its main thread runs the loop. Another thread reads what the workshop sends, so the process can say
where its loop hangs.
"""

import asyncio
import logging
import os
import queue
import sys
import threading
import traceback
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from importlib import import_module
from multiprocessing.connection import Connection

from asgiref.sync import sync_to_async
from channels.layers import channel_layers, get_channel_layer
from channels.routing import ChannelNameRouter
from channels.worker import Worker
from django.conf import settings
from django.db import IntegrityError
from django.db import connection as db_connection

from lessons.workshop.course.diagnoses import diagnose, message_of
from lessons.workshop.course.lesson_index import ANONYMOUS, Lesson
from lessons.workshop.engine.faults.finding import (
    CheckFailed,
    Finding,
    Place,
    SourceFile,
    make_finding,
)
from lessons.workshop.engine.process.child_process import set_up_django
from lessons.workshop.engine.recording.events import error_text
from lessons.workshop.engine.recording.middleware import RecordingMiddleware
from lessons.workshop.engine.recording.queries import record_queries
from lessons.workshop.engine.recording.recorder import Recorder
from lessons.workshop.engine.script.account_actions import Accounts
from lessons.workshop.engine.script.other_processes import function_of, imported_again
from lessons.workshop.engine.script.steps import Step, filled_in, parse_step, tickets_in
from lessons.workshop.engine.subject import Subject
from lessons.workshop.engine.world.channel_layer import ALIASES, served_layers
from lessons.workshop.engine.world.database import OtherTransaction
from lessons.workshop.engine.world.signal_receivers import isolated_signals
from lessons.workshop.engine.world.student_module import application_for, load_subject
from lessons.workshop.engine.world.worker import routes_of
from lessons.workshop.judge.redaction import redact
from lessons.workshop.page.exercise_server import database_copy
from lessons.workshop.page.exercise_server.messages import MAX_SIZE, pack, unpack
from lessons.workshop.setup.limits import Limits, limit_resources

# Of a process that serves an exercise to a page until the page is closed.
SERVED = Limits(memory=2 * 1024**3, file_size=256 * 1024**2, processor_time=600)
WORKER = 0  # the number of the worker's events
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ServedTarget:
    """What the process serves, and where: `folder` is its own. `rows` are those of all users."""

    lesson: Lesson
    target: Subject
    folder: str
    rows: str

    @property
    def file(self) -> str:
        return str(self.target.file)


def run(connection: Connection, served: ServedTarget) -> None:
    """Serve clients until the workshop closes the pipe. Never returns."""
    set_up_django()
    limit_resources(SERVED)
    os.chdir(served.folder)
    database_copy.use(f"{served.folder}/db.sqlite3")
    database_copy.add_rows(served.rows)
    end = ChildEnd(connection)
    server = ChildServer(end, served)
    threading.Thread(target=server.read, name="workshop", daemon=True).start()
    try:
        server.serve()
    except CheckFailed as failure:
        end.send("finding", failure.finding, True)
    except (SystemExit, KeyboardInterrupt) as error:
        end.send("finding", server.finding("calls-exit", error), True)
    except BaseException as error:
        traceback.print_exc()
        end.send("finding", server.finding("process-died", error), True)
    os._exit(0)  # at once: the code may have registered exit handlers, or started threads


class ChildEnd:
    """The child's end of the pipe. Any thread may send, and one thread receives.

    The process ends with the workshop.
    """

    def __init__(self, connection: Connection):
        self._connection = connection
        self._sending, self._asking = threading.Lock(), threading.Lock()
        self.answers: queue.SimpleQueue = queue.SimpleQueue()

    def send(self, *message) -> None:
        data = pack(message)
        try:
            with self._sending:
                self._connection.send_bytes(data)
        except OSError:
            os._exit(0)

    def receive(self) -> tuple:
        try:
            return unpack(self._connection.recv_bytes(MAX_SIZE))
        except (OSError, EOFError):
            os._exit(0)

    def ask(self, *message):
        """Send a message and wait for the answer, in this thread.

        Daphne's own send() does not let other tasks run either.
        """
        with self._asking:
            self.send(*message)
            return self.answers.get()


@dataclass
class _Connection:
    """A client's connection: its events, and the task that serves it."""

    events: asyncio.Queue = field(default_factory=asyncio.Queue)
    task: asyncio.Task | None = None
    last_event: str = ""


class ChildServer:
    """Serves the target's application to the clients that the workshop reports."""

    def __init__(self, end: ChildEnd, served: ServedTarget):
        self._end = end
        self._served = served
        self._main_thread = threading.get_ident()
        self._loop = asyncio.new_event_loop()
        self._connections: dict[int, _Connection] = {}
        self._outside: OutsidePlayer | None = None

    def serve(self) -> None:
        """Import the file and serve it. Raises CheckFailed if the file cannot be imported."""
        self._end.send("started")
        with served_layers(_own_layers()):
            loaded = load_subject(self._served.target)
            with isolated_signals(loaded) as receiver_was_lost:
                if receiver_was_lost:
                    self._report(make_finding("receiver-gone", Place(self._served.file)))
                self._application = application_for(loaded, self._served.target)
                self._outside = OutsidePlayer(self._served.target, loaded)
                record_queries()
                asyncio.set_event_loop(self._loop)
                # Not asyncio.run(): at an exception, it would wait for the code's tasks.
                self._loop.run_until_complete(self._run(routes_of(loaded)))

    async def _run(self, routes: dict) -> None:
        for row in self._served.lesson.rows:
            with suppress(IntegrityError):  # the workshop has this row
                await self._outside.take(row)
        worker = self._loop.create_task(self._work(routes)) if routes else None
        self._end.send("loaded")
        await asyncio.Event().wait()
        del worker

    def read(self) -> None:
        """Take what the workshop sends, in its own thread; never returns."""
        while True:
            kind, *values = self._end.receive()
            if kind == "answer":
                self._end.answers.put(*values)
            elif kind == "where":
                source = SourceFile(self._served.file)
                place = source.running_place(self._main_thread) or source.running_place() or Place()
                self._end.send("place", place.line, place.handler)
            else:
                if kind == "connect":
                    database_copy.add_rows(values.pop())
                self._loop.call_soon_threadsafe(self._take, kind, values)

    # In the loop

    def _take(self, kind: str, values: list) -> None:
        match kind, values:
            case "ping", ():
                self._end.send("pong")
            case "outside", (text,):
                self._loop.create_task(self._take_step(text))
            case "connect", (number, scope, account):
                connection = self._connections[number] = _Connection()
                serving = self._serve(number, connection, scope, account)
                connection.task = self._loop.create_task(serving)
            case "event", (number, event) if number in self._connections:
                self._connections[number].events.put_nowait(event)
            case "cancel", (number,) if number in self._connections:
                self._connections[number].task.cancel()

    async def _serve(self, number, connection, scope, account) -> None:
        async def receive():
            event = await connection.events.get()
            connection.last_event = str(event.get("type", ""))
            return await self._outside.with_tickets(event)

        async def send(message):
            if error := self._end.ask("send", number, message):
                raise _error_of_daphne(*error)

        ended_with = [None, ""]
        try:
            headers = await self._outside.headers_for(account)
            scope = {**scope, "headers": [*scope["headers"], *headers]}
            recorded = RecordingMiddleware(self._application, self._recorder(number))
            await recorded(scope, receive, send)
        except Exception as error:
            ended_with = [error_text(error), traceback.format_exc()]
            self._report(self.finding("exception", error, connection.last_event))
        finally:
            del self._connections[number]
            self._end.send("ended", number, *ended_with)

    async def _work(self, routes: dict) -> None:
        """As `manage.py runworker` with all channels of the file."""
        application = RecordingMiddleware(ChannelNameRouter(routes), self._recorder(WORKER))
        try:
            await Worker(application, [*routes], get_channel_layer()).arun()
        except Exception as error:  # a message without a type ends a worker
            log.exception("The worker has ended.")
            self._report(self.finding("exception", error))

    def _recorder(self, number: int) -> Recorder:
        recorder = Recorder(keep=False, with_state=True, redact=redact)
        # At once: what the code does next may end the process.
        recorder.listeners.append(partial(self._end.send, "recorded", number))
        return recorder

    async def _take_step(self, text: str) -> None:
        try:
            answer = await self._outside.take(text)
            said = "Done." if answer is None else f"Done: {answer}"
        except CheckFailed as failure:
            self._report(failure.finding)
            said = message_of(diagnose(failure.finding))
        except Exception as error:
            said = error_text(error)
        self._end.send("said", said)

    def finding(self, name: str, error: BaseException, event: str = "") -> Finding:
        """The finding for an exception of the code."""
        place = SourceFile(self._served.file).place_of_error(error) or Place(self._served.file)
        raised = error_text(error)
        return make_finding(name, place, event, raised, raised=raised)

    def _report(self, finding: Finding) -> None:
        self._end.send("finding", finding, False)


class OutsidePlayer:
    """What other processes and the lesson's views do: rows, accounts, tickets, group messages."""

    def __init__(self, subject: Subject, loaded):
        self.transaction = OtherTransaction()
        self.accounts = Accounts(self, subject, loaded)
        self._loaded = loaded
        self._issues_tickets = hasattr(sys.modules[loaded.__module__], "issue")
        self._sends_tickets_in_header = self._issues_tickets and subject.stack is not None

    async def do(self, function, *args, **kwargs):
        """Call `function` in another thread and connection, as another process would."""

        def call():
            try:
                return function(*args, **kwargs)
            finally:
                db_connection.close()

        return await sync_to_async(call, thread_sensitive=False)()

    write = do

    async def call(self, name: str, arguments: list):
        """What this function of the file returns. The worker process of a job would call it."""
        return await self.do(function_of(imported_again(self._loaded), name), *arguments)

    async def take(self, text: str):
        return await parse_step(text).take(self)

    async def headers_for(self, account: str | None) -> list[tuple[bytes, bytes]]:
        """The ticket of this account, if a middleware of the exercise checks tickets."""
        if not self._sends_tickets_in_header or account in (None, ANONYMOUS):
            return []
        arguments = {"ticket": account}
        await self.accounts.prepare(arguments)
        return self.accounts.headers_for(arguments)

    async def with_tickets(self, event: dict) -> dict:
        """The event with a ticket for each `{token=student}` that the student has typed."""
        step = Step("text", {"text": event.get("text") or ""})
        if not self._issues_tickets or not (needed := tickets_in(step)):
            return event
        for arguments in needed:
            await self.accounts.prepare(arguments)
        return event | filled_in(step, {}, self.accounts.shown_ticket).arguments


def _own_layers() -> dict:
    """New layers in memory, and a cache in memory: what the exercise sends stays here."""
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    memory = {"BACKEND": "channels.layers.InMemoryChannelLayer"}
    settings.CHANNEL_LAYERS = dict.fromkeys(settings.CHANNEL_LAYERS, memory)
    channel_layers.backends.clear()
    return {alias: channel_layers.make_backend(alias) for alias in ALIASES}


def _error_of_daphne(name: str, text: str) -> Exception:
    """The exception that Daphne raised in the workshop."""
    module, _, class_name = name.rpartition(".")
    with suppress(ImportError, AttributeError, TypeError):
        return getattr(import_module(module), class_name)(text)
    return RuntimeError(text)
