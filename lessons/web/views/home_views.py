"""The first page: what the course is for, a recorded conversation, and the list of lessons."""

import re

from django.http import JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from lessons.core import progress
from lessons.core.catalogue import Lesson, UnknownLesson, find
from lessons.playback import recording_cache
from lessons.playback.conversation import PLAYBACK_ERRORS
from lessons.playback.steps import split_steps
from lessons.web.lesson_list import lesson_list_context
from lessons.web.views.csp import with_csp
from lessons.web.views.play_views import recording_json

PICTURE = "group"  # the lesson whose first conversation the page plays: two clients in a room
_TRANSCRIPT = r"^```transcript {name} \| (?P<steps>.*)\n(?P<text>(?:.*\n)*?)```"


@require_safe
@with_csp
def home(request):
    context = {**lesson_list_context(progress.read()), "picture": _first_conversation()}
    return render(request, "lessons/home.html", context)


@require_safe
def picture(request):
    """The recording that the page's diagram plays. Only the first request plays it."""
    if not (found := _first_conversation()):
        return JsonResponse({"error": "The course has no conversation to show."}, status=404)
    lesson = found["lesson"]
    try:
        recording = recording_cache.record(lesson, lesson.demo, split_steps(found["steps"]))
    except PLAYBACK_ERRORS as error:
        return JsonResponse({"error": str(error)}, status=503)
    return JsonResponse(recording_json(recording))


def _first_conversation() -> dict | None:
    """The first conversation with the worked example in the text of the lesson: steps and text."""
    try:
        lesson: Lesson = find(PICTURE)
    except UnknownLesson:
        return None
    found = re.search(_TRANSCRIPT.format(name=re.escape(lesson.demo)), lesson.text, re.MULTILINE)
    return found and {"lesson": lesson, **found.groupdict()}
