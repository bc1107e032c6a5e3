"""The first page: what the course is for, a recorded conversation, the class, and the lessons."""

from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from lessons.workshop.course.lesson_index import UnknownLesson, find
from lessons.workshop.course.lesson_text import first_conversation
from lessons.workshop.member import membership
from lessons.workshop.member.joining import is_readable
from lessons.workshop.page.lesson_list import lesson_list_context
from lessons.workshop.page.live.room_status import may_join
from lessons.workshop.page.transcript_markup import transcript_to_json
from lessons.workshop.page.views.csp import with_csp
from lessons.workshop.student import progress

PICTURE = "group"  # the lesson whose first conversation the page plays: two clients in a room


@require_safe
@never_cache  # the list shows what is green now, also after the button Back
@with_csp
def home(request):
    return render_home(request)


def render_home(request, more: dict | None = None, status: int = 200):
    """The page, with the class that this workshop is in, and what a form of it has to say."""
    known = membership.read() if may_join() else None
    context = {
        **lesson_list_context(progress.read()),
        **_picture(),
        "membership": known,
        "is_readable": known is not None and is_readable(known.url),
        **(more or {}),
    }
    return render(request, "lessons/home.html", context, status=status)


def _picture() -> dict:
    """The lesson, and its first conversation with the worked example; {} for what is missing."""
    try:
        lesson = find(PICTURE)
    except UnknownLesson:
        return {}
    found = first_conversation(lesson)
    recording = found and transcript_to_json(found.transcript)
    return {"pictured_lesson": lesson, "picture": found, "recording": recording}
