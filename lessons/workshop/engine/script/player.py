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
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from itertools import chain, islice
from typing import Any

from ..faults.burst import fault_of_query, fault_outside_consumers
from ..faults.connection import fault_of_failed_task, silence
from ..faults.finding import CheckFailed, Finding, Place, SubjectSource, make_finding
from ..recording.events import Event, error_text, to_json
from ..subject import Subject
from ..world.channel_layer import current_layer
from ..world.client import BUGS, CLIENT_PORT, Client
from ..world.database import OtherTransaction
from ..world.worker import FakeWorker, Workers
from ..world.world import surroundings
from .account_actions import Accounts
from .action import UnknownStep
from .other_processes import OutsideCalls, StartedCall, application_of_server
from .report import BurstReport, ClientFault, ClientReport, PlayOptions
from .steps import Step, bursts_of, filled_in, setup_of, tickets_in

# Seconds. Code may await something short, such as a slow service: no exercise forbids that.
MOMENT = 0.05  # one such wait of a handler, or all those of tasks
HANDLERS_LIMIT = 60.0  # all those of handlers


class Player:
    """Plays one conversation; `bursts` is what happened in it so far."""

    def __init__(self, subject: Subject, loaded, options: PlayOptions):
        self._mounted = subject
        self.path = subject.path  # of a client that names none
        self.subject = loaded
        self._source = SubjectSource(loaded)
        self.options = options
        self.database = None
        self.accounts = Accounts(self, subject, loaded)
        self.transaction = OtherTransaction()  # of the steps `begin` and `commit`
        self.workers = Workers(loaded)
        self.setup: dict[str, Any] = {}  # what the first steps say
        self.clients: dict[int, Client] = {}  # the last one of each number
        self.channels: dict[int, str] = {}  # client → its consumer's channel, before this burst
        self.is_at_point = False  # a step is taken while a handler is held
        self.bursts: list[BurstReport] = []
        self.leftovers: list[Finding] = []  # what shows at the end
        self.has_killed = False  # a consumer could not clean up: it was killed, or at the end
        self._opened: dict[Client, int] = {}  # the number of each client, also of earlier ones
        # By the number of its server process. One for all clients: a middleware may keep something.
        self._applications: dict[int, Any] = {}
        self._other_servers = ExitStack()
        self.calls = OutsideCalls(loaded)
        self._worker_is_broken = False  # a worker's fault is reported once
        # What workers and idle clients have recorded without their end.
        self._last_events: dict[Workers | Client, tuple[Event, ...]] = {}
        # Of consumers that have ended, with all their tasks.
        self._last_reports: dict[Client, ClientReport] = {}
        self._interleaving = None
        self._begun = 0.0
        self._faults: list[tuple[int | None, Finding]] = []  # of the burst

    @property
    def time(self) -> float:
        """Seconds since the first step."""
        return asyncio.get_running_loop().time() - self._begun

    @property
    def events(self) -> tuple[Event, ...]:
        # A copy: the thread of the time limit reads this while clients are added.
        found = (self._last_events.get(it, it.transcript) for it in [*self._opened, self.workers])
        return tuple(sorted(chain.from_iterable(found), key=lambda event: event.time))

    async def play(self, steps: list[Step]) -> None:
        """Take all steps. Raises UnknownStep for one that cannot be taken."""
        self._begun = asyncio.get_running_loop().time()
        self.has_killed = any(step.kind.kills for step in steps)
        async with surroundings(self.options.database) as (self.database, self._interleaving):
            try:
                self.setup = setup_of(steps)
                for burst in bursts_of(steps):
                    await self._take_burst(burst)
            finally:
                await self._end()

    async def do(self, function, *args):
        """Call a function that uses the database, outside the consumer, and return its result."""
        do = self.database.do_in_other_process if self.is_at_point else self.database.do
        return await do(function, *args)

    async def write(self, function, *args, **kwargs):
        """Call a function that changes rows: in the open transaction, if there is one."""
        do = self.transaction.do if self.transaction.is_open else self.do
        return await do(partial(function, *args, **kwargs))

    # Bursts

    async def _take_burst(self, burst: list[Step]) -> None:
        for step in burst:  # a login may suspend, and a burst happens all at once
            for options in (step.kind.logins(step.arguments), *tickets_in(step)):
                await self._attempt(step, None, self.accounts.prepare(options))
        jobs_before = asyncio.get_running_loop().thread_jobs_started
        self._answers: dict[int, Any] = {}  # by the id() of the step
        self._at_point: dict[int, int] = {}  # as in BurstReport
        self._held: list[tuple[int, int, str]] = []
        self._time_of_point = self.time
        self._interleaving.passed = 0
        # How many events each client had before.
        self._events_before = {client: len(client.recorder.events) for client in self._opened}
        try:
            await self._take_all(burst)
            await self._settle(leaving={step.client for step in burst if step.kind.ends})
        finally:
            self._note_burst(burst, jobs_before)

    async def _take_all(self, burst: list[Step]) -> None:
        """Take the steps, of which those from the first `at` on are taken at its point."""
        first = next((number for number, it in enumerate(burst) if it.point is not None), None)
        if first is None:
            await self._take(burst)
            return

        async def take_at_point():
            self.is_at_point = True
            self._time_of_point = self.time
            self._at_point = {number: len(it.arrivals) for number, it in self.clients.items()}
            places = [(number, it.place_of_wait()) for number, it in self.clients.items()]
            self._held = [(number, it.line, it.handler) for number, it in places if it]
            try:
                await self._take(burst[first:])
            finally:
                self.is_at_point = False

        with self._interleaving.at(burst[first].point, take_at_point):
            await self._take(burst[:first])
            await self._interleaving.wait_for_action()
            await self._settle(judges_ends=False)  # that may take time
            has_few_points = self._interleaving.is_waiting
        if has_few_points:
            await take_at_point()

    async def _take(self, steps: list[Step]) -> None:
        for step in steps:
            known = filled_in(step, self.channels, self.accounts.shown_ticket)
            taken = self._attempt(step, step.client, known.take(self))
            self._answers[id(step)] = await taken

    async def _attempt(self, step: Step, client: int | None, coroutine):
        """Await a part of the step; a fault is that client's. Raises UnknownStep."""
        try:
            return await coroutine
        except UnknownStep:
            raise
        except CheckFailed as failure:
            self.note_fault(client, failure.finding)
        except Exception as error:
            # The step may have called the student's code, such as a receiver of a signal.
            if fault := fault_outside_consumers(self._source, error):
                self._faults.append((None, fault))
            elif isinstance(error, LookupError | ValueError | TypeError | AttributeError):
                raise UnknownStep(f"{str(step)!r} cannot be played: {error}") from error
            else:
                raise

    def _note_burst(self, burst: list[Step], jobs_before: int) -> None:
        caused = [
            (number, event)
            for client, number in self._opened.items()
            for event in self._new_events_of(client)
        ]
        caused.sort(key=lambda pair: pair[1].time)
        clients = {number: self._report_of(it) for number, it in self.clients.items()}
        answers = [self._answers.get(id(step)) for step in burst]
        answers = [it.answer() if isinstance(it, StartedCall) else it for it in answers]
        calls = self.calls.take_news()
        faults = [ClientFault(*fault) for fault in self._faults_of_burst(caused, calls)]
        self.channels = {n: client.channel for n, client in clients.items() if client.channel}
        self.bursts.append(
            BurstReport(
                steps=tuple(map(str, burst)),
                clients=clients,
                answers=tuple(map(to_json, answers)),
                faults=tuple(faults),
                time=self.time,
                points=self._interleaving.passed,
                layers=tuple(current_layer().redis.take_layers_used()),
                sends_in_transaction=current_layer().redis.take_sends_in_transaction(),
                at_point=self._at_point,
                time_of_point=self._time_of_point,
                thread_jobs=asyncio.get_running_loop().thread_jobs_started - jobs_before,
                held=tuple(self._held),
                calls=tuple(call.made() for call in calls),
                events=tuple(caused) if self.options.events else (),
            )
        )

    def _faults_of_burst(self, caused, calls) -> Iterator[tuple[int | None, Finding]]:
        """The client and the fault, for each fault that shows now."""
        blocking, here = asyncio.get_running_loop().blocking_calls, threading.current_thread().name
        yield from ((None, fault) for fault in blocking)
        blocking.clear()
        yield from self._faults
        self._faults = []
        queries = ((n, fault_of_query(self.clients[n].source, it, here)) for n, it in caused)
        yield from islice((query for query in queries if query[1]), 1)
        for client, number in self._opened.items():
            if place := client.sent_after_end:
                client.sent_after_end = None
                yield number, make_finding("task-left-behind", place)
        for error in (call.error for call in calls if call.error):
            place = Place(self._source.file)
            unknown = make_finding("function-raised", place, detail=error_text(error))
            yield None, fault_outside_consumers(self._source, error) or unknown
        secrets = self.accounts.secrets
        yield from ((None, finding) for finding in secrets.findings)
        secrets.findings = []

    def _new_events_of(self, client: Client) -> list[Event]:
        return client.recorder.events[self._events_before.get(client, 0) :]

    def _report_of(self, client: Client) -> ClientReport:
        if client in self._last_reports:
            return self._last_reports[client]
        kinds = () if client.error is None else type(client.error).__mro__
        own = self._new_events_of(client)
        report = ClientReport(
            received=tuple((time - self._begun, it) for time, it, _ in client.arrivals),
            sent_at=tuple(at and (at.line, at.handler) for _, _, at in client.arrivals),
            is_busy=client.is_busy,
            ended=client.finished,
            too_late=tuple(client.sent_too_late),
            second_closes=tuple(client.second_closes),
            silence=silence(client),
            place=client.place,
            raised=error_text(client.error) if kinds else "",
            raised_kinds=tuple(kind.__name__ for kind in kinds),
            scope_changes=tuple(client.scope_changes),
            failed_task=fault_of_failed_task(client),
            channel=current_layer().channel_of(client.connection_id) or "",
            handled=sum(it.direction == "in" and it.message.get("type") != "scope" for it in own),
            waits=client.place_of_wait() is not None,
        )
        client.arrivals, client.sent_too_late, client.second_closes = [], [], []
        if client.has_ended and not own and not client.tasks:
            self._last_reports[client] = report
        return report

    # Steps

    def client_of(self, step: Step) -> Client | None:
        """The client that takes the step; None if its consumer has broken a rule."""
        number = step.client
        if number not in self.clients:
            raise UnknownStep(f"Client {number} is not connected: write connect before {step}.")
        client = self.clients[number]
        return None if client.is_judged else client

    def open_client(self, step: Step) -> Client:
        """A new client, which has not taken its first step yet."""
        server = step.arguments.get("server", 1)
        if server not in self._applications:
            played = self.subject, self._mounted, self._other_servers
            self._applications[server] = application_of_server(server, *played)
        port = CLIENT_PORT + step.client - 1  # as in life, a later client may have it again
        client = step.kind.new_client(self, self._applications[server], port, step.arguments)
        client.bug = BUGS[len(self._opened) % len(BUGS)]
        client.finds_lines = self.options.events
        client.recorder.with_state = self.options.events
        self.clients[step.client] = client
        self._opened[client] = step.client
        return client

    async def _settle(self, leaving=frozenset(), judges_ends=True) -> None:
        """Wait until all is idle, and judge each consumer. Consumers of `leaving` must stop."""
        await self._let_a_moment_pass()
        settled_at = None
        while settled_at != self.time:  # what one client waits for may take time for the others
            settled_at = self.time
            await self._settle_clients(leaving, judges_ends)
        if not self._worker_is_broken and (fault := self.workers.fault()):
            self._worker_is_broken = True
            self.note_fault(None, fault)

    async def _settle_clients(self, leaving, judges_ends) -> None:
        for number, client in [*self.clients.items()]:
            if client.is_judged or not client.has_begun:
                continue
            fault = await client.fault_now()
            if not fault and client.awaits_answer:
                fault = await client.wait_for_answer()
            must_end = judges_ends and (number in leaving or client.rules.client_left)
            if not fault and must_end:
                fault = await client.fault_of_end(self.options.stop_timeout)
            if fault:
                self.note_fault(number, fault)

    async def _let_a_moment_pass(self) -> None:
        """Wait until all is idle, and until short waits have ended: handlers may have many."""
        loop = asyncio.get_running_loop()
        await loop.wait_until_idle()
        begun = end = loop.time()
        # A worker looks at its tasks for ever.
        while (due := loop.next_timer(ignored=FakeWorker)) is not None:
            if any(client.is_busy for client in self.clients.values()):
                end = min(loop.time(), begun + HANDLERS_LIMIT)
            if due > end + MOMENT:
                return
            await asyncio.sleep(due - loop.time())
            await loop.wait_until_idle()

    def note_fault(self, number: int | None, fault: Finding) -> None:
        """Report a fault of that client's consumer. From now on the client only waits."""
        if number in self.clients:
            self.clients[number].is_judged = True
        self._faults.append((number, fault))

    async def _end(self) -> None:
        """End workers and clients. Their end is not a part of the conversation."""
        self.accounts.secrets.close()
        jobs = self._last_events[self.workers] = self.workers.transcript
        # A client that left a handler running has its own finding.
        begun = [client for client in self._opened if client.has_begun]
        self.has_killed |= bool(jobs) or not all(client.finished for client in begun)
        await self.workers.kill()
        for client in self._opened:
            has_ended = client.is_judged or client.finished or client.rules.client_left
            if not has_ended and not client.is_busy:
                self._last_events[client] = client.transcript
        for client in self._opened:
            await client.cancel_application()
        self._other_servers.close()
        await self.calls.end()
        await self.transaction.close()
        if self.database and (held := await self.database.unmanaged_connections()):
            finding = make_finding("connection-left-open", detail=f"In use: {', '.join(held)}")
            self.leftovers.append(finding)
