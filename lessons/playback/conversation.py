"""Plays a short conversation with a consumer, for the transcripts that a lesson's text shows."""

import asyncio
import importlib
import logging
import threading
import warnings
from datetime import UTC, datetime
from operator import attrgetter
from typing import NamedTuple

from django.utils import timezone

from lessons.core.catalogue import Lesson
from lessons.playback.child_process import run_isolated
from lessons.playback.conversation_setup import number_sessions, save_row
from lessons.playback.steps import METHODS, UnknownStep, client_for, numbered, take
from lessons.playback.target import resolve
from lessons.simulator.channel_layer import fake_redis
from lessons.simulator.check_context import CheckContext
from lessons.simulator.communicator import StrictClient
from lessons.simulator.controlled_sleep import fast_sleep
from lessons.simulator.database import fresh_database
from lessons.simulator.finding import CheckFailed
from lessons.simulator.loop import SimulatedLoop
from lessons.simulator.signal_receivers import isolated_signals
from lessons.simulator.student_module import application_for
from lessons.simulator.worker import Workers
from lessons.wire import recorder
from lessons.wire.events import Event

LIMIT = 5.0  # seconds that a conversation may take
MOST = 2000  # events that are told of one
FROZEN_NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)  # what Django's clock shows in every conversation


class PlaybackLimitExceeded(Exception):
    """A conversation that did not come to an end; `events` are what crossed until then."""

    def __init__(self, reason: str, events: tuple[Event, ...]):
        super().__init__(reason, events)
        self.reason, self.events = reason, events

    def __str__(self):
        return self.reason


def play(lesson: Lesson, name: str, steps: list[str], limit=LIMIT) -> tuple[Event, ...]:
    """What crosses while a client goes through `steps`; a rule that is broken ends all but waits.

    `name` is a consumer's or an application's qualified name, "solution", or a mistake:
    "mistake:NoAccept". Steps:
    `connect [/path/] [?query] [subprotocols=a,b] [as=ada] [ticket=ada] [origin=http://a.test]` (ada
    has logged in, or has a ticket), or a request: `POST [piece of the body]...` or `POST "body"`;
    then `text hello`, `bytes 00ff`, `close [code]`, `vanish` (the connection is lost),
    `wait seconds`, `layer {"type": ...}` (someone else sends this to the consumer's channel),
    `redis gone` and `redis back` (every layer is on it), `crash` (a handler raises), `kill` (the
    server cancels the consumer). A number in front, as in `2 connect`, is that of the client, who
    may connect again. At any time `worker channel...` starts `runworker`, and
    `row auth.Group {"name": "a"}` saves a row, or changes the one with that `id`; after
    `rolled-back`, in a transaction that is rolled back. Before all of them, `capacity 3` gives the
    channels of the layer room for three messages.

    Raises UnknownStep, UnknownTarget, CheckFailed where the file of that name cannot be run, and
    PlaybackLimitExceeded after `limit` seconds.
    """
    # In a process of its own, so that this one stays without threads and may fork to judge.
    return run_isolated(_play_here, lesson, name, steps, limit, attrgetter("events"))


class Turn(NamedTuple):
    """One step, and what crossed because of it: each event with the number of its client."""

    client: int
    step: str
    events: tuple[tuple[int, Event], ...]


def play_in_turns(lesson: Lesson, name: str, steps: list[str], limit=LIMIT) -> tuple[Turn, ...]:
    """As `play`, step by step; without what a worker does."""
    return run_isolated(_play_here, lesson, name, steps, limit, attrgetter("turns"))


def _play_here(answer, lesson: Lesson, name: str, steps: list[str], limit: float, told) -> None:
    logging.disable()  # what a consumer logs is no part of the transcript
    consumer_class = _subject(lesson, name)
    # A mistake may be a forgotten await: the transcript shows it, the terminal need not.
    warnings.filterwarnings("ignore", "coroutine .* was never awaited", RuntimeWarning)
    timezone.now = lambda: FROZEN_NOW
    config, steps = _layer_config(steps)
    played = Played(lesson, consumer_class)
    watch = threading.Timer(
        limit, lambda: answer(played.cut(f"Stopped after {limit:g} s."), "raised")
    )
    watch.daemon = True
    watch.start()
    with (
        fake_redis(**config),
        isolated_signals(consumer_class),
        asyncio.Runner(loop_factory=SimulatedLoop) as runner,
    ):
        recorder.clock = runner.get_loop().timestamp  # the waits are seen, though they take no time
        with fast_sleep(runner.get_loop(), consumer_class):
            runner.run(played.go_through(steps))
    if len(played.events) > MOST:
        raise played.cut(f"Cut after {MOST} events.")
    answer(told(played))


