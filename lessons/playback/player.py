"""Takes the steps of a conversation: opens clients, sends frames, saves rows, starts workers.

The player runs in the child process that child_process.py starts, with the consumer under test. It
needs no clean-up for what it changes in that process: the process ends with the conversation.
"""

import asyncio
import importlib
import itertools
from typing import NamedTuple

from asgiref.sync import sync_to_async
from django.apps import apps
from django.contrib.sessions.backends import base
from django.db import transaction

from lessons.core.catalogue import Lesson
from lessons.playback.steps import BEGINNINGS, METHODS, Step, UnknownStep
from lessons.simulator.channel_layer import current_layer
from lessons.simulator.check_context import CheckContext
from lessons.simulator.communicator import StrictClient, StrictCommunicator, StrictHttpCommunicator
from lessons.simulator.database import fresh_database
from lessons.simulator.finding import CheckFailed
from lessons.simulator.student_module import application_for
from lessons.simulator.worker import Workers
from lessons.wire.events import Event


class Turn(NamedTuple):
    """One step, and the events that it caused, each with the number of its client.

    `client` is the number of the client that took the step; None for a step without one.
    """

    client: int | None
    step: str
    events: tuple[tuple[int, Event], ...]


class Player:
    """Plays one conversation; `events` and `turns` are what happened in it so far."""

    def __init__(self, lesson: Lesson, subject):
        self._lesson = lesson
        self._subject = subject
        self._database = None
        self.turns: list[Turn] = []
        self._clients: dict[int, StrictClient] = {}
        self._opened: list[tuple[int, StrictClient]] = []  # every client; a number may be reused
        self._idle: dict[int, tuple[Event, ...]] = {}  # id of an idle client → its transcript
        self._logins: dict[str, list] = {}  # user → headers: all clients share one browser
        self._tickets: dict[str, str] = {}
        self._broken: set[int] = set()  # clients whose consumer broke a rule: they only wait
        self._workers = Workers(CheckContext(lesson, subject))
        self._jobs: tuple[Event, ...] | None = None

    @property
    def events(self) -> tuple[Event, ...]:
        """All events so far, by time."""
        jobs = self._workers.transcript if self._jobs is None else self._jobs
        # A copy: the thread of the time limit reads the list while clients are added to it.
        clients = [client for _, client in [*self._opened]]
        transcripts = [self._idle.get(id(client), client.transcript) for client in clients]
        events = [event for transcript in transcripts for event in transcript]
        return tuple(sorted([*events, *jobs], key=lambda event: event.time))

    async def play(self, steps: list[Step]) -> None:
        """Take all steps. Raises UnknownStep for one that cannot be taken."""
        async with fresh_database() as self._database:
            _number_session_keys()
            try:
                for step in steps:
                    try:
                        await self._take_turn(step)
                    except UnknownStep:
                        raise
                    except (LookupError, ValueError, TypeError, AttributeError) as error:
                        raise UnknownStep(f"{str(step)!r} cannot be played: {error}") from error
            finally:
                await self._end()

    async def _end(self) -> None:
        """End workers and clients. Their end is not a part of the conversation."""
        self._jobs = self._workers.transcript
        await self._workers.kill()
        self._idle = {
            id(client): client.transcript
            for number, client in self._opened
            if number not in self._broken
            and not (client.finished or client.is_busy or client.server.client_left)
        }
        for _, client in self._opened:
            await client.cancel_application()

    async def _take_turn(self, step: Step) -> None:
        before = {id(client): len(client.transcript) for _, client in self._opened}
        try:
            await self._take(step)
        finally:
            caused = [
                (number, event)
                for number, client in self._opened
                for event in client.transcript[before.get(id(client), 0) :]
            ]
            caused.sort(key=lambda pair: pair[1].time)
            self.turns.append(Turn(step.client, str(step), tuple(caused)))

    async def _take(self, step: Step) -> None:
        if step.action == "row":
            await self._database.do(_save_row, **step.arguments)
        elif step.action == "worker":
            await self._workers.start(*step.arguments["channels"])
        elif step.client is None:
            raise UnknownStep(f"{str(step)!r} stands too late: write it as the first step.")
        else:
            await self._take_as_client(step)

    async def _take_as_client(self, step: Step) -> None:
        number = step.client
        if step.action in BEGINNINGS:
            self._clients[number] = await self._client_for(step)
            self._opened.append((number, self._clients[number]))
            self._broken.discard(number)
        elif number not in self._clients:
            raise UnknownStep(f"Client {number} is not connected: write connect before {step}.")
        try:
            if number not in self._broken or step.action == "wait":
                await _carry_out(self._clients[number], step)
        except CheckFailed:
            self._broken.add(number)

    async def _client_for(self, step: Step) -> StrictClient:
        """A client that has not taken its first step yet, which is `step`."""
        application = self._subject
        if isinstance(application, type):
            application = application_for(application, self._lesson)
        if step.action in METHODS:
            body = step.arguments.get("body", "").encode()
            pieces = [piece.encode() for piece in step.arguments.get("pieces", ())]
            return StrictHttpCommunicator(
                application, step.action, self._lesson.path, pieces or body
            )
        path = await self._path_for(step)
        headers = await self._headers_for(step)
        subprotocols = step.arguments.get("subprotocols", [])
        return StrictCommunicator(application, path, headers, subprotocols)

    async def _path_for(self, step: Step) -> str:
        path, query = step.arguments.get("path", self._lesson.path), step.arguments.get("query")
        if "ticket" in step.arguments:
            query = f"ticket={await self._ticket_for(step.arguments['ticket'])}"
        return path if query is None else f"{path}?{query}"

    async def _headers_for(self, step: Step) -> list[tuple[bytes, bytes]]:
        headers = []
        if user := step.arguments.get("as"):
            if user not in self._logins:
                self._logins[user] = await self._database.log_in(user)
            headers += self._logins[user]
        if "origin" in step.arguments:
            headers.append((b"origin", step.arguments["origin"].encode()))
        return headers

    async def _ticket_for(self, name: str) -> str:
        """A ticket from the worked middleware's module for this user; `ada/2` is ada's second."""
        if name not in self._tickets:
            user = await self._database.add_account(name.partition("/")[0])
            issue = importlib.import_module(self._lesson.stack_module).issue
            self._tickets[name] = await sync_to_async(issue)(user)
        return self._tickets[name]


