"""Writes the conversation that was played on a page as a pytest module.

The module needs only the stock communicators of Channels. It sends the events that the clients
sent, and asserts the events that the consumers sent. To know these, the export plays the steps
again, in an empty database, because a test has an empty database too.
"""

import builtins
import importlib
import re
from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import unquote

from django.apps import apps
from django.contrib.auth import get_user_model
from django.core import signing
from django.urls.resolvers import RoutePattern

from lessons.core.catalogue import ACCOUNTS, Lesson
from lessons.playback.conversation import FROZEN_NOW, StepEvents, play_in_turns
from lessons.playback.steps import BEGINNINGS, METHODS, Step, parse_step
from lessons.wire.events import Event
from lessons.wire.python_literal import python_literal
from lessons.wire.redaction import HIDDEN

OWN_ORIGIN = "http://localhost"  # the origin of the project's own pages
PROJECT_APPLICATION = "lessons.asgi.websocket_application"
TIMEOUT = 10  # seconds that the test waits for an event, plus the longest wait of the conversation

# Text that differs in every run: a channel name, a session key, the time of day, a secret.
_VOLATILE = re.compile(
    rf"specific\.check!\d+|0{{20,}}\d+|{FROZEN_NOW:%Y-%m-%dT%H:%M:%S}[+:\dZ]*|{re.escape(HIDDEN)}"
)
_MODULE = '''\
"""The conversation that was played on the page of lesson {number}, {title}."""

{imports}

TIMEOUT = {timeout:g}  # seconds; only a test that fails waits so long
{head}

async def next_event(client):
    """The next event that the consumer sends, without the keys that are None."""
    event = await client.receive_output(TIMEOUT)
    return {{key: value for key, value in event.items() if value is not None}}


async def test_conversation():
    {body}
'''
_DATABASE = "pytestmark = pytest.mark.django_db(transaction=True, reset_sequences=True)\n"
_LOG_IN = '''

async def log_in(name, **rights):
    """The headers of a browser in which this user is logged in."""
    browser = AsyncClient()
    await browser.aforce_login(await User.objects.acreate(username=name, **rights))
    cookie = browser.cookies[settings.SESSION_COOKIE_NAME].value
    return [(b"cookie", f"{settings.SESSION_COOKIE_NAME}={cookie}".encode())]
'''
_TICKET = '''

async def ticket_for(name):
    """A new ticket for this user."""
    user, _ = await User.objects.aget_or_create(username=name)
    return await sync_to_async(issue)(user)
'''
# The module imports those of these names that it contains.
_NAMES = {
    "asgiref.sync.sync_to_async",
    "channels.routing.URLRouter",
    "channels.testing.HttpCommunicator",
    "channels.testing.WebsocketCommunicator",
    "django.conf.settings",
    "django.contrib.auth.models.User",
    "django.test.AsyncClient",
    "django.urls.path",
}


def file_name(lesson: Lesson) -> str:
    return f"test_played_{lesson.folder.name}.py"


def write_test(lesson: Lesson, steps: list[Step]) -> str:
    """The source of the module. Raises what `play` raises."""
    steps = [*steps, *(Step("close", {"code": 1001}, client) for client in _still_open(steps))]
    is_own = all(_reaches_demo(lesson, step) for step in steps)
    if not is_own:  # the project's application checks the origin, so each client needs one
        steps = [_with_defaults(step, origin=OWN_ORIGIN) for step in steps]
    subject = lesson.demo if is_own else PROJECT_APPLICATION
    turns = play_in_turns(lesson, subject, [*lesson.rows, *map(str, steps)])[len(lesson.rows) :]
    rows = [parse_step(row).arguments for row in lesson.rows]
    users, tickets = _arguments(steps, "as"), _arguments(steps, "ticket")
    body = [_create_row(**row) for row in rows]
    body += [_log_in(user) for user in users]
    for ticket in tickets:
        user = python_literal(_user(ticket))
        body.append(f"{_variable('ticket', ticket)} = await ticket_for({user})")
    for step, turn in zip(steps, turns, strict=True):
        body += _step_lines(lesson, step, turn)
    needs_database = any(event.lane == "database" for turn in turns for _, event in turn.events)
    head = _DATABASE if rows or users or tickets or needs_database else ""
    head += _application(lesson if is_own else None)
    head += (_LOG_IN if users else "") + (_TICKET if tickets else "")
    names = [subject, lesson.stack, f"{lesson.stack_module}.issue"]
    names += [_qualified_name(row["model"]) for row in rows]
    return _MODULE.format(
        number=lesson.number,
        title=lesson.title,
        imports=_imports("\n".join([head, *body]), names),
        timeout=TIMEOUT + max(_arguments(steps, "seconds"), default=0),
        head=head,
        body="\n    ".join(body),
    )


