"""Takes the steps of a conversation: opens clients, sends frames, saves rows, starts workers.

The player runs in the student's process. It reports plain data, and decides nothing: it does not
know what the consumer has promised. Steps are taken in bursts. A burst is one step, or several
that are in the air at the same time (`&`, `at 2`). After each burst the player waits until the
consumer is idle, and notes what each client has received:

    connect          → a burst; its report holds websocket.accept
    text a           ┐
    & 2 text b       ┘ a burst of two frames; its report holds what both clients received
"""

import asyncio
import threading
from contextlib import asynccontextmanager, closing
from functools import cached_property, partial
from typing import Any

from lessons.workshop.engine.faults.finding import (
    CheckFailed,
    Finding,
    Place,
    SubjectSource,
    make_finding,
    place_of_error,
    place_of_wrong_call,
)
from lessons.workshop.engine.recording.events import Event, error_text, to_json
from lessons.workshop.engine.script.accounts import Accounts
from lessons.workshop.engine.script.action import UnknownStep
from lessons.workshop.engine.script.other_processes import (
    OtherServer,
    OutsideCalls,
    StartedCall,
)
from lessons.workshop.engine.script.report import (
    BurstReport,
    ClientFault,
    ClientReport,
    PlayOptions,
)
from lessons.workshop.engine.script.steps import (
    Step,
    bursts_of,
    setup_of,
    tickets_in,
    with_channels,
    with_tickets,
)
from lessons.workshop.engine.subject import Subject
from lessons.workshop.engine.world.channel_layer import current_layer
from lessons.workshop.engine.world.communicator import (
    CLIENT_PORT,
    HANDSHAKE_TIMEOUT,
    StrictClient,
)
from lessons.workshop.engine.world.database import (
    OtherTransaction,
)
from lessons.workshop.engine.world.student_module import application_for
from lessons.workshop.engine.world.worker import Workers
from lessons.workshop.engine.world.world import surroundings


