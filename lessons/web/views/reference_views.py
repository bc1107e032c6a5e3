"""The reference pages: search, diagnoses and notes."""

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
from lessons.judge.mistakes import read_mistakes
from lessons.web.markup import markdown_sections, markdown_to_html
from lessons.web.search.search import MAX_QUERY, search
from lessons.web.search.search_index import SearchUnavailable, read_notes
from lessons.web.views.csp import with_csp

_FILE_LINK = re.compile(
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
    """Every diagnosis, by the lesson that explains it. Those without a lesson come last."""
    mistakes = {}
    for lesson in lessons():
        for mistake in read_mistakes(lesson):
            mistakes.setdefault(mistake.diagnosis, []).append((lesson, mistake))
    by_number = {lesson.number: lesson for lesson in lessons()}
    ordered = sorted(catalogue().values(), key=lambda one: one.lesson or len(by_number) + 1)
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
    markdown = read_notes()
    if not markdown:
        raise Http404("The file NOTES.md is missing.")
    contents = [one for one in markdown_sections(markdown) if one.id and one.level == 2]
    text = link_to_pages(markdown_to_html(markdown))
    return render(request, "lessons/notes.html", {"text": text, "contents": contents})


@lru_cache(maxsize=1)
def link_to_pages(html: SafeString) -> SafeString:
    """The HTML, in which a link to a file becomes a link to a page, or the file's name.

    On a repository's page such a link works. The workshop does not serve the project's files.
    """
    by_file = {f"lessons/course/{one.folder.name}/lesson.md": one.key for one in lessons()}

    def replacement(found: re.Match) -> str:
        if found["file"].startswith("lessons/core/diagnoses/"):
            anchor = f"#{found['words']}" if found["words"] in catalogue() else ""
            return f'<a href="{reverse("diagnoses")}{anchor}">{found["words"]}</a>'
        if key := by_file.get(found["file"]):
            return f'<a href="{reverse("lesson", args=[key])}">{found["words"]}</a>'
        if found["title"]:  # the test that proves a sentence: show its name as a tooltip
            return f'<sup title="{found["file"]}: {found["title"]}">{found["words"]}</sup>'
        return f"<code>{found['words']}</code>"

    return mark_safe(_FILE_LINK.sub(replacement, html))
