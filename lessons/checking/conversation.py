"""Plays a short conversation with a consumer, for the transcripts that a lesson's text shows."""

import asyncio
import importlib
import json
import logging
import threading
import warnings
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlencode

from django.utils import timezone

from lessons.catalogue import Lesson
from lessons.checking.apart import ask_apart
from lessons.checking.communicator import StrictCommunicator
from lessons.checking.database import fresh_database
from lessons.checking.elsewhere import number_sessions, save_row, send_from_elsewhere, ticket_of
from lessons.checking.finding import Red
from lessons.checking.fixtures import Bench
from lessons.checking.http_communicator import StrictHttpCommunicator
from lessons.checking.layer import packing_layer
from lessons.checking.loop import ObservedLoop
from lessons.checking.outage import on_redis
from lessons.checking.signals import signals_of
from lessons.checking.strict import Strict
from lessons.checking.target import resolve, served
from lessons.checking.worker import Workers
from lessons.wire.events import Event

METHODS = ("GET", "POST")
LIMIT = 5.0  # seconds that a conversation may take
MOST = 2000  # events that are told of one
MOMENT = datetime(2026, 1, 1, 12, tzinfo=UTC)  # what Django's clock shows in every conversation


class UnknownStep(ValueError):
    """A step that `play` does not know."""


