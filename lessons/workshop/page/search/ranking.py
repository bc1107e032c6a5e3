"""Finds what the course says about a query, the best answer first."""

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from lessons.workshop.course import diagnoses
from lessons.workshop.page.search.query import Query, read_query
from lessons.workshop.page.search.search_index import MARK_END, MARK_START, Index, connect
from lessons.workshop.page.search.terms import Terms, find_terms, phrase, split_name

MAX_RESULTS = 20
_EXCERPT_WORDS = 32
_SECTIONS_OF_A_PAGE = 2
_MIN_SHARE = 0.25  # of the best score; what is worse has only a common word of the query
# How much a match counts in each column: title, place, id, error, text.
_WEIGHTS = "10, 5, 3, 0, 1"
_ERROR_WEIGHTS = "3, 1, 1, 8, 1"
_SELECT = f"""
    SELECT rowid, kind, highlight(entries, 0, '{MARK_START}', '{MARK_END}'), place, url,
        snippet(entries, 4, '{MARK_START}', '{MARK_END}', ' … ', {_EXCERPT_WORDS})
    FROM entries WHERE entries MATCH ?
"""


class Result(NamedTuple):
    """An entry as the page shows it. Matches in `title` and `excerpt` are in <mark> elements."""

    kind: str
    title: SafeString
    place: str
    url: str
    excerpt: SafeString


@dataclass(frozen=True)
class Found:
    """The best results. `count` is the number of all, also of those that are not shown."""

    results: list[Result]
    count: int
    terms: Terms


def search(text: str) -> Found:
    """What the index has for this text. Raises SearchUnavailable."""
    index = connect()
    query = read_query(text)
    recognised = [text] if text in index.diagnoses else recognised_diagnoses(query)
    query = query._replace(is_error=query.is_error or _is_symptom(index, query))
    terms = find_terms(index, query)
    scores = _scores(index, terms, query)
    known = [index.diagnoses[id] for id in recognised if id in index.diagnoses]
    others = sorted(scores.keys() - known, key=lambda row: (-scores[row], row))
    if others:
        enough = _MIN_SHARE * max(scores.values())
        others = [row for row in others if scores[row] >= enough]
    best = [*known, *_few_of_a_page(index, others)]
    ids = [f"id : {phrase(id)}" for id in recognised]
    results = _results(index, best[:MAX_RESULTS], " OR ".join([*ids, *terms.words, *terms.extras]))
    return Found(results, len(best), terms)


def _few_of_a_page(index: Index, rows: list[int]) -> Iterator[int]:
    """The rows without the third section of a lesson or chapter, and the ones after it."""
    seen = Counter()
    for row in rows:
        seen[index.pages[row]] += 1
        if row in index.symptoms or seen[index.pages[row]] <= _SECTIONS_OF_A_PAGE:
            yield row


def recognised_diagnoses(query: Query) -> list[str]:
    """Ids of the diagnoses for the exceptions in the query, with or without their types.

    The last exception comes first, because it is the one that ended the consumer.
    """
    found = (diagnoses.find_by_exception(one) for one in query.exceptions)
    return list(dict.fromkeys(one.id for one in found if one))


def _is_symptom(index: Index, query: Query) -> bool:
    """Whether a part of the query stands in the symptom of a diagnosis, word for word."""
    parts = [" ".join(part) for part in query.parts if len(part) > 2]
    return any(index.rows(f"error : {phrase(part)}") for part in parts)


def _scores(index: Index, terms: Terms, query: Query) -> dict[int, float]:
    """The score of each entry that has a word of the query.

    bm25 counts how often, where and how rare. An entry with only some of the words has less, and
    one whose title has them has more. So has a diagnosis whose symptom is what was pasted.
    """
    if not terms.words:
        return {}
    anywhere = [index.rows(word) for word in terms.words]
    titles = [index.rows(f"{{title place}} : {word}") for word in terms.words]
    weights = [math.log(1 + index.size / (1 + len(some))) ** 2 for some in anywhere]
    phrased = set().union(*(index.rows(one) for one in terms.phrases))
    pasted = {token.lower() for part in query.parts for word in part for token in split_name(word)}
    expression = " OR ".join([*terms.words, *terms.extras])
    weighted = _ERROR_WEIGHTS if query.is_error else _WEIGHTS
    ranked = index.connection.execute(
        f"SELECT rowid, bm25(entries, {weighted}) FROM entries WHERE entries MATCH ?", [expression]
    )
    scores = {}
    for row, rank in ranked:
        score = -rank * _share(row, anywhere, weights) ** 2
        if row in phrased:
            score *= 2
        symptom = index.symptoms.get(row)
        if query.is_error:
            if symptom:
                score *= 2 + 2 * len(symptom & pasted) / len(symptom)
        else:
            score *= (1 + _share(row, titles, weights)) * (0.4 if symptom else 1)
        scores[row] = score
    return scores


def _share(row: int, rows: list[set[int]], weights: list[float]) -> float:
    """How much of the query the row has, from 0 to 1. A rare word counts more."""
    matched = sum(weight for some, weight in zip(rows, weights, strict=True) if row in some)
    return matched / sum(weights)


def _results(index: Index, rows: list[int], expression: str) -> list[Result]:
    if not rows:
        return []
    places = ",".join("?" * len(rows))
    found = index.connection.execute(f"{_SELECT} AND rowid IN ({places})", [expression, *rows])
    results = {
        row: Result(kind, _marked(title), place, url, _marked(excerpt.strip()))
        for row, kind, title, place, url, excerpt in found
    }
    return [results[row] for row in rows]


def _marked(text: str) -> SafeString:
    """HTML. Everything is escaped before the marks become elements."""
    html = escape(text).replace(MARK_START, "<mark>").replace(MARK_END, "</mark>")
    return mark_safe(html)
