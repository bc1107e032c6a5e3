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
from lessons.workshop.page.notes_chapters import chapter_to_html, read_chapters, whole_to_html
from lessons.workshop.page.search import read_notes, search
from lessons.workshop.page.views.csp import with_csp


@require_safe
@with_csp
def search_page(request):
    query = request.GET.get("q", "").strip()
    context = {"query": query, "found": search(query) if query else None}
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
def notes_page(request, chapter=None):
    """All notes, or one chapter of them."""
    notes = read_notes()
    if not notes:
        raise Http404("The file NOTES.md is missing.")
    _, chapters = read_chapters(notes)
    context = {"chapters": chapters}
    if chapter is None:
        context["text"] = whole_to_html(notes)
    else:
        numbers = {one.id: number for number, one in enumerate(chapters)}
        if chapter not in numbers:
            raise Http404("The notes have no such chapter.")
        number = numbers[chapter]
        context["number"] = number + 1
        context["chapter"] = chapters[number]
        context["previous"] = chapters[number - 1] if number else None
        context["next"] = chapters[number + 1] if number + 1 < len(chapters) else None
        context["text"] = chapter_to_html(notes, chapters[number])
    return render(request, "lessons/notes.html", context)
