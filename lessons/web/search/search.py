"""Finds entries that contain every word of a query, and the diagnosis of a pasted exception."""

import re
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

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
# Text before the words of the exception itself: Daphne's, and the module in a traceback.
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
    recognised = _diagnoses(index, ids, words) if ids else []
    groups = []
    for kind in [DIAGNOSES, LESSONS, NOTES] if ids else [LESSONS, DIAGNOSES, NOTES]:
        first = recognised if kind == DIAGNOSES else []
        found, count = _entries(index, " AND ".join(words), kind, ids) if words else ([], 0)
        if first or found:
            groups.append(Group(kind, len(first) + count, [*first, *found][:MAX_RESULTS]))
    return groups


def _phrase(word: str) -> str:
    """The word in FTS5's syntax. It is a phrase, so `group_send` needs both parts in order.

    Its last part may be the beginning of a word.
    """
    return '"{}"*'.format(re.sub(r'["\0]', " ", word))


def _entries(
    index: sqlite3.Connection, match: str, kind: str, without_ids: list[str]
) -> tuple[list[Result], int]:
    """The best entries of that kind without these ids, and the number of all."""
    condition = f"kind = ? AND id NOT IN ({','.join('?' * len(without_ids))})"
    parameters = [match, kind, *without_ids]
    counted = f"SELECT count(*) FROM entries WHERE entries MATCH ? AND {condition}"
    (count,) = index.execute(counted, parameters).fetchone()
    best = f"{_SELECT} {condition} ORDER BY rank, rowid LIMIT {MAX_RESULTS}"
    return [_result(*row) for row in index.execute(best, parameters)], count


def _diagnoses(index: sqlite3.Connection, ids: list[str], words: list[str]) -> list[Result]:
    """The diagnoses with these ids, with those words marked that they contain."""
    own = " OR ".join(f"id : {_phrase(one)}" for one in ids)
    condition = f"id IN ({','.join('?' * len(ids))}) ORDER BY rowid"
    rows = index.execute(f"{_SELECT} {condition}", [" OR ".join([own, *words]), *ids])
    return [_result(*row) for row in rows]


def _result(title: str, place: str, url: str, excerpt: str) -> Result:
    return Result(_marked(title), place, url, _marked(excerpt.strip()))


def _marked(text: str) -> SafeString:
    """HTML. Everything is escaped before the marks become elements."""
    html = escape(text).replace(MARK_START, "<mark>").replace(MARK_END, "</mark>")
    return mark_safe(html)


def recognise(query: str) -> set[str]:
    """Ids of the diagnoses for the exceptions in `query`, with or without their types.

    As with an exception that was raised, the first diagnosis that fits a line counts.
    """
    known = diagnoses.catalogue().values()
    patterns = _patterns(tuple((one.id, one.exception) for one in known if one.exception))
    found = set()
    for line in query.splitlines():
        text = _PREFIX.sub("", line.strip())
        found |= {next((name for name, fits in patterns if fits(text)), "")}
    return found - {""}


@lru_cache(maxsize=1)
def _patterns(exceptions: tuple[tuple[str, str], ...]) -> list[tuple[str, Callable]]:
    return [(name, _matcher(re.compile(pattern))) for name, pattern in exceptions]


def _matcher(exception: re.Pattern) -> Callable[[str], bool]:
    """A function that says whether a line fits, as it is or with a type in front.

    A pattern that fits any message of its type is only tried with the type in the line.
    """
    types = dict.fromkeys(re.findall(r"\b[A-Z][a-z]\w+", exception.pattern))
    optional = [name for name in types if not exception.search(f"{name}: \0")]
    return lambda line: any(
        exception.search(text) for text in [line, *(f"{name}: {line}" for name in optional)]
    )
