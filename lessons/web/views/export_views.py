"""Gives a page what was played on it as a test to take away.

The steps are played once more, as playing.py does: in a process and for a page of their own.
"""

import importlib
import re

from django.contrib.auth import get_user_model
from django.core import signing
from django.views.decorators.http import require_POST

from lessons.core.catalogue import Lesson
from lessons.web.exercise.pytest_export import as_pytest, name_of
from lessons.web.views.compare_views import Refused, allowed, for_own_page

# What a page's client can do; nothing else of what a conversation knows.
_STEP = re.compile(r"\d (connect|text|bytes|close|vanish|GET|POST)\b.*|wait [\d.]+", re.DOTALL)


@require_POST
@for_own_page
def take_away(request, lesson: Lesson) -> dict:
    """The test's source and a name for its file."""
    steps = _with_tickets(lesson, _played(request.POST.getlist("step")))
    return {"name": name_of(lesson), "source": as_pytest(lesson, steps)}


def _played(steps: list[str]) -> list[str]:
    for step in allowed(steps):
        if not _STEP.fullmatch(step):
            raise Refused(f"{step!r} is nothing that a client of this page does.")
    if not any(re.match(r"\d (connect|GET|POST)", step) for step in steps):
        raise Refused("Nothing has been played yet: connect, or send a request.")
    return steps


def _with_tickets(lesson: Lesson, steps: list[str]) -> list[str]:
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
