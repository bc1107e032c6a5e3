"""Gives a page what was played on it as a test to take away.

The steps are played once more, as playing.py does: in a process and for a page of their own.
"""

import re

from django.conf import settings
from django.http import Http404, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from lessons.catalogue import UnknownLesson, find
from lessons.checking.apart import NoAnswer
from lessons.checking.conversation import Endless
from lessons.checking.finding import Red
from lessons.checking.steps import UnknownStep
from lessons.pages.as_pytest import as_pytest, name_of
from lessons.pages.feed import is_own
from lessons.pages.playing import Refused, allowed

# What a page's client can do; nothing else of what a conversation knows.
_STEP = re.compile(r"\d (connect|text|bytes|close|vanish|GET|POST)\b.*|wait [\d.]+", re.DOTALL)


@require_POST
@never_cache
def take_away(request, key: str):
    """The test's source and a name for its file; or the reason why there is none."""
    session_key = request.session.session_key if settings.WORKSHOP else None
    if not is_own(request.POST.get("feed", ""), session_key):
        raise Http404("Only a page of the same session is answered, in a local workshop.")
    try:
        lesson = find(key)
        steps = _played(request.POST.getlist("step"))
        return JsonResponse({"name": name_of(lesson), "source": as_pytest(lesson, steps)})
    except UnknownLesson as error:
        raise Http404(str(error)) from None
    except (Refused, UnknownStep, ValueError, Red, NoAnswer, Endless) as error:
        return JsonResponse({"error": str(error)}, status=400)


def _played(steps: list[str]) -> list[str]:
    for step in allowed(steps):
        if not _STEP.fullmatch(step):
            raise Refused(f"{step!r} is nothing that a client of this page does.")
    if not any(re.match(r"\d (connect|GET|POST)", step) for step in steps):
        raise Refused("Nothing has been played yet: connect, or send a request.")
    return steps
