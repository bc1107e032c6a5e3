"""The catalogue of diagnoses: every mistake that the workshop can name."""

import re
import tomllib
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path

from lessons.workshop.engine.faults.finding import Finding

_OF_PLAYER = {"raised", "instead"}  # fields of a finding before diagnose()
CATALOGUE_DIR = Path(__file__).with_suffix("")


@dataclass(frozen=True)
class Diagnosis:
    """A mistake, as the terminal, the page and the notes show it.

    `symptom` is in the words of Daphne's log, the browser or the wire. `exception` is a regular
    expression that matches "TypeName: message" of what a handler raised. `lesson` is the number of
    the lesson that explains it, or None. Some go wrong `only` with an "overlap", of a step and a
    handler at work, or only with "others", which are further clients: a replay must show it.
    """

    id: str
    title: str
    symptom: str
    cause: str
    cure: str
    lesson: int | None = None
    exception: str | None = None
    only: str | None = None


@cache
def catalogue() -> dict[str, Diagnosis]:
    """All diagnoses by id, in the order of their files' names, and the general ones last.

    Some exceptions fit several patterns. The order is the same on every machine.
    """
    found: dict[str, Diagnosis] = {}
    files = sorted(CATALOGUE_DIR.glob("*.toml"), key=lambda file: (file.stem == "general", file))
    for file in files:
        for name, fields in tomllib.loads(file.read_text(encoding="utf-8")).items():
            if name in found:
                raise ValueError(f"{file}: the diagnosis {name!r} is defined twice")
            found[name] = Diagnosis(id=name, **fields)
    return found


def diagnosis(name: str) -> Diagnosis:
    """The diagnosis with that id. Raises KeyError, which is a fault of the course."""
    return catalogue()[name]


def recognise(raised: str) -> str | None:
    """Id of the diagnosis for an exception, which is given as "Type: message"."""
    known = (one for one in catalogue().values() if one.exception)
    return next((one.id for one in known if re.search(one.exception, raised)), None)


def diagnose(finding: Finding) -> Finding:
    """The finding with the diagnosis of the exception that it reports.

    Raises KeyError for a diagnosis that does not exist.
    """
    diagnosis(finding.diagnosis)
    found = finding.raised and recognise(finding.raised)
    better = finding.instead.get(found, found)
    if better and better != "exception":
        finding = replace(finding, diagnosis=diagnosis(better).id)
    return replace(finding, raised="", instead={})


def message_of(finding: Finding) -> str:
    """One line: event, handler, line, and the title of the diagnosis."""
    title = diagnosis(finding.diagnosis).title
    return f"{finding.where}: {title}" if finding.where else title


def finding_as_json(finding: Finding) -> dict:
    """The finding for a file or a page, with its message."""
    own = {name: value for name, value in asdict(finding).items() if name not in _OF_PLAYER}
    return own | {"message": message_of(finding)}


def finding_from_json(data: dict) -> Finding:
    return Finding(**{name: value for name, value in data.items() if name != "message"})
