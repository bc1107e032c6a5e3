"""Where one looks things up: the search, the diagnoses, and the notes."""

import ast
from collections.abc import Iterator
from functools import lru_cache
from itertools import groupby
from pathlib import Path

from django.http import Http404
from django.shortcuts import render
from django.views.decorators.http import require_safe

from lessons.catalogue import Lesson, lessons
from lessons.checking.diagnoses import catalogue
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
        for name, diagnosis in mistakes_in(lesson):
            mistakes.setdefault(diagnosis, []).append({"lesson": lesson, "name": name})
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


def mistakes_in(lesson: Lesson) -> tuple[tuple[str, str], ...]:
    """Name and diagnosis of each wrong version in mistakes.py, which is read and not run."""
    try:
        return _mistakes(lesson.mistakes, lesson.mistakes.stat().st_mtime_ns)
    except (OSError, SyntaxError):  # it is being written
        return ()


@lru_cache(maxsize=64)
def _mistakes(file: Path, mtime: int) -> tuple[tuple[str, str], ...]:
    return tuple(
        found
        for node in ast.parse(file.read_text(encoding="utf-8")).body
        for found in _named_by(node)
    )


def _named_by(node: ast.stmt) -> Iterator[tuple[str, str]]:
    """A class with a `diagnosis`, or a function that is given one."""
    match node:
        case ast.ClassDef(name=name, body=body):
            for inner in body:
                match inner:
                    case ast.Assign([ast.Name("diagnosis")], ast.Constant(str(diagnosis))):
                        yield name, diagnosis
        case ast.Assign([ast.Attribute(ast.Name(name), "diagnosis")], ast.Constant(str(diagnosis))):
            yield name, diagnosis
