"""The reference pages: search, diagnoses and notes."""

from collections import defaultdict

from django.http import Http404
from django.shortcuts import render
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
    mistakes = defaultdict(list)
    for lesson in lessons():
        for mistake in read_mistakes(lesson):
            mistakes[mistake.diagnosis].append((lesson, mistake))
    found = defaultdict(list)
    for one in catalogue().values():
        found[one.lesson].append((one, mistakes[one.id]))
    groups = [(lesson, found[lesson.number]) for lesson in lessons() if lesson.number in found]
    context = {"groups": [*groups, (None, found[None])], "all": len(catalogue())}
    return render(request, "lessons/diagnoses.html", context)


@require_safe
@with_csp
def notes_page(request):
    found = read_notes()
    if not found.html:
        raise Http404("The file NOTES.md is missing.")
    return render(request, "lessons/notes.html", {"notes": found})