class Endless(Exception):
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
    has logged in, or has a ticket), or a request: `POST [piece of the body]...`; then `text hello`,
    `bytes 00ff`, `close [code]`, `wait seconds`, `layer {"type": ...}` (someone else sends this to
    the consumer's channel), `redis gone` and `redis back` (every layer is on it), `crash` (a
    handler raises), `kill` (the server cancels the consumer). A number in front, as in `2 connect`,
    is that of the client. At any time `worker channel...` starts `runworker`, and
    `row auth.Group {"name": "a"}` saves a row, or changes the one with that `id`; after
    `rolled-back`, in a transaction that is rolled back. Before all of them, `capacity 3` gives the
    channels of the layer room for three messages.

    Raises UnknownStep, UnknownTarget, Red where the file of that name cannot be run, and Endless
    after `limit` seconds.
    """
    # In a process of its own, so that this one stays without threads and may fork to judge.
    return ask_apart(_play_here, lesson, name, steps, limit)


def _play_here(answer, lesson: Lesson, name: str, steps: list[str], limit: float) -> None:
    logging.disable()  # what a consumer logs is no part of the transcript
    consumer_class = _subject(lesson, name)
    # A mistake may be a forgotten await: the transcript shows it, the terminal need not.
    warnings.filterwarnings("ignore", "coroutine .* was never awaited", RuntimeWarning)
    timezone.now = lambda: MOMENT
    config, steps = _layer_config(steps)
    played = Played(lesson, consumer_class)
    watch = threading.Timer(
        limit, lambda: answer(played.cut(f"Stopped after {limit:g} s."), "raised")
    )
    watch.daemon = True
    watch.start()
    with (
        on_redis(**config),
        signals_of(consumer_class),
        asyncio.Runner(loop_factory=ObservedLoop) as runner,
    ):
        runner.run(played.go_through(steps))
    if len(played.events) > MOST:
        raise played.cut(f"Cut after {MOST} events.")
    answer(played.events)


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
        self._clients: dict[int, Strict] = {}
        self._broken: set[int] = set()  # how far they came is told, and what goes on without them
        self._workers = Workers(Bench(lesson, consumer_class))
        self._jobs: tuple[Event, ...] | None = None

    @property
    def events(self) -> tuple[Event, ...]:
        """In the order in which they crossed."""
        jobs = self._workers.transcript if self._jobs is None else self._jobs
        events = [event for client in [*self._clients.values()] for event in client.transcript]
        return tuple(sorted([*events, *jobs], key=lambda event: event.time))

    def cut(self, reason: str) -> Endless:
        return Endless(reason, self.events[:MOST])

    async def go_through(self, steps: list[str]) -> None:
        async with fresh_database() as database:
            number_sessions()
            try:
                for step in steps:
                    try:
                        await self._take(step, database)
                    except (LookupError, ValueError, TypeError, AttributeError) as error:
                        if isinstance(error, UnknownStep):
                            raise
                        raise UnknownStep(f"{step!r} cannot be played: {error}") from error
            finally:
                self._jobs = self._workers.transcript  # without its end, which is another matter
                await self._workers.kill()
                for client in self._clients.values():
                    await client.abandon()

    async def _take(self, step: str, database) -> None:
        if step.startswith(("row ", "rolled-back row ")):
            await database.do(save_row, *step.split("row ", 1))
            return
        if step.startswith("worker "):
            await self._workers.start(*step.split()[1:])
            return
        number, step = _numbered(step)
        if number not in self._clients:
            application = _application_of(self._consumer_class, self._lesson)
            self._clients[number] = await _client(application, self._lesson, step, database)
        try:
            if number not in self._broken or step.startswith("wait"):
                await _take(self._clients[number], step)
        except Red:
            self._broken.add(number)


def _numbered(step: str) -> tuple[int, str]:
    """The number of the client that a step is for, and the step."""
    number, _, rest = step.partition(" ")
    return (int(number), rest) if number.isdecimal() else (1, step)


def _application_of(subject, lesson: Lesson):
    """A consumer as it is served; anything else is an application as it stands."""
    return served(subject, lesson) if isinstance(subject, type) else subject


async def _client(application, lesson: Lesson, step: str, database) -> Strict:
    name, *pieces = step.split()
    if name in METHODS:
        body = [piece.encode() for piece in pieces] or b""
        return StrictHttpCommunicator(application, name, lesson.path, body)
    words = _handshake(step)
    headers = await database.log_in(words["as"]) if "as" in words else []
    if "origin" in words:
        headers = [*headers, (b"origin", words["origin"].encode())]
    subprotocols = words["subprotocols"].split(",") if "subprotocols" in words else []
    if "ticket" in words:
        words["query"] = f"ticket={await ticket_of(words['ticket'], lesson, database)}"
    path = words.get("path", lesson.path)
    path = f"{path}?{words['query']}" if "query" in words else path
    return StrictCommunicator(application, path, headers, subprotocols)


def _handshake(step: str) -> dict[str, str]:
    """What follows `connect`, by name."""
    name, *words = step.split()
    if name != "connect":
        raise UnknownStep(f"a conversation begins with connect, not with {step!r}")
    told = {}
    for word in words:
        key, _, value = word.partition("=")
        if word.startswith("/"):
            told["path"] = word
        elif word.startswith("?"):
            told["query"] = urlencode(parse_qs(word[1:], keep_blank_values=True), doseq=True)
        elif key in ("subprotocols", "as", "ticket", "origin"):
            told[key] = value
        else:
            raise UnknownStep(f"connect does not know {word!r}")
    return told


async def _take(client: Strict, step: str) -> None:
    name, _, rest = step.partition(" ")
    if name == "connect":
        await client.connect()
    elif name in METHODS:
        await client.send_request()
    elif name == "close" and isinstance(client, StrictHttpCommunicator):
        await client.disconnect()
    elif name == "text":
        await client.send_to(text_data=rest)
    elif name == "bytes":
        await client.send_to(bytes_data=bytes.fromhex(rest))
    elif name == "close":
        await client.disconnect(int(rest) if rest else None)
    elif name == "wait":
        await asyncio.sleep(float(rest) + 0.01)  # what is due at the end has come
        await asyncio.get_running_loop().settled()
    elif name == "layer":
        await send_from_elsewhere(client, json.loads(rest))
    elif step == "redis gone":
        await packing_layer().redis.go_away()
    elif step == "redis back":
        packing_layer().redis.come_back()
    elif name in ("crash", "kill"):
        await getattr(client, name)()
    else:
        raise UnknownStep(
            f"{step!r}: write connect, text, bytes, close, wait, layer, redis, crash or kill"
        )
