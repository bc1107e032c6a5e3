"""Writes what was played as a pytest module that stands alone, with the stock communicators.

What the consumers have sent is known from playing the steps once more in an empty database, as a
test has one.
"""

import importlib
import json
import re

from django.contrib.auth import get_user_model
from django.core import signing
from django.urls.resolvers import RoutePattern

from lessons.core.accounts import ACCOUNTS
from lessons.core.catalogue import Lesson
from lessons.playback.conversation import Turn, play_in_turns
from lessons.playback.steps import METHODS, handshake
from lessons.web.exercise.pytest_assertions import lines_of, literal, ticket_named

HERE = "http://localhost"  # the origin of a client of the project's own pages
PROJECT = "lessons.asgi.websocket_application"
PATIENCE = 10  # seconds that the test waits for what comes at once

_MODULE = '''\
"""What was played on the page of lesson {number}, {title}."""

{imports}

PATIENCE = {patience}  # seconds, only ever spent by a test that fails
{head}

async def test_what_was_played():
    {body}
'''
_LOGGED_IN = '''

async def logged_in(name, **rights):
    """The headers of a browser in which this user has logged in."""
    browser = AsyncClient()
    await browser.aforce_login(await User.objects.acreate(username=name, **rights))
    cookie = browser.cookies[settings.SESSION_COOKIE_NAME].value
    return [(b"cookie", f"{settings.SESSION_COOKIE_NAME}={cookie}".encode())]
'''
_TICKET = '''

async def ticket_for(name):
    """A ticket that has just been issued to this user."""
    user, _ = await User.objects.aget_or_create(username=name)
    return await sync_to_async(issue)(user)
'''
_NUMBERED_ANEW = "pytestmark = pytest.mark.django_db(transaction=True, reset_sequences=True)\n"
# Those that the module has use for, group by group.
_IMPORTS = (
    ("import re",),
    (
        "import pytest",
        "from asgiref.sync import sync_to_async",
        "from channels.routing import URLRouter",
        "from channels.testing import HttpCommunicator",
        "from channels.testing import WebsocketCommunicator",
        "from django.conf import settings",
        "from django.contrib.auth.models import Group",
        "from django.contrib.auth.models import User",
        "from django.test import AsyncClient",
        "from django.urls import path",
    ),
)


def file_name(lesson: Lesson) -> str:
    """What the module's file may be called."""
    return f"test_played_{lesson.folder.name}.py"


def write_test(lesson: Lesson, steps: list[str]) -> str:
    """The module's source. Raises what `play` does."""
    steps = [*steps, *(f"{client} close 1001" for client in _left_open(steps))]
    is_own = all(_is_own(lesson, step) for step in steps)
    if not is_own:  # the worked example alone is not all that has answered
        steps = [_with_origin(step) for step in steps]
    turns = play_in_turns(lesson, lesson.demo if is_own else PROJECT, [*lesson.rows, *steps])
    turns = turns[len(lesson.rows) :]
    accounts = dict.fromkeys(name for turn in turns if (name := _told(turn.step).get("as")))
    tickets = dict.fromkeys(name for turn in turns if (name := _told(turn.step).get("ticket")))
    body = [*map(_row, lesson.rows), *map(_login, accounts), *map(_issued, tickets)]
    body += [line for turn in turns for line in lines_of(turn, lesson.path)]
    head = _application(lesson) if is_own else ""
    if lesson.rows or accounts or _asks_the_database(turns):
        head = _NUMBERED_ANEW + head
    head += (_LOGGED_IN if accounts else "") + (_TICKET if tickets else "")
    own = [lesson.demo, lesson.stack] if is_own else [PROJECT]
    if tickets:
        own.append(f"{lesson.stack_module}.issue")
    return _MODULE.format(
        number=lesson.number,
        title=lesson.title,
        imports=_imports("\n".join([head, *body]), own),
        patience=f"{PATIENCE + _longest_wait(turns):g}",
        head=head,
        body="\n    ".join(body),
    )


def _left_open(steps: list[str]) -> list[str]:
    """The numbers of the clients that have not left."""
    there = {}
    for step in steps:
        client, name, *_ = step.split(" ")
        if name in ("connect", "close", "vanish", *METHODS):
            there[client] = name not in ("close", "vanish")
    return [client for client, is_there in there.items() if is_there]


