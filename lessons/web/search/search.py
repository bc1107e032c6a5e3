"""Finds entries that contain every word of a query, and the diagnosis of a pasted exception."""

import re
import sqlite3
from dataclasses import dataclass

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from lessons.core import diagnoses
from lessons.web.search.search_index import (
    DIAGNOSES,
    LESSONS,
    MARK_END,
    MARK_START,
    NOTES,
    connect,
)

MAX_QUERY = 2000  # characters
MAX_RESULTS = 20  # of each kind
_EXCERPT_WORDS = 32
_MAX_WORDS = 200  # words of a query that are searched for: SQLite limits its expressions
_SELECT = f"""
    SELECT highlight(entries, 0, '{MARK_START}', '{MARK_END}'), place, url,
        snippet(entries, 3, '{MARK_START}', '{MARK_END}', ' … ', {_EXCERPT_WORDS})
    FROM entries WHERE entries MATCH ? AND
"""
# What stands before an exception: the words of Daphne's log, or the module in a traceback.
_PREFIX = re.compile(r"^.*Exception inside application: |^(?:\w+\.)+(?=[A-Z]\w+(?::|$))")


@dataclass(frozen=True)
class Result:
    """An entry as the page shows it. Matches in `title` and `excerpt` are in <mark> elements."""

    title: SafeString
    place: str
    url: str
    excerpt: SafeString


@dataclass(frozen=True)
class Group:
    """The results of one kind, the best first. `count` is the number of all that were found."""

    kind: str
    count: int
    results: list[Result]


def search(query: str) -> list[Group]:
    """The results by kind. A diagnosis of an exception in the query comes first of all."""
    index = connect()
    words = [_phrase(word) for word in dict.fromkeys(query.split()) if re.search(r"[^\W_]", word)]
    words = words[:_MAX_WORDS]
    ids = sorted(recognise(query))
    groups = []
    for kind in [DIAGNOSES, LESSONS, NOTES] if ids else [LESSONS, DIAGNOSES, NOTES]:
        first = _recognised(index, ids, words) if ids and kind == DIAGNOSES else []
        found, count = _matches(index, words, kind, ids) if words else ([], 0)
        if first or found:
            groups.append(Group(kind, len(first) + count, [*first, *found][:MAX_RESULTS]))
    return groups


def _phrase(word: str) -> str:
    """The word in FTS5's syntax. It is a phrase, so `group_send` needs both parts in order.

    Its last part may be the beginning of a word.
    """
    return '"{}"*'.format(re.sub(r'["\0]', " ", word))


def _matches(
    index: sqlite3.Connection, words: list[str], kind: str, without_ids: list[str]
) -> tuple[list[Result], int]:
    """The best entries of that kind without these ids, and the number of all."""
    condition = f"kind = ? AND id NOT IN ({_placeholders(without_ids)})"
    parameters = [" AND ".join(words), kind, *without_ids]
    counted = f"SELECT count(*) FROM entries WHERE entries MATCH ? AND {condition}"
    (count,) = index.execute(counted, parameters).fetchone()
    order = f"ORDER BY rank, rowid LIMIT {MAX_RESULTS}"
    return _results(index, f"{condition} {order}", parameters), count


def _recognised(index: sqlite3.Connection, ids: list[str], words: list[str]) -> list[Result]:
    """The diagnoses with these ids. The words that they contain are marked."""
    match = " OR ".join([*(f"id : {_phrase(one)}" for one in ids), *words])
    return _results(index, f"id IN ({_placeholders(ids)}) ORDER BY rowid", [match, *ids])


def _placeholders(values: list[str]) -> str:
    return ",".join("?" * len(values))


def _results(index: sqlite3.Connection, condition: str, parameters: list[str]) -> list[Result]:
    rows = index.execute(f"{_SELECT} {condition}", parameters)
    return [
        Result(_marked(title), place, url, _marked(excerpt.strip()))
        for title, place, url, excerpt in rows
    ]


def _marked(text: str) -> SafeString:
    """HTML. Everything is escaped before the marks become elements."""
    html = escape(text).replace(MARK_START, "<mark>").replace(MARK_END, "</mark>")
    return mark_safe(html)


def recognise(query: str) -> set[str]:
    """Ids of the diagnoses for the exceptions in `query`, with or without their types.

    As with an exception that was raised, the first diagnosis that fits a line counts.
    """
    found = set()
    for line in query.splitlines():
        text = _PREFIX.sub("", line.strip())
        known = (one for one in diagnoses.catalogue().values() if one.exception)
        found.add(next((one.id for one in known if _fits(one.exception, text)), None))
    return found - {None}


def _fits(exception: str, line: str) -> bool:
    """Whether the line fits the pattern, as it is or with the type of an exception in front.

    A pattern that fits any message of its type is only tried with the type in the line.
    """
    types = set(re.findall(r"\b[A-Z][a-z]\w+", exception))
    optional = [name for name in types if not re.search(exception, f"{name}: \0")]
    return any(
        re.search(exception, text) for text in [line, *(f"{name}: {line}" for name in optional)]
    )
