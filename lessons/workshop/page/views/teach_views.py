"""The instructor's pages: the plans for a class, and a page for each lesson.

A lesson's page shows its instructor's page in a tab, and asks for that part alone.
"""

from functools import wraps

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from lessons.workshop.course.lesson_index import UnknownLesson, find
from lessons.workshop.course.lesson_text import TextError, expanded_teach_page
from lessons.workshop.course.plans import plans
from lessons.workshop.page.views.csp import with_csp
from lessons.workshop.page.views.drawings import text_to_html
from lessons.workshop.page.views.exercise_views import PART_HEADER


def for_instructors(view):
    """Answer only instructors: a stranger is sent to the login, a student gets HTTP 403.

    A request for the part of a lesson gets 403 with a link to the login in both cases.
    """

    @login_required(login_url="login")
    def page(request, **kwargs):
        if not request.user.is_staff:
            raise PermissionDenied("Only an instructor may read this page.")
        return view(request, **kwargs)

    @wraps(view)
    @require_safe
    @never_cache
    @with_csp
    def answer(request, **kwargs):
        is_part = PART_HEADER in request.headers and "key" in kwargs  # the plans have no part
        if is_part and not request.user.is_staff:
            return render(request, "lessons/teach_refused.html", kwargs, status=403)
        return page(request, **kwargs)

    return answer


@for_instructors
def plans_page(request):
    return render(request, "lessons/plans.html", {"plans": plans()})


@for_instructors
def teach_page(request, key: str):
    try:
        lesson = find(key)
        text = text_to_html(expanded_teach_page(lesson), lesson.folder)
    except (UnknownLesson, TextError) as error:
        raise Http404(str(error)) from None
    name = "teach_part" if PART_HEADER in request.headers else "teach"
    return render(request, f"lessons/{name}.html", {"lesson": lesson, "text": text})
