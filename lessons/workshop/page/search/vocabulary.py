"""The words of the index, and which of them a reader may mean by another word."""

import difflib
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable

# Words of newcomers, and the words that the course has for the same thing.
SYNONYMS = {
    "403": ["handshake"],
    "auth": ["user", "login"],
    "authenticate": ["user", "login"],
    "authorization": ["ticket"],
    "background": ["worker", "task"],
    "bearer": ["ticket"],
    "broadcast": ["group_send"],
    "called": ["run", "runs"],
    "concurrent": ["carries"],
    "cors": ["origin"],
    "csrf": ["origin"],
    "denied": ["rejects", "rejected"],
    "deploy": ["serving"],
    "disconnect": ["end", "ends"],
    "freezes": ["blocks"],
    "hangs": ["blocks"],
    "jwt": ["ticket", "token"],
    "many": ["much", "carries"],
    "method": ["handler"],
    "module": ["install"],
    "online": ["presence", "connected"],
    "refused": ["unreachable"],
    "scale": ["carries"],
    "sse": ["stream"],
    "token": ["ticket"],
    "unittest": ["test"],
}
# Too common to say what a query is about, unless it has no other words.
STOP_WORDS = frozenset(
    re.findall(
        r"\w+",
        """a after an and another are as at be but by can do does for from has have how i if in is
        it its me my not of on or so than that the this to vs was what when where which who why will
        with you your django python websocket websockets""",
    )
)
_ENDING = re.compile(r"(?<=\w{4})(?:ions?|ings?|ed|es|e|s)$")
_PART_OF_NAME = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_MIN_TYPO = 5  # letters; a shorter word resembles too many others
_MIN_LIKENESS = 0.84


class Vocabulary:
    """All words of the index."""

    def __init__(self, words: Iterable[str]):
        self._words = set(words)
        self._by_stem = defaultdict(list)
        self._by_initial = defaultdict(list)
        for word in sorted(self._words):
            self._by_stem[_stem(word)].append(word)
            if word.isalpha():
                self._by_initial[word[0]].append(word)

    def meanings(self, word: str) -> list[str]:
        """The word with its other forms and synonyms; empty if the texts have none of these."""
        word = _plain(word)
        found = [word] if word in self._words else []
        found += self._by_stem.get(_stem(word), [])
        return list(dict.fromkeys([*found, *SYNONYMS.get(word, ())]))

    def has_beginning(self, beginning: str) -> bool:
        beginning = _plain(beginning)
        return any(word.startswith(beginning) for word in self._words)

    def closest(self, word: str) -> str | None:
        """The word that a misspelt one was to be. It has the same first letter."""
        word = _plain(word)
        if len(word) < _MIN_TYPO or not word.isalpha():
            return None
        near = [one for one in self._by_initial[word[0]] if abs(len(one) - len(word)) <= 2]
        return next(iter(difflib.get_close_matches(word, near, 1, _MIN_LIKENESS)), None)


def parts_of_name(name: str) -> list[str]:
    """`InMemoryLayer` is In, Memory, Layer. Each part occurs once."""
    return list(dict.fromkeys(_PART_OF_NAME.findall(name)))


def _plain(word: str) -> str:
    """The word as the index has it: in small letters and without accents."""
    letters = unicodedata.normalize("NFKD", word.lower())
    return "".join(letter for letter in letters if not unicodedata.combining(letter))


def _stem(word: str) -> str:
    """What `connect`, `connects`, `connected` and `connection` have in common."""
    return _ENDING.sub("", word)
