"""A catalogue of diagnoses, and the diagnosis of an exception. The texts are the course's."""

import re
import tomllib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from .finding import Finding


@dataclass(frozen=True)
class Diagnosis:
    """A mistake, as the terminal, the page and the notes show it.

    `symptom` is in the words of Daphne's log, the browser or the wire. `exception` is a regular
    expression that matches "TypeName: message" of what a handler raised. `lesson` is the number of
    the lesson that explains it, or None. Some go wrong `only` with an "overlap", of a step and a
    handler at work, or only with "others", which are further clients: a replay must show it.

    `usual` says what is not sure where the player has found the mistake. With "cause", the title is
    what was observed, and it may have another cause. With "title", an exception has only the words
    of this mistake. Without `usual`, each sentence is true of each file with this diagnosis.
    """

    id: str
    title: str
    symptom: str
    cause: str
    cure: str
    lesson: int | None = None
    exception: str | None = None
    only: str | None = None
    usual: str | None = None


class Advice(NamedTuple):
    """A cause and its cure. If they are only the usual ones, another cause is possible."""

    is_usual: bool
    cause: str
    cure: str


def read_catalogue(folder: Path) -> dict[str, Diagnosis]:
    """All diagnoses by id, in the order of their files' names, and the general ones last.

    Some exceptions fit several patterns. The order is the same on every machine.
    """
    found: dict[str, Diagnosis] = {}
    files = sorted(folder.glob("*.toml"), key=lambda file: (file.stem == "general", file))
    for file in files:
        for name, fields in tomllib.loads(file.read_text(encoding="utf-8")).items():
            if name in found:
                raise ValueError(f"{file}: the diagnosis {name!r} is defined twice")
            found[name] = Diagnosis(id=name, **fields)
    return found


def diagnose(finding: Finding, catalogue: dict[str, Diagnosis]) -> Finding:
    """The finding with the diagnosis of the exception that it reports.

    Raises KeyError for a diagnosis that does not exist.
    """
    name = catalogue[finding.diagnosis].id
    known = (one for one in catalogue.values() if one.exception and finding.raised)
    found = next((one.id for one in known if re.search(one.exception, finding.raised)), None)
    better = finding.instead.get(found, found)
    seen = finding.seen
    if better and better != "exception":
        is_observed = name != "task-died" and catalogue[better].usual != "title"
        seen = seen if is_observed else name
        name = catalogue[better].id
    return replace(finding, diagnosis=name, seen=seen, raised="", instead={})


def advice(finding: Finding, catalogue: dict[str, Diagnosis]) -> Advice:
    """What a finding says about its cause."""
    known = catalogue[finding.diagnosis]
    cause = f"{known.title}. {known.cause}" if finding.seen else known.cause
    return Advice(bool(finding.seen or known.usual), cause, known.cure)