async def _carry_out(client: StrictClient, step: Step) -> None:
    """Let `client` take the step. Raises CheckFailed where the consumer breaks a rule."""
    arguments = step.arguments
    match step.action:
        case "connect":
            await client.connect()
        case "GET" | "POST":
            await client.send_request()
        case "text":
            await client.send_to(text_data=arguments["text"])
        case "bytes":
            await client.send_to(bytes_data=bytes.fromhex(arguments["hex"]))
        case "close" if isinstance(client, StrictHttpCommunicator):
            await client.disconnect()
        case "close":
            await client.disconnect(arguments.get("code"))
        case "vanish":
            await client.disconnect(1006)
        case "wait":
            await asyncio.sleep(arguments["seconds"] + 0.01)  # what is due at the end happens too
            await asyncio.get_running_loop().wait_until_idle()
        case "layer":
            layer = current_layer()
            channel = layer.channel_of(client.server.connection_id)
            await layer.send(channel, arguments["message"])
            await asyncio.get_running_loop().wait_until_idle()
        case "redis" if arguments["state"] == "gone":
            await current_layer().redis.stop()
        case "redis":
            current_layer().redis.start()
        case "crash":
            await client.crash()
        case "kill":
            await client.kill()


def _save_row(model: str, fields: dict, rolled_back: bool = False) -> None:
    model_class = apps.get_model(model)
    with transaction.atomic():
        row = model_class.objects.filter(pk=fields.get("id")).first() or model_class()
        for field, value in fields.items():
            setattr(row, field, value)
        row.save()
        transaction.set_rollback(rolled_back)


def _number_session_keys() -> None:
    """Number session keys instead of drawing them: a transcript may show what follows from one."""
    numbers = itertools.count(1)
    base.get_random_string = lambda length, characters: f"{next(numbers):0{length}}"
