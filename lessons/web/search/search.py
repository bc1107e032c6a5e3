"""Finds what has every word of a query, and what an exception's message is the sign of."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from lessons.web.search.search_index import DIAGNOSES, LESSONS, NOTES, Entry, entries
from lessons.web.search.text_match import Pieces, excerpt, marked, pattern_of, words_in

LONGEST = 2000  # characters of a query
MOST = 20  # results shown of each kind
# What stands before the exception's own words: Daphne's, and a traceback's module.
_BEFORE = re.compile(r"^.*Exception inside application: |^(?:\w+\.)+(?=[A-Z]\w+(?::|$))")


@dataclass(frozen=True)
class Result:
    entry: Entry
    title: Pieces
    excerpt: Pieces


@dataclass(frozen=True)
class Group:
    """The results of one kind, the best first; `count` is how many there are in all."""

    kind: str
    count: int
    results: list[Result]


def search(query: str) -> list[Group]:
    """The results by kind. What an exception points to comes before all that only has its words."""
    words, ids = words_in(query), recognised(query)
    patterns = {word: pattern_of([word]) for word in words}
    known = entries()
    told = [entry for entry in known if entry.id in ids]
    found = [entry for entry in known if words and _has_all(entry.folded, patterns)]
    found.sort(key=lambda entry: not _has_all(entry.folded_title, patterns))
    order = [DIAGNOSES, LESSONS, NOTES] if told else [LESSONS, DIAGNOSES, NOTES]
    groups = []
    for kind in order:
        some = list(dict.fromkeys(one for one in [*told, *found] if one.kind == kind))
        results = [
            Result(one, marked(one.title, words), excerpt(one.line, one.folded_line, words))
            for one in some[:MOST]
        ]
        if some:
            groups.append(Group(kind, len(some), results))
    return groups


def _has_all(text: str, patterns: dict[str, re.Pattern]) -> bool:
    # `in` is far quicker than a pattern, and says of most texts all that there is to say.
    return all(word in text and pattern.search(text) for word, pattern in patterns.items())


def recognised(query: str) -> set[str]:
    """Ids of the diagnoses for the exceptions in `query`, with or without their types.

    As for an exception that was raised, each line gets the first that fits.
    """
    known = _patterns(tuple((one.id, one.exception) for one in entries() if one.exception))
    lines = [_BEFORE.sub("", line.strip()) for line in query.splitlines()]
    fitting = ((name for name, fits in known if fits(line)) for line in lines)
    return {name for names in fitting for name in [next(names, None)] if name}


@lru_cache(maxsize=1)
def _patterns(exceptions: tuple[tuple[str, str], ...]) -> list[tuple[str, Callable]]:
    return [(name, _fits(re.compile(pattern))) for name, pattern in exceptions]


def _fits(exception: re.Pattern) -> Callable[[str], bool]:
    """Whether a line fits, as it is or with a type put before it.

    A pattern that fits whatever a type says needs the type.
    """
    types = dict.fromkeys(re.findall(r"\b[A-Z][a-z]\w+", exception.pattern))
    optional = [name for name in types if not exception.search(f"{name}: \0")]
    return lambda line: any(
        exception.search(text) for text in [line, *(f"{name}: {line}" for name in optional)]
    )
