"""The list of lessons, and a page for each of them."""

from itertools import groupby

from django.conf import settings
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from lessons.core import progress
from lessons.core.catalogue import IncompleteLesson, Lesson, UnknownLesson, find, lessons
from lessons.core.lesson_text import expanded, kept_by_bench
from lessons.core.progress import Progress
from lessons.core.source import find_source
from lessons.web.csp import strict_policy
from lessons.web.exercise.exercise_panel import exercise_of, mark_of_all, mark_of_source
from lessons.web.live.clients import forms_of
from lessons.web.live.page_socket import new_feed_id
from lessons.web.live.servers import servers_of
from lessons.web.markup import as_html, source_lines
from lessons.web.views.compare_views import comparable
from lessons.web.views.prediction_views import questions


@require_safe
@strict_policy
def index(request):
    known = progress.read()
    standing = {"live": settings.WORKSHOP, "mark": mark_of_all(known)}
    return render(request, "lessons/index.html", {**_list(known), **standing})


@require_safe
@strict_policy
def lesson(request, key: str):
    """One lesson's page; a number or a slug leads to it too."""
    try:
        found = find(key)
    except UnknownLesson:
        return render(
            request, "lessons/unknown.html", {"key": key, **_list(progress.read())}, status=404
        )
    if key != found.key:
        return redirect("lesson", key=found.key)
    return lesson_page(request, found)


def lesson_page(request, found: Lesson, **more):
    source = find_source(found.demo)
    context = {
        "lesson": found,
        "text": as_html(expanded(found)),
        "source": source,
        "source_mark": mark_of_source(source),
        "lines": source_lines(source),
        "feed": _feed_id(request) if settings.WORKSHOP else None,
        "servers": servers_of(request),
        **forms_of(found),
        **comparable(found),
        "questions": questions(found),
        **exercise_of(found),
        **_neighbours(found),
        **more,
    }
    return render(request, "lessons/lesson.html", context)


@require_safe
@never_cache
def chart(request, name: str):
    """A picture that `manage.py bench` has made of this machine's figures."""
    try:
        picture = kept_by_bench(f"{name}.svg")
    except OSError:
        raise Http404(f"manage.py bench {name} has not been run") from None
    return HttpResponse(picture, content_type="image/svg+xml")


def _list(known: dict[str, Progress]) -> dict:
    """All lessons, by app, each with the state of the student's work on it."""
    rows = []
    for one in lessons():
        try:
            row = {"app": one.app, "title": one.title, "lesson": one}
        except IncompleteLesson as error:
            row = {"app": "unfinished", "title": one.slug, "incomplete": str(error), "lesson": one}
        state = known[one.key].state if one.key in known else "new"
        rows.append({**row, "state": state})
    apps = [(app, list(group)) for app, group in groupby(rows, key=lambda row: row["app"])]
    green = sum(row["state"] == "green" for row in rows)
    to_do = (row for row in rows if row["state"] != "green" and "incomplete" not in row)
    return {"apps": apps, "green": green, "all": len(rows), "next": next(to_do, None)}


def _feed_id(request) -> str:
    """For this page and this session; made with the session itself on a first visit."""
    if not request.session.session_key:
        request.session.create()
    return new_feed_id(request.session.session_key)


def _neighbours(found: Lesson) -> dict:
    course = lessons()
    here = course.index(found)
    return {
        "previous": course[here - 1] if here else None,
        "next": course[here + 1] if here + 1 < len(course) else None,
    }
