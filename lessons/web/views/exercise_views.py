"""What a student asks for at an exercise: its verdict again, a hint, the exercise as it came.

A page asks for the part of itself that has changed; without JavaScript a form leads back to it.
"""

from functools import wraps

from django.conf import settings
from django.http import Http404
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from lessons.core import atomic_write, exercise_copies, progress
from lessons.core.catalogue import Lesson, UnknownLesson, find
from lessons.web.csp import strict_policy
from lessons.web.exercise.exercise_panel import exercise_of
from lessons.web.views.lesson_views import lesson_page

PART = "X-Part"  # a request with it is answered with the exercise alone


def of_a_lesson(view):
    """Call it with the lesson of that key; nowhere but in a workshop."""

    @wraps(view)
    @never_cache
    @strict_policy
    def with_lesson(request, key: str):
        if not settings.WORKSHOP:
            raise Http404("There is no workshop here.")
        try:
            return view(request, find(key))
        except UnknownLesson as error:
            raise Http404(str(error)) from None

    return with_lesson


@require_safe
@of_a_lesson
def exercise(request, found: Lesson):
    return _part(request, found)


@require_POST
@of_a_lesson
def hint(request, found: Lesson):
    """One more than before, as `lesson hint` counts them."""
    shown = progress.show_hint(found)
    if progress.of(found).hints != shown:
        return _answer(request, found, "Your progress cannot be kept: the server's log says why.")
    return _answer(request, found)


@require_POST
@of_a_lesson
def reset(request, found: Lesson):
    """The exercise as it came; the student's version is kept aside."""
    try:
        exercise_copies.reset(found)
    except exercise_copies.NoStub as error:
        return _answer(request, found, str(error))
    except OSError as error:
        return _answer(request, found, atomic_write.with_cure(error))
    return _answer(request, found)


def _answer(request, found: Lesson, trouble: str = ""):
    if PART in request.headers:
        return _part(request, found, trouble)
    if trouble:
        return lesson_page(request, found, trouble=trouble)
    return redirect(reverse("lesson", args=[found.key]) + "#exercise")


def _part(request, found: Lesson, trouble: str = ""):
    return render(request, "lessons/verdict.html", {**exercise_of(found), "trouble": trouble})
