"""The instructor's pages: the plans for a class, and a page for each lesson."""

from django.contrib.admin.views.decorators import staff_member_required
from django.http import Http404
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from lessons.workshop.course.lesson_index import Lesson
from lessons.workshop.course.lesson_text import TextError, expanded_teach_page
from lessons.workshop.course.plans import plans
from lessons.workshop.page.views.csp import with_csp
from lessons.workshop.page.views.drawings import text_to_html


def for_instructors(view, login_url: str = "login"):
    """Let only staff accounts read the page. Others log in first."""
    return with_csp(never_cache(staff_member_required(view, login_url=login_url)))


@for_instructors
@require_safe
def plans_page(request):
    return render(request, "lessons/plans.html", {"plans": plans()})


@for_instructors
@require_safe
def teach_page(request, lesson: Lesson):
    url = reverse("lesson", args=[lesson.key])
    try:
        text = text_to_html(expanded_teach_page(lesson), lesson.folder, url)
    except TextError as error:
        raise Http404(str(error)) from None
    return render(request, "lessons/teach.html", {"lesson": lesson, "text": text})
