"""Plays a short conversation with a consumer, for the transcripts that a lesson's text shows."""

import asyncio
import importlib
import itertools
import json
import logging
import multiprocessing
import warnings
from concurrent.futures import ProcessPoolExecutor
from urllib.parse import parse_qs, urlencode

from asgiref.sync import sync_to_async
from django.apps import apps
from django.contrib.auth import get_user_model
from django.contrib.sessions.backends import base
from django.db import transaction

from lessons.catalogue import Lesson
from lessons.checking.communicator import StrictCommunicator
from lessons.checking.database import fresh_database
from lessons.checking.finding import Red
from lessons.checking.fixtures import Bench
from lessons.checking.http_communicator import StrictHttpCommunicator
from lessons.checking.layer import packing_layer
from lessons.checking.loop import ObservedLoop
from lessons.checking.outage import on_redis
from lessons.checking.runner import start_method
from lessons.checking.signals import signals_of
from lessons.checking.strict import Strict
from lessons.checking.target import resolve, served
from lessons.checking.worker import Workers
from lessons.wire.events import Event

METHODS = ("GET", "POST")

_tickets: dict[str, str] = {}  # by user; a conversation has a process of its own


class UnknownStep(ValueError):
    """A step that `play` does not know."""


def play(lesson: Lesson, name: str, steps: list[str]) -> tuple[Event, ...]:
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
    """
    # In a process of its own, so that this one stays without threads and may fork to judge.
    context = multiprocessing.get_context(start_method())
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        return pool.submit(_play_here, lesson, name, steps).result()


def _play_here(lesson: Lesson, name: str, steps: list[str]) -> tuple[Event, ...]:
    logging.disable()  # what a consumer logs is no part of the transcript
    if name == "solution" or name.startswith("mistake:"):
        consumer_class = resolve(lesson, name).load()
    else:
        module, _, attribute = name.rpartition(".")
        consumer_class = getattr(importlib.import_module(module), attribute)
    # A mistake may be a forgotten await: the transcript shows it, the terminal need not.
    warnings.filterwarnings("ignore", "coroutine .* was never awaited", RuntimeWarning)
    config, steps = _layer_config(steps)
    with (
        on_redis(**config),
        signals_of(consumer_class),
        asyncio.Runner(loop_factory=ObservedLoop) as runner,
    ):
        return runner.run(_play(lesson, consumer_class, steps))


def _layer_config(steps: list[str]) -> tuple[dict, list[str]]:
    """What is said of the layer before the first client comes, and the steps of the clients."""
    name, _, number = steps[0].partition(" ")
    return ({"capacity": int(number)}, steps[1:]) if name == "capacity" else ({}, steps)


async def _play(lesson, consumer_class, steps) -> tuple[Event, ...]:
    clients: dict[int, Strict] = {}
    workers = Workers(Bench(lesson, consumer_class))
    broken = set()  # the transcript shows how far it came, and what goes on without a client
    async with fresh_database() as database:
        _number_sessions()
        try:
            for step in steps:
                if step.startswith(("row ", "rolled-back row ")):
                    await database.do(_save, *step.split("row ", 1))
                    continue
                if step.startswith("worker "):
                    await workers.start(*step.split()[1:])
                    continue
                number, step = _numbered(step)
                if number not in clients:
                    application = _application_of(consumer_class, lesson)
                    clients[number] = await _client(application, lesson, step, database)
                try:
                    if number not in broken or step.startswith("wait"):
                        await _take(clients[number], step)
                except Red:
                    broken.add(number)
        finally:
            jobs = workers.transcript  # without its end, which the lesson is not about
            await workers.kill()
            for client in clients.values():
                await client.abandon()
    events = [event for client in clients.values() for event in client.transcript] + [*jobs]
    return tuple(sorted(events, key=lambda event: event.time))


def _save(end: str, what: str) -> None:
    name, _, fields = what.partition(" ")
    fields = json.loads(fields)
    model = apps.get_model(name)
    with transaction.atomic():
        row = model.objects.filter(pk=fields.get("id")).first() or model()
        for field, value in fields.items():
            setattr(row, field, value)
        row.save()
        transaction.set_rollback(bool(end))


def _number_sessions() -> None:
    """Give sessions the same keys each time: what is derived from one may stand in a transcript."""
    numbers = itertools.count(1)
    base.get_random_string = lambda length, characters: f"{next(numbers):0{length}}"


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
        words["query"] = f"ticket={await _ticket_of(words['ticket'], lesson, database)}"
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


async def _ticket_of(name: str, lesson: Lesson, database) -> str:
    """The ticket that the worked middleware's module has issued to this user."""
    if name not in _tickets:
        await database.add_account(name)
        user = await get_user_model().objects.aget(username=name)
        issue = importlib.import_module(lesson.stack.rpartition(".")[0]).issue
        _tickets[name] = await sync_to_async(issue)(user)
    return _tickets[name]


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
        await _send_from_elsewhere(client, json.loads(rest))
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


async def _send_from_elsewhere(client: Strict, message: dict) -> None:
    layer = packing_layer()
    await layer.send(layer.channel_of(client.server.connection_id), message)
    await asyncio.get_running_loop().settled()
