"""The catalogue of diagnoses: every mistake that the workshop can name."""

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

CATALOGUE_DIR = Path(__file__).with_suffix("")


@dataclass(frozen=True)
class Diagnosis:
    """A mistake, as the terminal, the page and the notes show it.

    `symptom` is in the words of Daphne's log, the browser or the wire. `exception` is a regular
    expression that matches "TypeName: message" of what a handler raised. `lesson` is the number of
    the lesson that explains it, or None.
    """

    id: str
    title: str
    symptom: str
    cause: str
    cure: str
    lesson: int | None = None
    exception: str | None = None


@cache
def catalogue() -> dict[str, Diagnosis]:
    """All diagnoses by id, in the order of their files: the course's first, the general last."""
    found: dict[str, Diagnosis] = {}
    files = sorted(CATALOGUE_DIR.glob("*.toml"), key=lambda file: file.stem == "general")
    for file in files:
        for name, fields in tomllib.loads(file.read_text(encoding="utf-8")).items():
            if name in found:
                raise ValueError(f"{file}: the diagnosis {name!r} is defined twice")
            found[name] = Diagnosis(id=name, **fields)
    return found


def diagnosis(name: str) -> Diagnosis:
    """The diagnosis with that id. Raises KeyError, which is a fault of the course."""
    return catalogue()[name]


def recognise(error: BaseException) -> str:
    """Id of the diagnosis for an exception that ended a consumer; "exception" if none matches."""
    text = f"{type(error).__name__}: {error}"
    for entry in catalogue().values():
        if entry.exception and re.search(entry.exception, text):
            return entry.id
    return "exception"
