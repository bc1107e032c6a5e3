"""The instructor's pages: the plans for a class, and a page for each lesson."""

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


def for_instructors(view):
    """Answer only instructors: a stranger is sent to the login, a student gets HTTP 403."""

    @wraps(view)
    @require_safe
    @never_cache
    @with_csp
    @login_required(login_url="login")
    def page(request, **kwargs):
        if not request.user.is_staff:
            raise PermissionDenied("Only an instructor may read this page.")
        return view(request, **kwargs)

    return page


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
    return render(request, "lessons/teach.html", {"lesson": lesson, "text": text})
