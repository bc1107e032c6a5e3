"""Where one looks things up: the search, the diagnoses, and the notes."""

import re
from functools import lru_cache
from itertools import groupby

from django.http import Http404
from django.shortcuts import render
from django.template import Context, Template
from django.template.loader import get_template
from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe
from django.views.decorators.http import require_safe

from lessons.core.catalogue import lessons
from lessons.core.diagnoses import catalogue
from lessons.judge.mistakes import wrong_versions
from lessons.web.markup import markdown_sections, markdown_to_html
from lessons.web.search.search import MAX_QUERY, search
from lessons.web.search.search_index import SearchUnavailable, read_notes
from lessons.web.views.csp import with_csp

_TO_A_FILE = re.compile(
    r'<a href="(?P<file>\w[^":]*)"(?: title="(?P<title>[^"]*)")?>(?P<words>[^<]*)</a>'
)


@require_safe
@with_csp
def search_page(request):
    query = request.GET.get("q", "").strip()
    is_too_long = len(query) > MAX_QUERY
    groups, unavailable = [], None
    try:
        groups = [] if is_too_long else search(query)
    except SearchUnavailable as error:
        unavailable = str(error)
    context = {
        "query": query[:MAX_QUERY],
        "max_query": MAX_QUERY if is_too_long else None,
        "unavailable": unavailable,
        "groups": groups,
        "count": sum(group.count for group in groups),
    }
    return render(request, "lessons/search.html", context)


@require_safe
@with_csp
def diagnoses_page(request):
    """Every diagnosis, by the lesson that explains it; those of no lesson last."""
    mistakes = {}
    for lesson in lessons():
        for version in wrong_versions(lesson):
            mistakes.setdefault(version.diagnosis, []).append((lesson, version))
    by_number = {lesson.number: lesson for lesson in lessons()}
    ordered = sorted(catalogue().values(), key=lambda one: one.lesson or len(by_number) + 1)
    groups = tuple(
        (by_number.get(number), tuple((one, tuple(mistakes.get(one.id, ()))) for one in some))
        for number, some in groupby(ordered, key=lambda one: one.lesson)
    )
    diagnosed = _diagnosed(get_template("lessons/diagnosed.html").template, groups)
    context = {"groups": groups, "all": len(ordered), "diagnosed": diagnosed}
    return render(request, "lessons/diagnoses.html", context)


@lru_cache(maxsize=1)
def _diagnosed(template: Template, groups: tuple) -> SafeString:
    """All of them as HTML, the larger part of the page; made anew when one has changed."""
    return template.render(Context({"groups": groups}))


@require_safe
@with_csp
def notes_page(request):
    markdown = read_notes()
    if not markdown:
        raise Http404("There is no NOTES.md")
    contents = [one for one in markdown_sections(markdown) if one.id and one.level == 2]
    text = with_pages(markdown_to_html(markdown))
    return render(request, "lessons/notes.html", {"text": text, "contents": contents})


@lru_cache(maxsize=1)
def with_pages(html: SafeString) -> SafeString:
    """HTML whose links to files of the project lead to pages, or say which file it is.

    On the page of a repository they lead to the files themselves; the workshop serves none.
    """
    by_file = {f"lessons/course/{one.folder.name}/lesson.md": one.key for one in lessons()}

    def lead(found: re.Match) -> str:
        if key := by_file.get(found["file"]):
            return f'<a href="{reverse("lesson", args=[key])}">{found["words"]}</a>'
        if found["title"]:  # a proof: the test's name
            return f'<sup title="{found["file"]}: {found["title"]}">{found["words"]}</sup>'
        return f"<code>{found['words']}</code>"

    return mark_safe(_TO_A_FILE.sub(lead, html))