def _told(step: str) -> dict[str, str]:
    """What a handshake says, by name; nothing for any other step."""
    step = re.sub(r"^\d+ ", "", step)
    return handshake(step) if step.startswith("connect") else {}


def _is_own(lesson: Lesson, step: str) -> bool:
    """Whether the worked example sees it, with nobody before it who looks at origins."""
    told = _told(step)
    path = told.get("path", lesson.path).removeprefix("/")
    pattern = RoutePattern(lesson.route or lesson.path.removeprefix("/"), is_endpoint=True)
    return "origin" not in told and pattern.match(path) is not None


def _with_origin(step: str) -> str:
    is_bare = re.match(r"\d+ connect\b", step) and "origin" not in _told(step)
    return f"{step} origin={HERE}" if is_bare else step


def _row(step: str) -> str:
    name, _, fields = step.removeprefix("row ").partition(" ")
    values = ", ".join(f"{key}={literal(value)}" for key, value in json.loads(fields).items())
    return f"await {name.partition('.')[2]}.objects.acreate({values})"


def _login(name: str) -> str:
    rights = "".join(f", {key}={value}" for key, value in ACCOUNTS.get(name, {}).items())
    return f'{name} = await logged_in("{name}"{rights})'


def _issued(ticket: str) -> str:
    return f'{ticket_named(ticket)} = await ticket_for("{ticket.partition("/")[0]}")'


def _application(lesson: Lesson) -> str:
    route = lesson.route or lesson.path.removeprefix("/")
    made = f'URLRouter([path("{route}", {_last(lesson.demo)}.as_asgi())])'
    return f"application = {f'{_last(lesson.stack)}({made})' if lesson.stack else made}\n"


def _imports(text: str, names: list[str | None]) -> str:
    """The imports of what `text` uses, and of `names`, which are qualified."""
    own = [f"from {name.rpartition('.')[0]} import {_last(name)}" for name in names if name]
    own = [line if _last(PROJECT) not in line else f"{line} as application" for line in own]
    wanted = [
        [line for line in group if re.search(rf"\b{line.split()[-1]}\b", text)]
        for group in _IMPORTS
    ]
    foreign = [line for line in own if line.startswith(("from channels.", "from django."))]
    wanted[1] = sorted([*wanted[1], *foreign], key=lambda line: (line.startswith("from"), line))
    wanted.append(sorted(set(own) - set(foreign)))
    return "\n\n".join("\n".join(group) for group in wanted if group)


def _asks_the_database(turns: tuple[Turn, ...]) -> bool:
    return any(event.lane == "database" for turn in turns for _, event in turn.events)


def _longest_wait(turns: tuple[Turn, ...]) -> float:
    waits = [float(turn.step.split()[1]) for turn in turns if turn.step.startswith("wait ")]
    return max(waits, default=0)


def _last(name: str) -> str:
    return name.rpartition(".")[2]


def name_tickets(lesson: Lesson, steps: list[str]) -> list[str]:
    """`ticket=ada` for each ticket that was issued to ada: the test needs one that is unused."""
    if lesson.stack is None:
        return steps
    salt = getattr(importlib.import_module(lesson.stack_module), "SALT", "")
    names: dict[str, str] = {}

    def named(found: re.Match) -> str:
        ticket = found["ticket"]
        if ticket not in names:
            holder = _holder(ticket, salt)
            if holder is None:  # made up: it is no better in a test
                return found[0]
            number = 1 + sum(name.partition("/")[0] == holder for name in names.values())
            names[ticket] = holder if number == 1 else f"{holder}/{number}"
        return f"ticket={names[ticket]}"

    return [re.sub(r"(?<=\s)\?ticket=(?P<ticket>[\w:.-]+)", named, step) for step in steps]


def _holder(ticket: str, salt: str) -> str | None:
    try:
        user_id, _ = signing.loads(ticket, salt=salt)
    except signing.BadSignature:
        return None
    return get_user_model().objects.values_list("username", flat=True).filter(pk=user_id).first()
