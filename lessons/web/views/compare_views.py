"""Plays conversations for a page: with a mistake beside the solution.

A conversation runs in a process of its own, and its view in a thread of its own, as every sync
view does under ASGI: neither the server's loop nor the thread of the sync consumers waits for it.
"""

import re
from functools import wraps

from django.conf import settings
from django.http import Http404, JsonResponse
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from lessons.core.catalogue import Lesson, UnknownLesson, find
from lessons.core.diagnoses import catalogue as diagnoses
from lessons.judge.compare import (
    Comparison,
    can_be_played,
    compare,
    compare_in_the_check,
    compare_where_it_shows,
    conversations,
)
from lessons.judge.mistakes import Mistake, wrong_versions
from lessons.playback.child_process import NoAnswer
from lessons.playback.conversation import PlaybackLimitExceeded
from lessons.simulator.finding import CheckFailed
from lessons.web.live.page_socket import is_own

MOST_STEPS = 40
LONGEST = 6000  # characters of all steps
_WAIT = re.compile(r"(\d+ )?wait (?P<seconds>.+)")
LONGEST_WAIT = 60  # seconds of the conversation's own clock, all waits together


class Refused(ValueError):
    """Something that this page does not play; the text says why."""


def for_own_page(view):
    """Answer a page of the same session, in a workshop; what cannot be played, with the reason."""

    @wraps(view)
    @never_cache
    def guarded(request, key: str, **kwargs):
        session_key = request.session.session_key if settings.WORKSHOP else None
        asked = request.POST if request.method == "POST" else request.GET
        if not is_own(asked.get("feed", ""), session_key):
            raise Http404("Only a page of the same session is answered, in a local workshop.")
        try:
            return JsonResponse(view(request, find(key), **kwargs))
        except UnknownLesson as error:
            raise Http404(str(error)) from None
        except (ValueError, CheckFailed, NoAnswer, PlaybackLimitExceeded) as error:
            return JsonResponse({"error": str(error)}, status=400)

    return guarded


@require_safe
@for_own_page
def compared(request, lesson: Lesson) -> dict:
    """A mistake beside the solution: in these steps, in the check, or else where it shows.

    Where it shows in none of the lesson's conversations, there is the diagnosis alone.
    """
    version = _version(lesson, request.GET.get("mistake", ""))
    steps = request.GET.getlist("step")
    if steps and can_be_played(lesson):
        comparison = compare(lesson, version, allowed(steps))
    elif "check" in request.GET:
        comparison = compare_in_the_check(lesson, version)
    else:
        comparison = compare_where_it_shows(lesson, version)
    diagnosis = {"diagnosis": _diagnosis(version)}
    return diagnosis if comparison is None else diagnosis | _told(comparison)


def _told(comparison: Comparison) -> dict:
    return {
        "steps": comparison.steps,
        "claim": comparison.claim,
        "right": comparison.right.as_json(),
        "wrong": comparison.wrong.as_json(),
        "differs": comparison.parting and comparison.parting._asdict(),
    }


def comparable(lesson: Lesson) -> dict:
    """What a lesson's page offers to compare."""
    steps = conversations(lesson) if can_be_played(lesson) else []
    return {"mistakes": wrong_versions(lesson), "conversations": steps}


def _version(lesson: Lesson, name: str) -> Mistake:
    for version in wrong_versions(lesson):
        if version.name == name:
            return version
    raise Refused(f"Lesson {lesson.number} has no mistake {name!r}.")


def allowed(steps: list[str]) -> tuple[str, ...]:
    if len(steps) > MOST_STEPS or sum(map(len, steps)) > LONGEST:
        raise Refused(f"At most {MOST_STEPS} steps and {LONGEST} characters are played.")
    waits = [float(found["seconds"]) for step in steps if (found := _WAIT.match(step))]
    if not sum(waits) <= LONGEST_WAIT:
        raise Refused(f"At most {LONGEST_WAIT} seconds are waited.")
    return tuple(steps)


def _diagnosis(version: Mistake) -> dict:
    known = diagnoses()[version.diagnosis]
    explained = find(known.lesson) if known.lesson else None
    return {
        "title": known.title,
        "symptom": known.symptom,
        "cause": known.cause,
        "cure": known.cure,
        "lesson": explained and f"{explained.number} {explained.slug}",
        "url": explained and reverse("lesson", args=[explained.key]),
    }
