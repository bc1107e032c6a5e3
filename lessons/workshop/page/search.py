"""Searches lessons, notes and diagnoses, with SQLite's full-text index FTS5.

A query is typed words, a line of a log, or a pasted traceback. Of a traceback, the last exception
counts.
"""

import math
import re
import sqlite3
import tomllib
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
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
_WEIGHTS = "10, 3, 1, 1"  # how much a match counts in each column: title, place, symptom, text

_SYNONYMS = tomllib.loads(Path(__file__).with_name("search_synonyms.toml").read_text("utf-8"))
# "Type: message" without the module of the type, to the end of a line.
_ERROR = re.compile(
    r"(?<![\w.'\"/])(?:[a-z_]\w*\.)*(?P<error>[A-Z]\w*(?:Error|Exception|Warning|Full|NotReady"
    r"|Operation|Exit|Interrupt|Closed)(?:$|: ).*)"
)
_OBJECT = re.compile(r"<[^<>]*>")
# A token that differs from run to run: a path, the name of a channel, a time, an address, a logger.
_VOLATILE = re.compile(r"[/\\!]|\d[-:.]\d|^0x|^\[|^[A-Z]{4,}$")
_WORD = re.compile(r"[^\W_]+(?:[._][^\W_]+){0,7}")  # `group_send` and `websocket.accept` too


class Entry(NamedTuple):
    """Something to find, and the address of its place. `id` is that of a diagnosis, or "".

    In a result, `title` and `text` are HTML, in which matches are in <mark> elements.
    """

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
    is_error: bool


def read_query(text: str) -> Query:
    """Never raises: any text is a query."""
    text = text[-MAX_QUERY:].replace("\0", " ").replace(LINE_END, "\n")
    lines = [line.strip() for line in re.split(r"\n|\s{4,}", text) if line.strip()]
    errors = [found["error"] for line in lines if (found := _ERROR.search(line))]
    exceptions = list(dict.fromkeys([*reversed(errors), *reversed(lines)]))[:_MAX_LINES]
    last = errors[-1] if errors else "\n".join(lines)
    message = last.partition(": ")[2] if errors else last
    return Query(_words(message) or _words(last) or _words(text), exceptions, bool(errors))


def _words(text: str) -> list[str]:
    text = text.replace("<WebSocket", "websocket <").replace("<WebRequest", "http request <")
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


def search(text: str) -> tuple[list[Entry], int]:
    """The best of what the course has about this text, and how much it has."""
    index = _index()
    query = read_query(text)
    quoted = [f'"{" ".join(query.words[at : at + 4])}"' for at in range(len(query.words) - 3)]
    if quoted and index.rows(f"symptom : ({' OR '.join(quoted)})"):
        query = query._replace(is_error=True)
    terms = _terms(index, query)
    scores = _scores(index, terms, query)
    recognised = [text] if text in index.diagnoses else recognised_diagnoses(query)
    known = [index.diagnoses[id] for id in recognised if id in index.diagnoses]
    best = [*known, *sorted(scores.keys() - known, key=lambda row: (-scores[row], row))]
    return [_result(index, row, terms) for row in best[:MAX_RESULTS]], len(best)


class Index(NamedTuple):
    connection: sqlite3.Connection
    entries: list[Entry]  # by row, which begins with 1
    diagnoses: dict[str, int]  # the row of each

    def rows(self, expression: str) -> set[int]:
        """The entries that an FTS5 expression matches."""
        select = "SELECT rowid FROM entries WHERE entries MATCH ?"
        return {row for (row,) in self.connection.execute(select, [expression])}


def _terms(index: Index, query: Query) -> list[str]:
    """An FTS5 expression for each word that a text has, without single letters, as of "can't"."""
    terms = []
    for word in [it for it in query.words if len(it) > 1] or query.words:
        forms = [word, *_SYNONYMS.get(word.lower(), "").split()]
        # The end of the last word may be missing.
        ends = "*" if word == query.words[-1] and not query.is_error else ""
        term = "(" + " OR ".join(f'"{form}"{ends}' for form in forms) + ")"
        if index.rows(term):
            terms.append(term)
    return terms


