"""Where one looks things up: the search, the diagnoses, and the notes."""

from itertools import groupby

from django.http import Http404
from django.shortcuts import render
from django.views.decorators.http import require_safe

from lessons.catalogue import lessons
from lessons.checking.diagnoses import catalogue
from lessons.checking.wrong_versions import wrong_versions
from lessons.pages.index import read_notes
from lessons.pages.markup import as_html, sections_of
from lessons.pages.policy import strict_policy
from lessons.pages.search import LONGEST, search


@require_safe
@strict_policy
def search_page(request):
    query = request.GET.get("q", "").strip()
    is_too_long = len(query) > LONGEST
    groups = [] if is_too_long else search(query)
    context = {
        "query": query[:LONGEST],
        "longest": LONGEST if is_too_long else None,
        "groups": groups,
        "count": sum(group.count for group in groups),
    }
    return render(request, "lessons/search.html", context)


@require_safe
@strict_policy
def diagnoses_page(request):
    """Every diagnosis, by the lesson that explains it; those of no lesson last."""
    mistakes = {}
    for lesson in lessons():
        for version in wrong_versions(lesson):
            mistakes.setdefault(version.diagnosis, []).append((lesson, version))
    by_number = {lesson.number: lesson for lesson in lessons()}
    ordered = sorted(catalogue().values(), key=lambda one: one.lesson or len(by_number) + 1)
    groups = [
        (by_number.get(number), [(one, mistakes.get(one.id, ())) for one in some])
        for number, some in groupby(ordered, key=lambda one: one.lesson)
    ]
    return render(request, "lessons/diagnoses.html", {"groups": groups, "all": len(ordered)})


@require_safe
@strict_policy
def notes_page(request):
    markdown = read_notes()
    if not markdown:
        raise Http404("There is no NOTES.md")
    contents = [one for one in sections_of(markdown) if one.id and one.level == 2]
    return render(request, "lessons/notes.html", {"text": as_html(markdown), "contents": contents})
