"""What to search for: the words of a query, in the forms that the index knows."""

import re
from itertools import pairwise
from typing import NamedTuple

from lessons.workshop.page.search.query import Query
from lessons.workshop.page.search.search_index import Index
from lessons.workshop.page.search.vocabulary import STOP_WORDS, parts_of_name

_MAX_TYPOS = 4  # of a query; each unknown word is compared with many others


class Terms(NamedTuple):
    """Three kinds of expressions, and what the page says about words that are in none of them."""

    words: list[str]  # one for each word that says what the query is about
    extras: list[str]  # neighbours, the type of an exception, parts of names: they need not occur
    phrases: list[str]  # all words of a part
    corrected: dict[str, str]  # misspelt words, and what is searched for instead
    missing: list[str]  # words that no text contains


def find_terms(index: Index, query: Query) -> Terms:
    """The words of the query in every form that the index knows."""
    all_words = [word for part in query.parts for word in part]
    telling = [word for word in all_words if word.lower() not in STOP_WORDS] or all_words
    last = all_words[-1] if all_words else ""
    words, corrected, missing = [], {}, []
    typos = 0 if query.is_error else _MAX_TYPOS
    for word in dict.fromkeys(telling):
        if re.fullmatch(r"\d{1,2}", word) and len(telling) > 1:
            continue  # any text may have it
        is_typed = word == last and not query.is_error  # its end may be missing
        forms = _forms(index, word, is_typed)
        if not forms and typos:
            typos -= 1
            if meant := index.vocabulary.closest(word):
                corrected[word] = meant
                forms = _forms(index, meant, False)
        if forms:
            words.append(f"({' OR '.join(forms)})")
        elif re.search(r"[^\W\d_]{2}", word):
            missing.append(word)
    extras = [
        phrase(f"{first} {second}")
        for part in query.parts
        for first, second in pairwise(part)
        if not {first.lower(), second.lower()} <= STOP_WORDS
    ]
    extras += [phrase(query.type)] * bool(query.type)
    for word in telling:
        names = parts_of_name(word)
        extras += [phrase(name) for name in names if len(names) > 1 and len(name) > 2]
    phrases = [phrase(" ".join(part)) for part in query.parts if len(part) > 1]
    return Terms(
        list(dict.fromkeys(words)), list(dict.fromkeys(extras)), phrases, corrected, missing
    )


def split_name(word: str) -> list[str]:
    """`websocket.accept` is websocket, accept."""
    return re.findall(r"[^\W_]+", word)


def _forms(index: Index, word: str, is_typed: bool) -> list[str]:
    """Expressions for a word. `group_send` and `websocket.accept` are phrases if they occur."""
    vocabulary = index.vocabulary
    tokens = split_name(word)
    if len(tokens) > 1:
        whole = phrase(word) + "*" * is_typed
        if index.rows(whole):
            return [whole]
        return [form for one in dict.fromkeys(tokens) for form in _forms(index, one, False)]
    forms = [phrase(one) for one in vocabulary.meanings(word)]
    if is_typed and vocabulary.has_beginning(word):
        forms.append(phrase(word) + "*")
    names = parts_of_name(word)
    if not forms and len(names) > 1:
        return [form for name in names for form in _forms(index, name, False)]
    return forms


def phrase(text: str) -> str:
    """The text in FTS5's syntax: its words in this order."""
    return '"{}"'.format(re.sub(r'["\0]', " ", text))