def _scores(index: Index, terms: list[str], query: Query) -> dict[int, float]:
    """The score of each entry that has a word of the query.

    bm25 counts how often, where and how rare. An entry with only some of the words has less, and
    one whose title has them has more. So has a diagnosis, if an error was pasted.
    """
    if not terms:
        return {}
    anywhere = [index.rows(term) for term in terms]
    titles = [index.rows(f"{{title place}} : {term}") for term in terms]
    pairs = [f'"{one} {next}"' for one, next in pairwise(query.words)]
    paired = Counter(row for pair in pairs for row in index.rows(pair))
    weights = [math.log(1 + len(index.entries) / (1 + len(rows))) ** 2 for rows in anywhere]

    def share(row: int, found: list[set[int]]) -> float:
        """How much of the query these rows have, from 0 to 1. A rare word counts more."""
        has = sum(it for rows, it in zip(found, weights, strict=True) if row in rows)
        return has / sum(weights)

    select = f"SELECT rowid, bm25(entries, {_WEIGHTS}) FROM entries WHERE entries MATCH ?"
    scores = {}
    for row, rank in index.connection.execute(select, [" OR ".join([*terms, *pairs])]):
        score = -rank * share(row, anywhere) ** 2 * (1 + paired[row] / max(1, len(pairs)))
        is_diagnosis = index.entries[row - 1].kind == DIAGNOSIS
        if query.is_error:
            score *= 3 if is_diagnosis else 1
        else:  # a question asks for an explanation
            score *= (1 + share(row, titles)) * (0.4 if is_diagnosis else 1)
        scores[row] = score
    return scores


def _result(index: Index, row: int, terms: list[str]) -> Entry:
    entry = index.entries[row - 1]
    marks = f"'{MARK_START}', '{MARK_END}'"
    select = f"""SELECT highlight(entries, 0, {marks}), snippet(entries, 3, {marks}, ' … ', 32)
        FROM entries WHERE entries MATCH ? AND rowid = ?"""
    found = index.connection.execute(select, [" OR ".join(terms), row]) if terms else ()
    title, text = next(iter(found), (entry.title, entry.text[:200]))
    return entry._replace(title=_marked(title), text=_marked(text))


def _marked(text: str) -> SafeString:
    """HTML. Everything is escaped before the marks become elements."""
    html = escape(text.strip()).replace(MARK_START, "<mark>").replace(MARK_END, "</mark>")
    return mark_safe(html)


# The index


@lru_cache(maxsize=1)
def _index() -> Index:
    """Made once: who changes a text starts the workshop again to find it."""
    # Views run in several threads. SQLite serializes their calls on this connection.
    connection = sqlite3.connect(":memory:", check_same_thread=False)
    connection.execute(
        """CREATE VIRTUAL TABLE entries USING fts5(title, place, symptom, text,
        tokenize = "porter unicode61 remove_diacritics 2", prefix = "1 2 3")"""
    )
    entries = [*_lesson_entries(), *_diagnosis_entries(), *_note_entries()]
    connection.executemany("INSERT INTO entries VALUES (?, ?, ?, ?)", (it[:4] for it in entries))
    rows = {one.id: row for row, one in enumerate(entries, start=1) if one.id}
    return Index(connection, entries, rows)


def _lesson_entries() -> Iterator[Entry]:
    for lesson in lessons():
        try:
            sections = markdown_sections(lesson_text.expanded_text(lesson))
            title, goal = f"{lesson.number} · {lesson.title}", lesson.goal
        except (IncompleteLesson, lesson_text.TextError):
            continue  # its own page and the list say what it lacks
        url, place = reverse("lesson", args=[lesson.key]), f"{lesson.app} {lesson.slug}"
        for one in sections:
            name = f"{title}: {one.title}" if one.id else title
            yield Entry(name, place, "", one.text or goal, LESSON, f"{url}#{one.id}".rstrip("#"))


def _diagnosis_entries() -> Iterator[Entry]:
    for one in diagnoses.catalogue().values():
        text = f"{one.symptom} {one.cause} {one.cure}"
        place = f"Lesson {one.lesson}" if one.lesson else "Any lesson"
        types = re.findall(r"\b[A-Z][a-z]\w+", one.exception or "")
        symptom = " ".join([one.id, one.symptom, *types])
        url = f"{reverse('diagnoses')}#{one.id}"
        yield Entry(one.title, place, symptom, text, DIAGNOSIS, url, one.id)


def _note_entries() -> Iterator[Entry]:
    chapter = ""
    for one in read_notes().sections:
        if one.level <= 2:
            chapter = one.title
        place = chapter if one.level > 2 else ""
        url = f"{reverse('notes')}#{one.id}".rstrip("#")
        yield Entry(one.title or "Notes", place, "", one.text, NOTES, url)
