"""Gives a page what was played on it as a test to take away.

The steps are played once more, as playing.py does: in a process and for a page of their own.
"""

import re

from django.views.decorators.http import require_POST

from lessons.catalogue import Lesson
from lessons.pages.as_pytest import as_pytest, name_of
from lessons.pages.playing import Refused, allowed, for_own_page

# What a page's client can do; nothing else of what a conversation knows.
_STEP = re.compile(r"\d (connect|text|bytes|close|vanish|GET|POST)\b.*|wait [\d.]+", re.DOTALL)


@require_POST
@for_own_page
def take_away(request, lesson: Lesson) -> dict:
    """The test's source and a name for its file."""
    steps = _played(request.POST.getlist("step"))
    return {"name": name_of(lesson), "source": as_pytest(lesson, steps)}


def _played(steps: list[str]) -> list[str]:
    for step in allowed(steps):
        if not _STEP.fullmatch(step):
            raise Refused(f"{step!r} is nothing that a client of this page does.")
    if not any(re.match(r"\d (connect|GET|POST)", step) for step in steps):
        raise Refused("Nothing has been played yet: connect, or send a request.")
    return steps
