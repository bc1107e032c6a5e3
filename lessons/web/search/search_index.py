"""The search index: lessons and notes by section, and every diagnosis, in an SQLite FTS5 table.

The table is in memory. It is built on the first search, and again after a file has changed.
"""

import sqlite3
import time
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from django.urls import reverse

from lessons.core import catalogue, diagnoses, lesson_text
from lessons.core.catalogue import IncompleteLesson, Lesson, lessons
from lessons.web.markup import markdown_sections
from lessons.web.notes_chapters import read_chapters

LESSONS, DIAGNOSES, NOTES = "Lessons", "Diagnoses", "Notes"
# Private-use characters round a match. They are removed from the texts, so they are never content.
MARK_START, MARK_END = "\ue000", "\ue001"

# `_` and `.` separate words, so `group_send` is found by `send` too. A match in a title counts
# most. The last option makes searches by the beginning of a word fast.
_CREATE = """
    CREATE VIRTUAL TABLE entries USING fts5(
        title, place, id, text, kind UNINDEXED, url UNINDEXED,
        tokenize = "unicode61 remove_diacritics 2", prefix = "1 2 3"
    )
"""
_RANK = "INSERT INTO entries(entries, rank) VALUES ('rank', 'bm25(20, 5, 20, 1)')"


class SearchUnavailable(Exception):
    """This Python's SQLite cannot search. The message says how to fix that."""

    def __str__(self):
        return (
            f"Search needs SQLite with FTS5, and the sqlite3 of this Python has none (SQLite "
            f"{sqlite3.sqlite_version}). Install Python from your system's packages or from "
            "python.org, delete .venv, and start the workshop again."
        )


class _Index(sqlite3.Connection):
    def __del__(self):
        self.close()  # a new index replaces this one; Python 3.13 warns if it is not closed


class Entry(NamedTuple):
    """A row of the table: something to find, and the address of its place."""

    title: str
    place: str  # what contains it
    id: str  # of a diagnosis
    text: str
    kind: str
    url: str


def connect() -> sqlite3.Connection:
    """The index, which is up to date. Raises SearchUnavailable.

    It looks at the files once a second at most, because the page searches at each typed letter.
    """
    return _build(_file_times(catalogue.PROJECT_DIR, this_second()))


def this_second() -> int:
    return int(time.monotonic())


def read_notes() -> str:
    """The Markdown of NOTES.md. Empty if the file does not exist."""
    try:
        return _notes_file().read_text(encoding="utf-8")
    except OSError:
        return ""


def _notes_file() -> Path:
    return catalogue.PROJECT_DIR / "NOTES.md"


@lru_cache(maxsize=1)
def _file_times(project: Path, second: int) -> tuple[tuple[str, int], ...]:
    """Every file that the index contains, and when it was written."""
    apps = {one.app for one in lessons() if one.path_to("lesson.md").exists()}
    files = [_notes_file(), *diagnoses.CATALOGUE_DIR.glob("*.toml")]
    files += [file for one in lessons() for file in one.folder.glob("*.md")]
    files += [file for app in apps for file in (project / app).rglob("*.py")]
    return tuple((str(file), file.stat().st_mtime_ns) for file in files if file.exists())


@lru_cache(maxsize=1)
def _build(file_times) -> sqlite3.Connection:
    diagnoses.catalogue.cache_clear()
    # Views run in several threads. SQLite serializes their calls on this connection.
    index = sqlite3.connect(":memory:", check_same_thread=False, factory=_Index)
    try:
        index.execute(_CREATE)
    except sqlite3.OperationalError as error:
        raise SearchUnavailable from error
    index.execute(_RANK)
    rows = map(_clean, (*_lesson_entries(), *_diagnosis_entries(), *_note_entries()))
    index.executemany("INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?)", rows)
    return index


def _clean(entry: Entry) -> Entry:
    """The entry with each text on one line, without the characters that mark a match."""
    unmarked = (part.replace(MARK_START, "").replace(MARK_END, "") for part in entry)
    return Entry(*(" ".join(part.split()) for part in unmarked))


def _lesson_entries() -> Iterator[Entry]:
    for lesson in lessons():
        try:
            sections = markdown_sections(lesson_text.expanded_text(lesson))
            title = f"{lesson.number} · {Lesson(lesson.folder).title}"
        except (IncompleteLesson, lesson_text.TextError):
            continue  # its own page and the list say what it lacks
        url = reverse("lesson", args=[lesson.key])
        for one in sections:
            name = f"{title}: {one.title}" if one.id else title
            place = f"{lesson.app} {lesson.slug}"
            yield Entry(name, place, "", one.text, LESSONS, _address(url, one.id))


def _diagnosis_entries() -> Iterator[Entry]:
    for one in diagnoses.catalogue().values():
        text = f"{one.symptom} {one.cause} {one.cure}"
        place = f"Lesson {one.lesson}" if one.lesson else "Any lesson"
        url = _address(reverse("diagnoses"), one.id)
        yield Entry(one.title, place, one.id, text, DIAGNOSES, url)


def _note_entries() -> Iterator[Entry]:
    introduction, chapters = read_chapters(read_notes())
    for one in markdown_sections(introduction):
        yield Entry(one.title or "Notes", "", "", one.text, NOTES, reverse("notes"))
    for chapter in chapters:
        for one in markdown_sections(chapter.markdown):
            is_chapter = one.id == chapter.id
            place, anchor = ("", "") if is_chapter else (chapter.title, one.id)
            yield Entry(one.title, place, "", one.text, NOTES, _address(chapter.url, anchor))


def _address(url: str, anchor: str) -> str:
    return f"{url}#{anchor}" if anchor else url
