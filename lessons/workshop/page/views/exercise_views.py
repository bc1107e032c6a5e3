"""What a student asks for at an exercise: the verdict, a hint, the original exercise.

A script of the page asks for the changed part only. Without JavaScript, a form reloads the page.
"""

from functools import wraps

from django.conf import settings
from django.http import Http404
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from lessons.workshop.course.lesson_index import Lesson, UnknownLesson, find
from lessons.workshop.member import membership
from lessons.workshop.page.exercise.exercise_panel import exercise_context
from lessons.workshop.page.views.csp import with_csp
from lessons.workshop.page.views.lesson_views import render_lesson
from lessons.workshop.setup import atomic_write
from lessons.workshop.student import exercise_copies, progress

PART_HEADER = "X-Part"  # a request with this header gets the exercise panel alone
_NOT_SAVED = "Your progress could not be saved. The server's log gives the reason."


def in_workshop(view):
    """Call the view with the lesson of that key. Outside a workshop, answer 404."""

    @wraps(view)
    @never_cache
    @with_csp
    def view_of_lesson(request, key: str):
        if not settings.WORKSHOP:
            raise Http404("This works in a workshop only.")
        try:
            return view(request, find(key))
        except UnknownLesson as error:
            raise Http404(str(error)) from None

    return view_of_lesson


@require_safe
@in_workshop
def exercise(request, lesson: Lesson):
    return _render_panel(request, lesson)


@require_POST
@in_workshop
def hint(request, lesson: Lesson):
    """Show one more hint. `lesson hint` counts them too."""
    if membership.is_held("hints"):
        return _answer(request, lesson, membership.NOT_RELEASED)
    shown = progress.show_hint(lesson)
    is_saved = progress.of(lesson).hints == shown
    return _answer(request, lesson, "" if is_saved else _NOT_SAVED)


@require_POST
@in_workshop
def solution(request, lesson: Lesson):
    """Show the solution of a lesson that is not green. The page offers this after the last hint."""
    if membership.is_held("solutions"):
        return _answer(request, lesson, membership.NOT_RELEASED)
    is_saved = progress.show_solution(lesson) == progress.of(lesson)
    return _answer(request, lesson, "" if is_saved else _NOT_SAVED)


@require_POST
@in_workshop
def reset(request, lesson: Lesson):
    """Restore the original exercise. The student's version is kept beside it."""
    try:
        exercise_copies.reset_exercise(lesson)
    except OSError as error:
        return _answer(request, lesson, atomic_write.explain_os_error(error))
    return _answer(request, lesson)


def _answer(request, lesson: Lesson, error: str = ""):
    if PART_HEADER in request.headers:
        return _render_panel(request, lesson, error)
    if error:
        return render_lesson(request, lesson, error=error)
    return redirect(reverse("lesson", args=[lesson.key]) + "#exercise")


def _render_panel(request, lesson: Lesson, error: str = ""):
    return render(
        request, "lessons/exercise_panel.html", {**exercise_context(lesson), "error": error}
    )
