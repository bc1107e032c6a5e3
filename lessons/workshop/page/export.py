"""Writes the conversation that was played on a page as a pytest module for this project.

The module imports the code that was played. It sends the events that the clients sent, and asserts
the events that the consumers sent. To know these, the export plays the steps again, in an empty
database, because a test has an empty database too.
"""

import builtins
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

from lessons.workshop.course.lesson_index import ACCOUNTS, MANAGE, PROJECT_DIR, Lesson
from lessons.workshop.engine.recording.events import Event
from lessons.workshop.engine.scheduling.clock import BEGINNING
from lessons.workshop.engine.script.steps import Step, parse_step, tickets_in
from lessons.workshop.engine.subject import Subject
from lessons.workshop.judge.redaction import HIDDEN
from lessons.workshop.judge.study.recordings import Recording, play, playable
from lessons.workshop.page.python_literal import python_literal

EXAMPLE = "lessons.asgi.unrecorded"  # every worked example, with the checks of its app
OWN_ORIGIN = "http://localhost"  # the origin of the project's own pages
TIMEOUT = 10  # seconds that the test waits for an event, plus the longest wait of the conversation
# Text that differs in every run: a channel name, a session key, the time of day, a secret.
_VOLATILE = re.compile(
    rf"specific\.check!\d+|0{{20,}}\d+|{BEGINNING:%Y-%m-%dT}[.+:\dZ]*|{re.escape(HIDDEN)}"
)
_MODULE = '''\
"""A conversation of lesson {lesson.number}, {lesson.slug}, as a test.

Save this file in tests/, then run it: {manage} test tests/{name}
"""

import re

import pytest
from channels.routing import URLRouter
from channels.testing import HttpCommunicator, WebsocketCommunicator
from django.apps import apps
from django.contrib.auth.models import User
from django.test import AsyncClient
from django.urls import path
from django.utils.module_loading import import_string

TIMEOUT = {timeout:g}  # seconds; only a test that fails waits so long


async def log_in(name, **rights):
    """The header of a new browser in which this user is logged in."""
    user, _ = await User.objects.aget_or_create(username=name, defaults=rights)
    browser = AsyncClient()
    await browser.aforce_login(user)
    return (b"cookie", f"sessionid={{browser.cookies['sessionid'].value}}".encode())


@pytest.mark.django_db(transaction=True, reset_sequences=True)
async def test_conversation():
{lines}
'''


class NotExportable(ValueError):
    """A conversation that makes no test. The text gives the reason, and what to do."""


class ExportedTest(NamedTuple):
    """A pytest module, and the name of its file."""

    name: str
    source: str


def export_test(lesson: Lesson, steps: list[Step], target: Subject | None = None) -> ExportedTest:
    """The conversation as a test. `target` None is the worked example.

    Raises what `play` raises, and NotExportable.
    """
    steps = [*steps, *(Step("close", {"code": 1001}, client) for client in _still_open(steps))]
    text = target.text() if target else ""
    if "def issue(" in text or any(map(_has_ticket, steps)):
        raise NotExportable(
            "A ticket is for one use, so it makes no test. "
            f"tests/{lesson.app}/{lesson.tests.name} shows how a test issues tickets."
        )
    if target is None:
        played, setup = EXAMPLE, [f'application = import_string("{EXAMPLE}")']
        steps = [_with_origin(step) for step in steps]
    else:
        played = str(target.file) if target.title == "exercise" else target.title
        setup = _applications_lines(lesson, target, text)
    report = play(playable(lesson, played), [*lesson.rows, *map(str, steps)])
    if cut := Recording.of(report).cut:
        raise NotExportable(
            f"{cut} That is too much for a test. Press Clear, then play a shorter conversation."
        )
    lines = [*setup, *(_create_row(**parse_step(row).arguments) for row in lesson.rows)]
    for user in dict.fromkeys(step.arguments["as"] for step in steps if "as" in step.arguments):
        name = user.partition("/")[0]
        rights = "".join(f", {key}={value}" for key, value in ACCOUNTS.get(name, {}).items())
        lines.append(f"{_variable(user)} = await log_in({python_literal(name)}{rights})")
    for step, burst in zip(steps, report.bursts[len(lesson.rows) :], strict=True):
        if step.kind.begins:
            lines += ["", f"client_{step.client} = {_communicator(step, lesson.path)}"]
        lines += _lines_of(step, burst.events)
    name = f"test_played_{lesson.folder.name}.py"
    timeout = TIMEOUT + max((step.arguments.get("seconds", 0) for step in steps), default=0)
    body = "\n".join(f"    {line}".rstrip() for line in lines)
    words = {"lesson": lesson, "manage": MANAGE, "name": name, "timeout": timeout, "lines": body}
    return ExportedTest(name, _MODULE.format(**words))