def _arguments(steps: list[Step], name: str) -> dict:
    """The different values of that argument, in order, as the keys of a dict."""
    return dict.fromkeys(step.arguments[name] for step in steps if name in step.arguments)


def _still_open(steps: list[Step]) -> list[int]:
    """The numbers of the clients that have not left."""
    is_open = {}
    for step in steps:
        if step.action in (*BEGINNINGS, "close", "vanish"):
            is_open[step.client] = step.action in BEGINNINGS
    return [client for client, still in is_open.items() if still]


def _reaches_demo(lesson: Lesson, step: Step) -> bool:
    """Whether the worked example alone answers: not another path, and no check of the origin."""
    path = step.arguments.get("path", lesson.path).removeprefix("/")
    pattern = RoutePattern(lesson.route or lesson.path.removeprefix("/"), is_endpoint=True)
    return "origin" not in step.arguments and pattern.match(path) is not None


def _with_defaults(step: Step, **arguments) -> Step:
    if step.action != "connect":
        return step
    return replace(step, arguments={**arguments, **step.arguments})


def _step_lines(lesson: Lesson, step: Step, turn: StepEvents) -> Iterator[str]:
    """The lines of one step: what its client sends, and each event that follows, in order."""
    if step.action in BEGINNINGS:
        yield _communicator(lesson, step)
    directions = []
    for number, event in turn.events:
        lines = _event_lines(f"client_{number}", event, step if number == step.client else None)
        yield from lines
        directions += [event.direction] if lines else []
    if step.action in ("text", "bytes") and set(directions) == {"in"}:
        yield f"assert await client_{step.client}.receive_nothing()"


def _communicator(lesson: Lesson, step: Step) -> str:
    given, path = step.arguments, step.arguments.get("path", lesson.path)
    if step.action in METHODS:
        arguments = f'application, "{step.action}", {python_literal(path)}'
        return f"client_{step.client} = HttpCommunicator({arguments})"
    if "ticket" in given:
        path = f"{python_literal(f'{path}?ticket=')} + {_variable('ticket', given['ticket'])}"
    else:
        path = python_literal(path + (f"?{given['query']}" if "query" in given else ""))
    arguments = ["application", path]
    headers = _variable("user", given["as"]) if "as" in given else ""
    if "origin" in given:
        origin = python_literal((b"origin", given["origin"].encode()))
        headers = f"[*{headers}, {origin}]" if headers else f"[{origin}]"
    if headers:
        arguments.append(f"headers={headers}")
    if "subprotocols" in given:
        arguments.append(f"subprotocols={python_literal(given['subprotocols'])}")
    return f"client_{step.client} = WebsocketCommunicator({', '.join(arguments)})"


def _event_lines(client: str, event: Event, step: Step | None) -> list[str]:
    """The lines for one event; `step` is the one that its own client took."""
    message = event.message
    if event.lane == "consumer" and message["type"] == "raised":
        return _raised(client, message["error"])
    if event.lane == "consumer":
        return [f"await {client}.wait(TIMEOUT)"]
    if event.lane != "client" or message["type"] == "scope":
        return []
    if event.direction == "in":
        if message["type"] == "websocket.receive" and step:  # the recorded frame has no secrets
            data = step.arguments.get("text", bytes.fromhex(step.arguments.get("hex", "")))
            message = {"type": message["type"], step.action: data}
        return [f"await {client}.send_input({python_literal(message)})"]
    text = message.get("text")
    if isinstance(text, str) and _VOLATILE.search(text):
        pattern = ".+".join(map(re.escape, _VOLATILE.split(text)))
        received = f'(await next_event({client}))["text"]'
        return [f"assert re.fullmatch({python_literal(pattern)}, {received})"]
    message = {key: value for key, value in message.items() if value is not None}
    return [f"assert await next_event({client}) == {python_literal(message)}"]