class Player:
    """Plays one conversation; `bursts` is what happened in it so far."""

    def __init__(self, subject: Subject, loaded, options: PlayOptions):
        self._mounted = subject
        self.subject = loaded
        self.database = None
        self.options = options
        self.accounts = Accounts(self, subject, loaded)
        self.transaction = OtherTransaction()  # of the steps `begin` and `commit`
        self.workers = Workers(loaded)
        self._calls = OutsideCalls(loaded)
        self.bursts: list[BurstReport] = []
        self.leftovers: list[Finding] = []  # what shows at the end
        self.has_killed = False  # a consumer could not clean up: it was killed, or at the end
        self._interleaving = None
        self.is_at_point = False  # a step is taken while a handler is held
        self.setup: dict[str, Any] = {}  # what the first steps say
        self.clients: dict[int, StrictClient] = {}
        self._opened: list[tuple[int, StrictClient]] = []  # every client; a number may be reused
        self._idle: dict[int, tuple[Event, ...]] = {}  # id of an idle client → its transcript
        self._servers: dict[int, OtherServer] = {}  # the server processes after the first
        self._broken: set[int] = set()  # clients whose consumer broke a rule: they only wait
        self._worker_is_broken = False  # a worker's fault is reported once
        self._jobs: tuple[Event, ...] | None = None
        self._faults: list[tuple[int | None, Finding]] = []
        self.channels: dict[int, str] = {}  # client → its consumer's channel, before this burst
        self._at_point: dict[int, int] = {}
        self._held: list[tuple[int, int, str]] = []
        self._begun = 0.0
        self._jobs_before = 0

    @property
    def time(self) -> float:
        """Seconds since the first step."""
        return asyncio.get_running_loop().time() - self._begun

    @property
    def events(self) -> tuple[Event, ...]:
        """All events so far, by time."""
        jobs = self.workers.transcript if self._jobs is None else self._jobs
        # A copy: the thread of the time limit reads the list while clients are added to it.
        clients = [client for _, client in [*self._opened]]
        transcripts = [self._idle.get(id(client), client.transcript) for client in clients]
        events = [event for transcript in transcripts for event in transcript]
        return tuple(sorted([*events, *jobs], key=lambda event: event.time))

    async def play(self, steps: list[Step]) -> None:
        """Take all steps. Raises UnknownStep for one that cannot be taken."""
        self._begun = asyncio.get_running_loop().time()
        self.has_killed = any(step.kind.kills for step in steps)
        async with self._surroundings():
            try:
                self.setup = setup_of(steps)
                for burst in bursts_of(steps):
                    await self._take_burst(burst)
            finally:
                await self._end()

    @asynccontextmanager
    async def _surroundings(self):
        async with surroundings(self.options.database) as world:
            self.database, self._interleaving = world.database, world.interleaving
            with closing(self.accounts.secrets):
                yield

    async def do(self, function, *args):
        """Call a function that uses the database, outside the consumer, and return its result."""
        if self.is_at_point:
            return await self.database.do_in_other_process(function, *args)
        return await self.database.do(function, *args)

    async def call(self, name: str, arguments: list):
        """Let another process call this function of the subject's file. It may run for longer."""
        return await self._calls.start(self, name, arguments)

    async def write(self, function, *args, **kwargs):
        """Call a function that changes rows: in the open transaction, if there is one."""
        if self.transaction.is_open:
            return await self.transaction.do(partial(function, *args, **kwargs))
        return await self.do(partial(function, *args, **kwargs))

    # Bursts

    async def _take_burst(self, burst: list[Step]) -> None:
        await self._prepare(burst)
        self._jobs_before = asyncio.get_running_loop().thread_jobs_started
        before = {id(client): len(client.transcript) for _, client in self._opened}
        answers: dict[int, Any] = {}
        self._interleaving.passed = 0
        self._at_point = {}
        self._held = []
        try:
            first = next((number for number, it in enumerate(burst) if it.point is not None), None)
            if first is None:
                await self._take_all(burst, answers)
            else:
                at_point = burst[first:]

                async def act():
                    self.is_at_point = True
                    clients = self.clients.items()
                    self._at_point = {n: len(client.server.arrivals) for n, client in clients}
                    places = {n: client.server.place_of_wait() for n, client in clients}
                    self._held = [(n, it.line, it.handler) for n, it in places.items() if it]
                    try:
                        await self._take_all(at_point, answers)
                    finally:
                        self.is_at_point = False

                with self._interleaving.at(at_point[0].point, act):
                    await self._take_all(burst[:first], answers)
                    await self._settle(judges_ends=False)  # that may take time
                    has_few_points = self._interleaving.is_waiting
                if has_few_points:
                    await act()
            await self._settle(leaving={step.client for step in burst if step.kind.ends})
        finally:
            self._note_burst(burst, [_answer(answers.get(id(step))) for step in burst], before)

    async def _prepare(self, burst: list[Step]) -> None:
        """Log in the users of these steps: that may suspend, and a burst happens all at once."""
        for step in burst:
            for options in (step.kind.handshake(step.arguments), *tickets_in(step)):
                await self._attempt(step, None, self.accounts.prepare(options))

    async def _take_all(self, steps: list[Step], answers: dict[int, Any]) -> None:
        for step in steps:
            answers[id(step)] = await self._attempt(step, step.client, self._take(step))

    async def _attempt(self, step: Step, client: int | None, coroutine):
        """Await a part of the step; a fault is that client's. Raises UnknownStep."""
        try:
            return await coroutine
        except UnknownStep:
            raise
        except CheckFailed as failure:
            self._break(client, failure)
        except Exception as error:
            # The step may have called the student's code, such as a receiver of a signal.
            if finding := self._finding_of(error):
                self._faults.append((None, finding))
            elif isinstance(error, LookupError | ValueError | TypeError | AttributeError):
                raise UnknownStep(f"{str(step)!r} cannot be played: {error}") from error
            else:
                raise

    def _finding_of(self, error: Exception) -> Finding | None:
        """The finding for an exception of the student's code, outside of each consumer; or None."""
        file, detail = SubjectSource(self.subject).file, error_text(error)
        if place := place_of_error(file, error):
            return make_finding("function-raised", place, detail=detail, raised=detail)
        if place := place_of_wrong_call(file, error):
            return make_finding("callback-arguments", place, detail=detail)
        return None

    def _note_burst(self, burst: list[Step], answers: list, before: dict[int, int]) -> None:
        caused = [
            (number, event)
            for number, client in self._opened
            for event in client.transcript[before.get(id(client), 0) :]
        ]
        caused.sort(key=lambda pair: pair[1].time)
        self._find_queries_on_loop(caused)
        clients = {
            number: self._client_report(client, before.get(id(client), 0))
            for number, client in self.clients.items()
        }
        secrets = self.accounts.secrets
        faults = [*self._blocked_loop(), *self._faults]
        faults += self._sent_after_end()
        faults += [(None, self._finding_of_call(error)) for error in self._calls.take_errors()]
        faults += [(None, finding) for finding in secrets.findings]
        if named := self.accounts.groups_with_a_key(current_layer().groups):
            faults.append((None, self._finding_of_group(named[0], caused)))
        self._faults, secrets.findings = [], []
        self.channels = {n: client.channel for n, client in clients.items() if client.channel}
        self.bursts.append(
            BurstReport(
                steps=tuple(map(str, burst)),
                clients=clients,
                answers=tuple(map(to_json, answers)),
                faults=tuple(ClientFault(*fault) for fault in faults),
                time=self.time,
                points=self._interleaving.passed,
                layers=tuple(current_layer().redis.take_layers_used()),
                at_point=self._at_point,
                thread_jobs=asyncio.get_running_loop().thread_jobs_started - self._jobs_before,
                held=tuple(self._held),
                calls=tuple(self._calls.take_seen()),
                events=tuple(caused) if self.options.events else (),
            )
        )

    def _finding_of_call(self, error: Exception) -> Finding:
        place = Place(SubjectSource(self.subject).file)
        own = self._finding_of(error)
        return own or make_finding("function-raised", place, detail=error_text(error))

    def _finding_of_group(self, name: str, caused: list) -> Finding:
        """The finding for a group whose name has the key of a session."""
        place = Place()
        for number, event in caused:
            if event.message.get("type") == "group_add" and event.message.get("group") == name:
                source = self.clients[number].server.source
                place = source.place_of_handler(event.handler or "")
                break
        detail = f"The name of the group has the key of a session: {name!r}."
        return make_finding("secret-in-group-name", place, detail=detail)

    def _find_queries_on_loop(self, caused: list) -> None:
        """Django raises for such a query, unless a setting switches that off."""
        here = threading.current_thread().name
        for number, event in caused:
            if event.lane == "database" and event.thread == here:
                place = self.clients[number].server.source.place_of_handler(event.handler or "")
                detail = event.message.get("sql", "")
                self._faults.append((number, make_finding("query-on-loop", place, "", detail)))
                return

    def _client_report(self, client: StrictClient, before: int) -> ClientReport:
        """`before` is how many events its transcript had before this burst."""
        server = client.server
        own = client.transcript[before:]
        report = ClientReport(
            received=tuple((time - self._begun, message) for time, message in server.arrivals),
            sent_at=tuple(place and (place.line, place.handler) for place in server.sent_from),
            is_busy=client.is_busy,
            ended=client.finished,
            too_late=tuple(server.sent_too_late),
            silence=server.silence_diagnosis(client.future),
            place=server.place_of_handler(),
            raised=client.raised,
            raised_kinds=tuple(client.raised_kinds),
            scope_changes=tuple(client.scope_changes),
            failed_task=server.finding_of_failed_task(),
            channel=current_layer().channel_of(server.connection_id) or "",
            handled=sum(it.direction == "in" and it.message.get("type") != "scope" for it in own),
            waits=server.place_of_wait() is not None,
        )
        server.arrivals, server.sent_from, server.unread, server.sent_too_late = [], [], [], []
        return report

    # Steps

    async def _take(self, step: Step):
        step = with_channels(step, self.channels)
        return await with_tickets(step, self.accounts.shown_ticket).take(self)

    def client_of(self, step: Step) -> StrictClient | None:
        """The client that takes the step; None if its consumer has broken a rule."""
        if step.client not in self.clients:
            raise UnknownStep(
                f"Client {step.client} is not connected: write connect before {step}."
            )
        return None if step.client in self._broken else self.clients[step.client]

    def open_client(self, step: Step) -> StrictClient:
        """A new client, which has not taken its first step yet."""
        application = self._application_of(step.arguments.get("server", 1))
        port = CLIENT_PORT + len(self._opened)
        client = step.kind.new_client(self, application, port, step.arguments)
        client.server.finds_lines = self.options.lines
        client.server.recorder.with_state = self.options.events
        self.clients[step.client] = client
        self._opened.append((step.client, client))
        self._broken.discard(step.client)
        return client

    async def _settle(self, leaving=frozenset(), judges_ends=True) -> None:
        """Wait until all is idle, and judge each consumer. Consumers of `leaving` must stop."""
        await asyncio.get_running_loop().wait_until_idle()
        for number, client in [*self.clients.items()]:
            if number in self._broken or client.server.is_judged or not client.has_begun:
                continue
            try:
                await client.judge()
                if client.awaits_answer:
                    await client.wait_for_output(HANDSHAKE_TIMEOUT)
                if judges_ends and (number in leaving or client.server.client_left):
                    await client.judge_end(self.options.stop_timeout)
            except CheckFailed as failure:
                self._break(number, failure)
        if not self._worker_is_broken:
            try:
                self.workers.judge()
            except CheckFailed as failure:
                self._worker_is_broken = True
                self._break(None, failure)

    def _blocked_loop(self) -> list[tuple[None, Finding]]:
        """A finding for each call in this burst that has blocked the event loop."""
        calls = asyncio.get_running_loop().blocking_calls
        found = []
        for call in calls:
            if call.seconds == 0:  # such as the join() of a thread that is about to end
                continue
            place = call.places[0] if call.places else Place()
            duration = "" if call.seconds is None else f" for {call.seconds:g} s"
            detail = f"{call.name} blocked the event loop{duration}."
            found.append((None, make_finding("blocked-loop", place, "", detail)))
        calls.clear()
        return found

    def _sent_after_end(self) -> list[tuple[int, Finding]]:
        """A finding for each connection on which something was sent after its end."""
        found = []
        for number, client in self._opened:
            if place := client.server.sent_after_end:
                client.server.sent_after_end = None
                found.append((number, make_finding("task-left-behind", place)))
        return found

    def _break(self, number: int | None, failure: CheckFailed) -> None:
        if number is not None:
            self._broken.add(number)
        self._faults.append((number, failure.finding))

    async def _end(self) -> None:
        """End workers and clients. Their end is not a part of the conversation."""
        self._jobs = self.workers.transcript
        # A client that left a handler running has its own finding.
        clients = [client for _, client in self._opened if client.has_begun]
        killed_at_end = self._jobs or not all(client.finished for client in clients)
        self.has_killed = self.has_killed or bool(killed_at_end)
        await self.workers.kill()
        self._idle = {
            id(client): client.transcript
            for number, client in self._opened
            if number not in self._broken
            and not (client.finished or client.is_busy or client.server.client_left)
        }
        for _, client in self._opened:
            await client.cancel_application()
        for server in self._servers.values():
            server.stop()
        await self._calls.end()
        await self.transaction.close()
        if self.database and (held := await self.database.unmanaged_connections()):
            finding = make_finding("connection-left-open", detail=f"In use: {', '.join(held)}")
            self.leftovers.append(finding)

    # Clients

    @cached_property
    def _first_application(self):
        """One for all clients: a middleware may keep something on self."""
        loaded = self.subject
        return application_for(loaded, self._mounted) if isinstance(loaded, type) else loaded

    def _application_of(self, server: int):
        """The application of that server process. Each process but the first is played here."""
        if server == 1:
            return self._first_application
        if server not in self._servers:
            self._servers[server] = OtherServer(self.subject, self._mounted)
        return self._servers[server].application

    @property
    def path(self) -> str:
        """The path of a client that names none."""
        return self._mounted.path


def _answer(value):
    """The answer of a step. A call has answered when the burst is over."""
    return value.answer() if isinstance(value, StartedCall) else value
