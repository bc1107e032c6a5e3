"""The search index: lessons and notes by section, and every diagnosis, in an SQLite FTS5 table.

The table is in memory. It is built on the first search, and again after a file has changed.
"""

import re
import sqlite3
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from django.urls import reverse

from lessons.workshop.course import diagnoses, lesson_index, lesson_text
from lessons.workshop.course.lesson_index import IncompleteLesson, Lesson, lessons
from lessons.workshop.page.markup import markdown_sections
from lessons.workshop.page.notes_chapters import read_chapters
from lessons.workshop.page.search.vocabulary import Vocabulary

LESSON, DIAGNOSIS, NOTES = "Lesson", "Diagnosis", "Notes"
# Private-use characters round a match. They are removed from the texts, so they are never content.
MARK_START, MARK_END = "\ue000", "\ue001"

# `_` and `.` separate words, so `group_send` is found by `send` too. A match in a title counts
# most, then one in the error that a diagnosis quotes.
_CREATE = """
    CREATE VIRTUAL TABLE entries USING fts5(
        title, place, id, error, text, kind UNINDEXED, url UNINDEXED,
        tokenize = "unicode61 remove_diacritics 2", prefix = "1 2 3"
    )
"""
_WORDS = "CREATE VIRTUAL TABLE words USING fts5vocab(entries, row)"


class SearchUnavailable(Exception):
    """This Python's SQLite cannot search. The message says how to fix that."""

    def __str__(self):
        return (
            f"Search needs SQLite with FTS5, and the sqlite3 of this Python has none (SQLite "
            f"{sqlite3.sqlite_version}). Install Python from your system's packages or from "
            "python.org, delete .venv, and start the workshop again."
        )


class _Connection(sqlite3.Connection):
    def __del__(self):
        self.close()  # a new index replaces this one; Python 3.13 warns if it is not closed


@dataclass(frozen=True)
class Index:
    """The table `entries`, and what was counted in it."""

    connection: sqlite3.Connection
    vocabulary: Vocabulary
    size: int  # number of entries
    diagnoses: dict[str, int]  # the row of each
    symptoms: dict[int, frozenset[str]]  # the words of each, by row
    pages: dict[int, str]  # the URL without the anchor, by row

    def rows(self, expression: str) -> set[int]:
        """The entries that an FTS5 expression matches."""
        found = self.connection.execute(
            "SELECT rowid FROM entries WHERE entries MATCH ?", [expression]
        )
        return {row for (row,) in found}


class Entry(NamedTuple):
    """A row of the table: something to find, and the address of its place."""

    title: str
    place: str  # what contains it
    id: str  # of a diagnosis
    error: str  # the symptom of a diagnosis, and the types of its exceptions
    text: str
    kind: str
    url: str


def connect() -> Index:
    """The index, which is up to date. Raises SearchUnavailable.

    It looks at the files once a second at most, because the page searches at each typed letter.
    """
    return _build(_file_times(lesson_index.PROJECT_DIR, this_second()))


def this_second() -> int:
    return int(time.monotonic())


def read_notes() -> str:
    """The Markdown of NOTES.md. Empty if the file does not exist."""
    try:
        return _notes_file().read_text(encoding="utf-8")
    except OSError:
        return ""


def _notes_file() -> Path:
    return lesson_index.PROJECT_DIR / "NOTES.md"


@lru_cache(maxsize=1)
def _file_times(project: Path, second: int) -> tuple[tuple[str, int], ...]:
    """Every file that the index contains, and when it was written."""
    apps = {one.app for one in lessons() if one.path_to("lesson.md").exists()}
    files = [_notes_file(), *diagnoses.CATALOGUE_DIR.glob("*.toml")]
    files += [file for one in lessons() for file in one.folder.glob("*.md")]
    files += [file for app in apps for file in (project / app).rglob("*.py")]
    return tuple((str(file), file.stat().st_mtime_ns) for file in files if file.exists())


@lru_cache(maxsize=1)
def _build(file_times) -> Index:
    diagnoses.catalogue.cache_clear()
    # Views run in several threads. SQLite serializes their calls on this connection.
    index = sqlite3.connect(":memory:", check_same_thread=False, factory=_Connection)
    try:
        index.execute(_CREATE)
    except sqlite3.OperationalError as error:
        raise SearchUnavailable from error
    rows = [_clean(one) for one in (*_lesson_entries(), *_diagnosis_entries(), *_note_entries())]
    index.executemany("INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
    index.execute(_WORDS)
    words = (word for (word,) in index.execute("SELECT term FROM words"))
    numbers = {one.id: number for number, one in enumerate(rows, start=1) if one.id}
    symptoms = {
        numbers[one.id]: frozenset(re.findall(r"[^\W_]+", one.symptom.lower()))
        for one in diagnoses.catalogue().values()
    }
    pages = {number: one.url.partition("#")[0] for number, one in enumerate(rows, start=1)}
    return Index(index, Vocabulary(words), len(rows), numbers, symptoms, pages)


def _clean(entry: Entry) -> Entry:
    """The entry with each text on one line, without the characters that mark a match."""
    unmarked = (part.replace(MARK_START, "").replace(MARK_END, "") for part in entry)
    return Entry(*(" ".join(part.split()) for part in unmarked))


def _lesson_entries() -> Iterator[Entry]:
    for lesson in lessons():
        try:
            sections = markdown_sections(lesson_text.expanded_text(lesson))
            fresh = Lesson(lesson.folder)
            title, goal = f"{lesson.number} · {fresh.title}", fresh.goal
        except (IncompleteLesson, lesson_text.TextError):
            continue  # its own page and the list say what it lacks
        url = reverse("lesson", args=[lesson.key])
        for one in sections:
            name = f"{title}: {one.title}" if one.id else title
            place = f"{lesson.app} {lesson.slug}"
            yield Entry(name, place, "", "", one.text or goal, LESSON, _address(url, one.id))


def _diagnosis_entries() -> Iterator[Entry]:
    for one in diagnoses.catalogue().values():
        text = f"{one.symptom} {one.cause} {one.cure}"
        place = f"Lesson {one.lesson}" if one.lesson else "Any lesson"
        url = _address(reverse("diagnoses"), one.id)
        types = re.findall(r"\b[A-Z][a-z]\w+", one.exception or "")
        error = " ".join([one.symptom, *types])
        yield Entry(one.title, place, one.id, error, text, DIAGNOSIS, url)


def _note_entries() -> Iterator[Entry]:
    introduction, chapters = read_chapters(read_notes())
    for one in markdown_sections(introduction):
        yield Entry(one.title or "Notes", "", "", "", one.text, NOTES, reverse("notes"))
    for chapter in chapters:
        for one in markdown_sections(chapter.markdown):
            is_chapter = one.id == chapter.id
            place, anchor = ("", "") if is_chapter else (chapter.title, one.id)
            yield Entry(one.title, place, "", "", one.text, NOTES, _address(chapter.url, anchor))


def _address(url: str, anchor: str) -> str:
    return f"{url}#{anchor}" if anchor else url