def _raised(client: str, error: str) -> list[str]:
    name, _, text = error.partition(": ")
    known = name if isinstance(getattr(builtins, name, None), type) else "Exception"
    match = f", match={python_literal(re.escape(text))}" if text else ""
    return [f"with pytest.raises({known}{match}):", f"    await {client}.wait(TIMEOUT)"]


def _create_row(model: str, fields: dict) -> str:
    values = ", ".join(f"{key}={python_literal(value)}" for key, value in fields.items())
    return f"await {model.rpartition('.')[2]}.objects.acreate({values})"


def _qualified_name(model: str) -> str:
    model_class = apps.get_model(model)
    return f"{model_class.__module__}.{model_class.__name__}"


def _log_in(user: str) -> str:
    rights = "".join(f", {key}={value}" for key, value in ACCOUNTS.get(user, {}).items())
    return f"{_variable('user', user)} = await log_in({python_literal(user)}{rights})"


def _application(lesson: Lesson | None) -> str:
    if lesson is None:
        return f"application = {_last(PROJECT_APPLICATION)}\n"
    route = lesson.route or lesson.path.removeprefix("/")
    router = f'URLRouter([path("{route}", {_last(lesson.demo)}.as_asgi())])'
    return f"application = {f'{_last(lesson.stack)}({router})' if lesson.stack else router}\n"


def _imports(text: str, names: list[str | None]) -> str:
    """The imports that `text` needs: of `names`, which are qualified, and of _NAMES."""
    known = _NAMES.union(filter(None, names))
    used = sorted(name for name in known if re.search(rf"\b{_last(name)}\b", text))
    lines = [f"from {name.rpartition('.')[0]} import {_last(name)}" for name in used]
    libraries = [line for line in lines if re.match("from (asgiref|channels|django)\\.", line)]
    groups = [
        ["import re"] if "re.fullmatch" in text else [],
        (["import pytest"] if "pytest." in text else []) + libraries,
        [line for line in lines if line not in libraries],
    ]
    return "\n\n".join("\n".join(group) for group in groups if group)


def _last(name: str) -> str:
    return name.rpartition(".")[2]


# Tickets


def name_tickets(lesson: Lesson, steps: list[Step]) -> list[Step]:
    """Replace each ticket that was issued to ada by `ticket=ada`: the test needs an unused one."""
    if lesson.stack is None:
        return steps
    salt = getattr(importlib.import_module(lesson.stack_module), "SALT", "")
    names: dict[str, str] = {}  # by query
    for query in _arguments(steps, "query"):
        if user := _ticket_user(query, salt):
            number = 1 + [_user(name) for name in names.values()].count(user)
            names[query] = user if number == 1 else f"{user}/{number}"
    return [_with_ticket(step, names) for step in steps]


def _with_ticket(step: Step, names: dict[str, str]) -> Step:
    arguments = {**step.arguments}
    if arguments.get("query") in names:
        arguments["ticket"] = names[arguments.pop("query")]
    return replace(step, arguments=arguments)


def _ticket_user(query: str, salt: str) -> str | None:
    """The owner of the ticket in this query. None for a query without a valid ticket."""
    name, _, ticket = query.partition("=")
    try:
        user_id, _ = signing.loads(unquote(ticket), salt=salt)
    except (signing.BadSignature, ValueError):
        return None
    users = get_user_model().objects.values_list("username", flat=True)
    return users.filter(pk=user_id).first() if name == "ticket" else None


def _user(ticket: str) -> str:
    """`ada/2` is ada's second ticket."""
    return ticket.partition("/")[0]


def _variable(kind: str, name: str) -> str:
    """A variable for that user or ticket. A user name may contain `@` or `-`."""
    return f"{kind}_{re.sub(r'[^a-zA-Z0-9]', '_', name)}"
