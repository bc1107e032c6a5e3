"""Words as people look for them: whatever their case and accents, and marked where they stand."""

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

SHOWN, BEFORE = 220, 60  # characters of an excerpt, and of those what precedes the first word

Pieces = list[tuple[str, bool]]  # of a text, in order: whether each is one of the words


def folded(text: str) -> str:
    return text.lower() if text.isascii() else "".join(map(_fold, text))


def words_in(query: str) -> list[str]:
    """Folded, without the punctuation round them; `websocket.send` and `group_send` stay whole."""
    words = (re.sub(r"^[\W_]+|\W+$", "", word) for word in folded(query).split())
    return [word for word in dict.fromkeys(words) if word]


def pattern_of(words: Iterable[str]) -> re.Pattern:
    """Fits, in a folded text, whatever begins with one of the words; parts of a name count too."""
    longest_first = sorted(map(re.escape, words), key=len, reverse=True)
    return re.compile(rf"(?<![^\W_])(?:{'|'.join(longest_first)})" if longest_first else r"(?!)")


def marked(text: str, words: Iterable[str]) -> Pieces:
    """The whole of `text`, with the words marked."""
    folds = [_fold(character) for character in text]
    places = [place for place, fold in enumerate(folds) for _ in fold]
    pieces: Pieces = []
    end = 0
    for found in pattern_of(words).finditer("".join(folds)):
        first, last = places[found.start()], places[found.end() - 1] + 1
        pieces += [(text[end:first], False), (text[first:last], True)]
        end = last
    return [piece for piece in [*pieces, (text[end:], False)] if piece[0]]


def excerpt(line: str, folded_line: str, words: Iterable[str]) -> Pieces:
    """What stands round the first of the words, with all of them marked."""
    found = pattern_of(words).search(folded_line)
    # Folding may lengthen a text by a character or two: near enough for an excerpt.
    first = max(0, found.start() - BEFORE) if found else 0
    first = line.find(" ", first) + 1 if first else 0
    shown = line[first : first + SHOWN]
    if first + SHOWN < len(line):
        shown = f"{shown.rpartition(' ')[0] or shown} …"
    return marked(f"… {shown}" if first else shown, words)


@lru_cache(maxsize=4096)
def _fold(character: str) -> str:
    parts = unicodedata.normalize("NFKD", character.casefold())
    return "".join(part for part in parts if not unicodedata.combining(part))
