"""NOTES.md as HTML: one page, beside a list of its chapters. A chapter begins at a level 2."""

import re
from functools import lru_cache
from typing import NamedTuple

from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe

from lessons.workshop.course import lesson_index
from lessons.workshop.course.diagnoses import catalogue
from lessons.workshop.course.lesson_index import lessons
from lessons.workshop.page.markup import Section, markdown_sections, markdown_to_html

# Only the file itself needs this list: the page has its own.
_CONTENTS = re.compile(r'^\[//\]: # "contents"\n.*?^\[//\]: # "end"\n', re.M | re.S)
_FILE_LINK = re.compile(r'<a href="(?P<file>\w[^":]*)"(?: title="[^"]*")?>(?P<words>[^<]*)</a>')


class Notes(NamedTuple):
    """The notes. The chapters are the sections of level 2."""

    html: SafeString
    sections: tuple[Section, ...]

    @property
    def chapters(self) -> list[Section]:
        return [one for one in self.sections if one.level == 2]


def read_notes() -> Notes:
    """The notes of this course; empty if NOTES.md does not exist."""
    try:
        return _rendered((lesson_index.PROJECT_DIR / "NOTES.md").read_text(encoding="utf-8"))
    except OSError:
        return _rendered("")


@lru_cache(maxsize=4)
def _rendered(text: str) -> Notes:
    text = _CONTENTS.sub("", text)
    return Notes(link_to_pages(markdown_to_html(text)), markdown_sections(text))


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
