"""What can be looked for: lessons and notes by their sections, and every diagnosis."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

from django.urls import reverse

from lessons.core import catalogue, diagnoses, lesson_text
from lessons.core.catalogue import IncompleteLesson, Lesson, lessons
from lessons.web.markup import markdown_sections
from lessons.web.search.text_match import folded

LESSONS, DIAGNOSES, NOTES = "Lessons", "Diagnoses", "Notes"


@dataclass(frozen=True)
class Entry:
    """One thing that may be found, with the address that leads to it."""

    kind: str
    title: str
    place: str  # what it is a part of
    url: str
    text: str
    id: str = ""  # of a diagnosis, and the pattern of its exception
    exception: str | None = None

    @cached_property
    def folded_title(self) -> str:
        return folded(f"{self.title} {self.place} {self.id}")

    @cached_property
    def line(self) -> str:
        return " ".join(self.text.split())

    @cached_property
    def folded_line(self) -> str:
        return folded(self.line)

    @cached_property
    def folded(self) -> str:
        return f"{self.folded_title}\n{self.folded_line}"


def entries() -> tuple[Entry, ...]:
    """All of them, in the order of the course; made anew when a file has changed.

    The files are looked at once a second: a search is asked for at each letter that is typed.
    """
    return _entries(_stamp(catalogue.PROJECT_DIR, this_second()))


def this_second() -> int:
    return int(time.monotonic())


def notes_file() -> Path:
    return catalogue.PROJECT_DIR / "NOTES.md"


@lru_cache(maxsize=1)
def _stamp(project: Path, second: int) -> tuple[tuple[str, int], ...]:
    """Every file that an entry is made of, and when it was written."""
    apps = {one.app for one in lessons() if one.path_to("lesson.md").exists()}
    files = [notes_file(), *diagnoses.CATALOGUE_DIR.glob("*.toml")]
    files += [file for one in lessons() for file in one.folder.glob("*.md")]
    files += [file for app in apps for file in (project / app).rglob("*.py")]
    return tuple((str(file), file.stat().st_mtime_ns) for file in files if file.exists())


@lru_cache(maxsize=1)
def _entries(stamp) -> tuple[Entry, ...]:
    diagnoses.catalogue.cache_clear()
    return (*_of_lessons(), *_of_diagnoses(), *_of_notes())


def _of_lessons() -> Iterator[Entry]:
    for lesson in lessons():
        try:
            found = markdown_sections(lesson_text.expanded(lesson))
            title = f"{lesson.number} · {Lesson(lesson.folder).title}"
        except (
            IncompleteLesson,
            lesson_text.TextError,
        ):  # its own page, and the list, say what it lacks
            continue
        url = reverse("lesson", args=[lesson.key])
        for one in found:
            name = f"{title}: {one.title}" if one.id else title
            address = f"{url}#{one.id}" if one.id else url
            yield Entry(LESSONS, name, f"{lesson.app} {lesson.slug}", address, one.text)


def _of_diagnoses() -> Iterator[Entry]:
    url = reverse("diagnoses")
    for one in diagnoses.catalogue().values():
        told = f"{one.symptom} {one.cause} {one.cure}"
        place = f"Lesson {one.lesson}" if one.lesson else "Any lesson"
        yield Entry(DIAGNOSES, one.title, place, f"{url}#{one.id}", told, one.id, one.exception)


def _of_notes() -> Iterator[Entry]:
    url, chapter = reverse("notes"), ""
    for one in markdown_sections(read_notes()):
        address = f"{url}#{one.id}" if one.id else url
        chapter = one.title if one.level <= 2 else chapter
        place = chapter if one.level > 2 else ""
        if place != DIAGNOSES:  # their tables there: each of them is an entry already
            yield Entry(NOTES, one.title or "Notes", place, address, one.text)


def read_notes() -> str:
    """The Markdown of NOTES.md; nothing where there is no such file."""
    try:
        return notes_file().read_text(encoding="utf-8")
    except OSError:
        return ""
