"""The reference pages: search, diagnoses and notes."""

from functools import lru_cache
from itertools import groupby
from math import inf

from django.http import Http404
from django.shortcuts import render
from django.template import Context, Template
from django.template.loader import get_template
from django.utils.safestring import SafeString
from django.views.decorators.http import require_safe

from lessons.workshop.course.diagnoses import catalogue
from lessons.workshop.course.lesson_index import lessons
from lessons.workshop.course.mistakes import read_mistakes
from lessons.workshop.page.notes import read_notes
from lessons.workshop.page.search import search
from lessons.workshop.page.views.csp import with_csp


@require_safe
@with_csp
def search_page(request):
    query = request.GET.get("q", "").strip()
    results, count = search(query) if query else ([], 0)
    context = {"query": query, "results": results, "count": count}
    return render(request, "lessons/search.html", context)


@require_safe
@with_csp
def diagnoses_page(request):
    """Every diagnosis, by the lesson that explains it. Those without a lesson come last."""
    mistakes = {}
    for lesson in lessons():
        for mistake in read_mistakes(lesson):
            mistakes.setdefault(mistake.diagnosis, []).append((lesson, mistake))
    by_number = {lesson.number: lesson for lesson in lessons()}
    ordered = sorted(
        catalogue().values(), key=lambda one: inf if one.lesson is None else one.lesson
    )
    groups = tuple(
        (by_number.get(number), tuple((one, tuple(mistakes.get(one.id, ()))) for one in some))
        for number, some in groupby(ordered, key=lambda one: one.lesson)
    )
    articles = _render_articles(get_template("lessons/diagnosis_articles.html").template, groups)
    context = {"groups": groups, "all": len(ordered), "articles": articles}
    return render(request, "lessons/diagnoses.html", context)


@lru_cache(maxsize=1)
def _render_articles(template: Template, groups: tuple) -> SafeString:
    """The diagnoses as HTML, most of the page. Only a change renders them again."""
    return template.render(Context({"groups": groups}))


@require_safe
@with_csp
def notes_page(request):
    found = read_notes()
    if found is None:
        raise Http404("The file NOTES.md is missing.")
    return render(request, "lessons/notes.html", {"notes": found})