def _still_open(steps: list[Step]) -> Iterator[int]:
    """The numbers of the clients that have not left."""
    is_open = {}
    for step in steps:
        if step.kind.begins or step.kind.ends:
            is_open[step.client] = step.kind.begins
    return (client for client, still in is_open.items() if still)


def _has_ticket(step: Step) -> bool:
    is_in_query = step.arguments.get("query", "").startswith("ticket=")
    return is_in_query or "ticket" in step.arguments or any(tickets_in(step))


def _with_origin(step: Step) -> Step:
    """The project's application checks the origin, so each client needs one."""
    if step.action != "connect":
        return step
    return replace(step, arguments={"origin": OWN_ORIGIN, **step.arguments})


def _applications_lines(lesson: Lesson, target: Subject, text: str) -> list[str]:
    """Import a student's file, the solution or a mistake, and mount it as its lesson does."""
    if not target.file.is_relative_to(PROJECT_DIR):
        raise NotExportable(f"{target.file.name} is not a file of this project.")
    module = ".".join(target.file.relative_to(PROJECT_DIR).with_suffix("").parts)
    is_mistake = target.title.startswith("mistake:")
    lines = [f'consumer = import_string("{module}.{target.name}")']
    if "def ready(" in text:  # what an AppConfig would call
        ready = "consumer.ready" if is_mistake else f'import_string("{module}.ready")'
        lines.append(f"{ready}()")
    if is_mistake and "cls.application =" in text:
        return [*lines, "application = consumer.application"]
    if re.search(r"^application = ", text, re.M):
        return [*lines, f'application = import_string("{module}.application")']
    application = "consumer.as_asgi()"
    if lesson.route:
        application = f"URLRouter([path({python_literal(lesson.route)}, {application})])"
    if lesson.stack:
        application = f'import_string("{lesson.stack}")({application})'
    return [*lines, f"application = {application}"]


def _create_row(model: str, fields: dict) -> str:
    values = ", ".join(f"{key}={python_literal(value)}" for key, value in fields.items())
    return f'await apps.get_model("{model}").objects.acreate({values})'


def _variable(user: str) -> str:
    """A variable for that user's browser. a-b and a@b get different ones."""
    return "browser_" + re.sub("[^a-zA-Z0-9]", lambda found: f"_{ord(found[0]):x}_", user)


def _communicator(step: Step, home: str) -> str:
    given, path = step.arguments, step.arguments.get("path", home)
    if step.kind.is_request:
        arguments = f'"{step.action}", {python_literal(path)}, headers=[(b"host", b"localhost")]'
        return f"HttpCommunicator(application, {arguments})"
    path += f"?{given['query']}" if "query" in given else ""
    headers = [_variable(given["as"])] if "as" in given else []
    if "origin" in given:
        headers.append(python_literal((b"origin", given["origin"].encode())))
    options = f", headers=[{', '.join(headers)}]" if headers else ""
    if "subprotocols" in given:
        options += f", subprotocols={python_literal(given['subprotocols'])}"
    return f"WebsocketCommunicator(application, {python_literal(path)}{options})"


def _lines_of(step: Step, events: tuple[tuple[int, Event], ...]) -> Iterator[str]:
    """What the step's client sends, and each event that follows, in order."""
    directions = set()
    for client, event in events:
        line = _line_of(f"client_{client}", event, step if client == step.client else None)
        if line:
            directions.add(event.direction)
            yield line
    if step.action in ("connect", "text", "bytes") and directions == {"in"}:
        yield f"assert await client_{step.client}.receive_nothing()"


def _line_of(client: str, event: Event, step: Step | None) -> str:
    """The line for one event; `step` is the one that its own client took."""
    message = event.message
    if event.lane == "consumer" and message["type"] == "raised":
        error, _, text = message["error"].partition(": ")
        known = error if isinstance(getattr(builtins, error, None), type) else "Exception"
        match = f", match={python_literal(re.escape(text))}" if text else ""
        return f"with pytest.raises({known}{match}):\n        await {client}.wait(TIMEOUT)"
    if event.lane == "consumer":
        return f"await {client}.wait(TIMEOUT)"
    if event.lane != "client" or message["type"] == "scope":
        return ""
    if event.direction == "in":
        if message["type"] == "websocket.receive" and step:  # the recorded frame has no secrets
            data = step.arguments.get("text", bytes.fromhex(step.arguments.get("hex", "")))
            message = {"type": message["type"], step.action: data}
        return f"await {client}.send_input({python_literal(message)})"
    text = message.get("text")
    if isinstance(text, str) and _VOLATILE.search(text):
        pattern = python_literal(".+".join(map(re.escape, _VOLATILE.split(text))))
        return f'assert re.fullmatch({pattern}, (await {client}.receive_output(TIMEOUT))["text"])'
    return f"assert await {client}.receive_output(TIMEOUT) == {python_literal(message)}"