def _subject(lesson: Lesson, name: str):
    if name == "solution" or name.startswith("mistake:"):
        return resolve(lesson, name).load()
    module, _, attribute = name.rpartition(".")
    return getattr(importlib.import_module(module), attribute)


def _layer_config(steps: list[str]) -> tuple[dict, list[str]]:
    """What is said of the layer before the first client comes, and the steps of the clients."""
    name, _, number = steps[0].partition(" ")
    return ({"capacity": int(number)}, steps[1:]) if name == "capacity" else ({}, steps)


class Played:
    """A conversation that is being played, and what has crossed in it so far."""

    def __init__(self, lesson: Lesson, consumer_class):
        self._lesson = lesson
        self._consumer_class = consumer_class
        self.turns: tuple[Turn, ...] = ()
        self._clients: dict[int, StrictClient] = {}
        self._begun: list[tuple[int, StrictClient]] = []  # all of them; a number may come back
        self._at_rest: dict[int, tuple[Event, ...]] = {}  # a client's id → all that is told of it
        self._logins: dict[str, list] = {}  # headers by name: one browser, however many clients
        self._broken: set[int] = set()  # how far they came is told, and what goes on without them
        self._workers = Workers(CheckContext(lesson, consumer_class))
        self._jobs: tuple[Event, ...] | None = None

    @property
    def events(self) -> tuple[Event, ...]:
        """In the order in which they crossed."""
        jobs = self._workers.transcript if self._jobs is None else self._jobs
        clients = [client for _, client in [*self._begun]]
        transcripts = [self._at_rest.get(id(client), client.transcript) for client in clients]
        events = [event for transcript in transcripts for event in transcript]
        return tuple(sorted([*events, *jobs], key=lambda event: event.time))

    def cut(self, reason: str) -> PlaybackLimitExceeded:
        return PlaybackLimitExceeded(reason, self.events[:MOST])

    async def go_through(self, steps: list[str]) -> None:
        async with fresh_database() as database:
            number_sessions()
            try:
                for step in steps:
                    try:
                        await self._take_turn(step, database)
                    except (LookupError, ValueError, TypeError, AttributeError) as error:
                        if isinstance(error, UnknownStep):
                            raise
                        raise UnknownStep(f"{step!r} cannot be played: {error}") from error
            finally:
                self._jobs = self._workers.transcript  # without its end, which is another matter
                await self._workers.kill()
                self._at_rest = self._who_is_at_rest()
                for _, client in self._begun:
                    await client.cancel_application()

    async def _take_turn(self, step: str, database) -> None:
        before = {id(client): len(client.transcript) for _, client in self._begun}
        try:
            await self._take(step, database)
        finally:
            came = [
                (number, event)
                for number, client in self._begun
                for event in client.transcript[before.get(id(client), 0) :]
            ]
            came.sort(key=lambda one: one[1].time)
            self.turns += (Turn(*numbered(step), tuple(came)),)

    async def _take(self, step: str, database) -> None:
        if step.startswith(("row ", "rolled-back row ")):
            await database.do(save_row, *step.split("row ", 1))
            return
        if step.startswith("worker "):
            await self._workers.start(*step.split()[1:])
            return
        number, step = numbered(step)
        if number not in self._clients or step.split()[0] in ("connect", *METHODS):
            await self._begin(number, step, database)
        try:
            if number not in self._broken or step.startswith("wait"):
                await take(self._clients[number], step)
        except CheckFailed:
            self._broken.add(number)

    def _who_is_at_rest(self) -> dict[int, tuple[Event, ...]]:
        """Whoever waits for a client that is still there: it is the play that ends, not they."""
        return {
            id(client): client.transcript
            for number, client in self._begun
            if number not in self._broken
            and not (client.finished or client.is_busy or client.server.client_left)
        }

    async def _begin(self, number: int, step: str, database) -> None:
        async def log_in(name):
            if name not in self._logins:
                self._logins[name] = await database.log_in(name)
            return self._logins[name]

        application = _application_of(self._consumer_class, self._lesson)
        client = await client_for(step, application, self._lesson, database, log_in)
        self._clients[number] = client
        self._begun.append((number, client))
        self._broken.discard(number)


def _application_of(subject, lesson: Lesson):
    """A consumer as it is served; anything else is an application as it stands."""
    return application_for(subject, lesson) if isinstance(subject, type) else subject
