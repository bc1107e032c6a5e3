"""NOTES.md by chapter, as HTML. A chapter begins at a heading of level 2."""

import re
from functools import lru_cache
from typing import NamedTuple

from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe

from lessons.workshop.course.diagnoses import catalogue
from lessons.workshop.course.lesson_index import lessons
from lessons.workshop.course.lesson_text import split_chapters
from lessons.workshop.page.markup import Section, markdown_sections, markdown_to_html

# Only NOTES.md itself needs this list: each page has its own.
_CONTENTS = re.compile(r'^\[//\]: # "contents"\n.*?^\[//\]: # "end"\n', re.M | re.S)
_FILE_LINK = re.compile(r'<a href="(?P<file>\w[^":]*)"(?: title="[^"]*")?>(?P<words>[^<]*)</a>')
_HEADING = re.compile(r"(</?h)([2-6])\b")
_ANCHOR_LINK = re.compile(r'(?<=<a href=")#(?P<anchor>[^"]+)')


class Chapter(NamedTuple):
    """A chapter of the notes. `sections` are its headings below the first one."""

    id: str
    title: str
    markdown: str
    sections: tuple[Section, ...]

    @property
    def url(self) -> str:
        return reverse("notes_chapter", args=[self.id])


@lru_cache(maxsize=4)
def read_chapters(notes: str) -> tuple[str, tuple[Chapter, ...]]:
    """The Markdown before the first chapter, and all chapters."""
    introduction, *chapters = split_chapters(_CONTENTS.sub("", notes))
    return introduction, tuple(map(_chapter, chapters))


def _chapter(markdown: str) -> Chapter:
    head, *sections = markdown_sections(markdown)
    return Chapter(head.id, head.title, markdown, tuple(sections))


@lru_cache(maxsize=4)
def whole_to_html(notes: str) -> SafeString:
    """All notes as HTML."""
    introduction, chapters = read_chapters(notes)
    html = [_to_html(introduction), *(_to_html(one.markdown) for one in chapters)]
    return mark_safe("".join(html))


@lru_cache(maxsize=64)
def chapter_to_html(notes: str, chapter: Chapter) -> SafeString:
    """One chapter as HTML: its heading is the page's. A link into another leads to that page."""
    urls = {
        anchor: one.url + (f"#{anchor}" if anchor != one.id else "")
        for one in read_chapters(notes)[1]
        for anchor in (one.id, *(section.id for section in one.sections))
        if one != chapter
    }
    html = _to_html(chapter.markdown)
    html = _HEADING.sub(lambda found: f"{found[1]}{int(found[2]) - 1}", html)
    return mark_safe(_ANCHOR_LINK.sub(lambda found: urls.get(found["anchor"], found[0]), html))


def _to_html(markdown: str) -> SafeString:
    return link_to_pages(markdown_to_html(markdown))


def link_to_pages(html: SafeString) -> SafeString:
    """The HTML, in which a link to a file becomes a link to a page, or the file's name.

    On a repository's page such a link works. The workshop does not serve the project's files.
    """
    by_file = {f"lessons/{one.folder.name}/lesson.md": one.key for one in lessons()}

    def replacement(found: re.Match) -> str:
        words = found["words"]
        if found["file"].startswith("lessons/workshop/course/diagnoses/"):
            anchor = f"#{words}" if words in catalogue() else ""
            return f'<a href="{reverse("diagnoses")}{anchor}">{words}</a>'
        if key := by_file.get(found["file"]):
            return f'<a href="{reverse("lesson", args=[key])}">{words}</a>'
        return f"<code>{words}</code>"

    return mark_safe(_FILE_LINK.sub(replacement, html))
