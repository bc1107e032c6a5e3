"""Names the tickets of a conversation: an exported test issues its own, unused ones."""

import importlib
import re
from dataclasses import replace
from urllib.parse import unquote

from django.contrib.auth import get_user_model
from django.core import signing

from lessons.workshop.course.lesson_index import Lesson
from lessons.workshop.engine.script.steps import Step


def name_tickets(lesson: Lesson, steps: list[Step]) -> list[Step]:
    """Replace each ticket that was issued to ada by `ticket=ada`: the test needs an unused one."""
    if lesson.stack is None:
        return steps
    salt = getattr(importlib.import_module(lesson.stack_module), "SALT", "")
    names: dict[str, str] = {}  # by query
    for step in steps:
        query = step.arguments.get("query")
        if query not in names and (user := _ticket_user(query, salt)):
            number = 1 + [owner_of(name) for name in names.values()].count(user)
            names[query] = user if number == 1 else f"{user}/{number}"
    return [_with_ticket(step, names) for step in steps]


def show_tickets(steps: list[Step]) -> list[Step]:
    """Let each user show a ticket instead of a login: the code that is tested issues tickets."""
    return [
        replace(step, arguments={"ticket" if key == "as" else key: value for key, value in items})
        for step in steps
        for items in [step.arguments.items()]
    ]


def owner_of(ticket: str) -> str:
    """`ada/2` is ada's second ticket, or second browser."""
    return ticket.partition("/")[0]


def variable(kind: str, name: str) -> str:
    """A variable for that user or ticket. a-b and a@b get different ones."""
    return f"{kind}_{re.sub(r'[^a-zA-Z0-9]', _in_variable, name)}"


def _in_variable(character: re.Match) -> str:
    return "_" if character[0] == "/" else f"_{ord(character[0]):x}_"


def _with_ticket(step: Step, names: dict[str, str]) -> Step:
    arguments = {**step.arguments}
    if arguments.get("query") in names:
        arguments["ticket"] = names[arguments.pop("query")]
    return replace(step, arguments=arguments)


def _ticket_user(query: str | None, salt: str) -> str | None:
    """The owner of the ticket in this query. None for a query without a valid ticket."""
    name, _, ticket = (query or "").partition("=")
    try:
        user_id, _ = signing.loads(unquote(ticket), salt=salt)
    except (signing.BadSignature, ValueError):
        return None
    users = get_user_model().objects.values_list("username", flat=True)
    return users.filter(pk=user_id).first() if name == "ticket" else None
