"""Searches lessons, notes and diagnoses, with SQLite's full-text index FTS5.

A query is typed words, a line of a log, or a pasted traceback. Of a traceback, the last exception
counts.
"""

import re
import sqlite3
from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from django.urls import reverse
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from lessons.workshop.course import diagnoses, lesson_text
from lessons.workshop.course.lesson_index import IncompleteLesson, lessons
from lessons.workshop.page.markup import markdown_sections
from lessons.workshop.page.notes import read_notes

LESSON, DIAGNOSIS, NOTES = "Lesson", "Diagnosis", "Notes"
MAX_RESULTS = 20
MAX_QUERY = 4000  # characters, as search.js sends them; of a longer text, the end is read
LINE_END = "↵"  # search.js writes it for a line end, which a text field cannot contain
MARK_START, MARK_END = "\ue000", "\ue001"  # private-use characters, which no text contains
_MAX_LINES = 20  # that are looked up as exceptions
_MAX_WORDS = 40  # that are searched for
# The first numbers say how much a match counts in title, place, symptom and text.
_SELECT = f"""SELECT id, kind, highlight(entries, 0, '{MARK_START}', '{MARK_END}'), place, url,
    snippet(entries, 3, '{MARK_START}', '{MARK_END}', ' … ', 32)
    FROM entries WHERE entries MATCH ? ORDER BY bm25(entries, 5, 3, 2, 1), rowid"""

# "Type: message" without the module of the type, to the end of a line.
_ERROR = re.compile(
    r"(?<![\w.'\"/])(?:[a-z_]\w*\.)*(?P<error>[A-Z]\w*(?:Error|Exception|Warning|Full|NotReady"
    r"|Operation|Exit|Interrupt|Closed)(?:$|: ).*)"
)
_OBJECT = re.compile(r"<[^<>]*>")
# A token that differs from run to run: a path, the name of a channel, a time, an address.
_VOLATILE = re.compile(r"[/\\!]|\d[-:.]\d|^0x")
# `group_send` and `websocket.accept` too, but not the t of "can't".
_WORD = re.compile(r"[^\W_]\w+(?:\.\w+){0,7}")


class Result(NamedTuple):
    """An entry as the page shows it. Matches in `title` and `excerpt` are in <mark> elements."""

    kind: str
    title: SafeString
    place: str
    url: str
    excerpt: SafeString


class Found(NamedTuple):
    """The best results. `count` is the number of all, also of those that are not shown."""

    results: list[Result]
    count: int


class Entry(NamedTuple):
    """Something to find, and the address of its place. `id` is that of a diagnosis, or ""."""

    title: str
    place: str
    symptom: str
    text: str
    kind: str
    url: str
    id: str = ""


class Query(NamedTuple):
    """A query without what is volatile. `exceptions` are "Type: message", the last one first."""

    words: list[str]
    exceptions: list[str]


def read_query(text: str) -> Query:
    """Never raises: any text is a query."""
    text = text[-MAX_QUERY:].replace("\0", " ").replace(LINE_END, "\n")
    lines = [line.strip() for line in re.split(r"\n|\s{4,}", text) if line.strip()]
    errors = [found["error"] for line in lines if (found := _ERROR.search(line))]
    exceptions = list(dict.fromkeys([*reversed(errors), *reversed(lines)]))[:_MAX_LINES]
    last = errors[-1].partition(": ")[2] if errors else " ".join(lines)
    return Query(_words(last) or _words(text), exceptions)


def _words(text: str) -> list[str]:
    while (shorter := _OBJECT.sub(" ", text)) != text:  # they contain each other
        text = shorter
    tokens = (token for token in text.split() if not _VOLATILE.search(token))
    return list(dict.fromkeys(_WORD.findall(" ".join(tokens))))[:_MAX_WORDS]


def recognised_diagnoses(query: Query) -> list[str]:
    """Ids of the diagnoses for the exceptions in the query.

    The last exception comes first, because it is the one that ended the consumer.
    """
    known = [one for one in diagnoses.catalogue().values() if one.exception]
    found = (
        next((one.id for one in known if re.search(one.exception, text)), None)
        for text in query.exceptions
    )
    return list(dict.fromkeys(filter(None, found)))


def search(text: str) -> Found:
    """What the course has about this text, the best first."""
    query = read_query(text)
    known = recognised_diagnoses(query)
    pairs = (" ".join(pair) for pair in pairwise(query.words))
    terms = " OR ".join(f'"{one}"' for one in (*known, *query.words, *pairs))
    rows = _index().execute(_SELECT, [terms]).fetchall() if terms else []
    rows.sort(key=lambda row: known.index(row[0]) if row[0] in known else len(known))
    best = [
        Result(kind, _marked(title), place, url, _marked(excerpt))
        for _, kind, title, place, url, excerpt in rows[:MAX_RESULTS]
    ]
    return Found(best, len(rows))


def _marked(text: str) -> SafeString:
    """HTML. Everything is escaped before the marks become elements."""
    html = escape(text.strip()).replace(MARK_START, "<mark>").replace(MARK_END, "</mark>")
    return mark_safe(html)


# The index


@lru_cache(maxsize=1)
def _index() -> sqlite3.Connection:
    """Made once: who changes a text starts the workshop again to find it."""
    # Views run in several threads. SQLite serializes their calls on this connection.
    connection = sqlite3.connect(":memory:", check_same_thread=False)
    connection.execute(
        """CREATE VIRTUAL TABLE entries USING fts5(title, place, symptom, text,
        kind UNINDEXED, url UNINDEXED, id UNINDEXED,
        tokenize = "porter unicode61 remove_diacritics 2")"""
    )
    entries = map(_clean, (*_lesson_entries(), *_diagnosis_entries(), *_note_entries()))
    connection.executemany("INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?, ?)", entries)
    return connection


def _clean(entry: Entry) -> Entry:
    """The entry with each text on one line, without the characters that mark a match."""
    unmarked = (part.replace(MARK_START, "").replace(MARK_END, "") for part in entry)
    return Entry(*(" ".join(part.split()) for part in unmarked))


def _lesson_entries() -> Iterator[Entry]:
    for lesson in lessons():
        try:
            sections = markdown_sections(lesson_text.expanded_text(lesson))
            title, goal = f"{lesson.number} · {lesson.title}", lesson.goal
        except (IncompleteLesson, lesson_text.TextError):
            continue  # its own page and the list say what it lacks
        url = reverse("lesson", args=[lesson.key])
        for one in sections:
            name = f"{title}: {one.title}" if one.id else title
            place = f"{lesson.app} {lesson.slug}"
            yield Entry(name, place, "", one.text or goal, LESSON, _address(url, one.id))


def _diagnosis_entries() -> Iterator[Entry]:
    for one in diagnoses.catalogue().values():
        text = f"{one.symptom} {one.cause} {one.cure}"
        place = f"Lesson {one.lesson}" if one.lesson else "Any lesson"
        types = re.findall(r"\b[A-Z][a-z]\w+", one.exception or "")
        symptom = " ".join([one.id, one.symptom, *types])
        url = _address(reverse("diagnoses"), one.id)
        yield Entry(one.title, place, symptom, text, DIAGNOSIS, url, one.id)


def _note_entries() -> Iterator[Entry]:
    found, chapter = read_notes(), ""
    for one in found.sections if found else ():
        if one.level <= 2:
            chapter = one.title
        place, url = chapter if one.level > 2 else "", _address(reverse("notes"), one.id)
        yield Entry(one.title or "Notes", place, "", one.text, NOTES, url)


def _address(url: str, anchor: str) -> str:
    return f"{url}#{anchor}" if anchor else url
