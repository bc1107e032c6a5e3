"""The catalogue of diagnoses: every mistake that the workshop can name."""

from dataclasses import asdict, fields
from functools import cache
from pathlib import Path

from lessons.workshop.engine.faults import diagnoses
from lessons.workshop.engine.faults.diagnoses import Advice, Diagnosis
from lessons.workshop.engine.faults.finding import Finding

_OF_PLAYER = {"raised", "instead"}  # fields of a finding before diagnose()
CATALOGUE_DIR = Path(__file__).with_suffix("")


@cache
def catalogue() -> dict[str, Diagnosis]:
    """All diagnoses by id, in the order of their files' names, and the general ones last."""
    return diagnoses.read_catalogue(CATALOGUE_DIR)


def diagnosis(name: str) -> Diagnosis:
    """The diagnosis with that id. Raises KeyError, which is a fault of the course."""
    return catalogue()[name]


def diagnose(finding: Finding) -> Finding:
    """The finding with the diagnosis of the exception that it reports.

    Raises KeyError for a diagnosis that does not exist.
    """
    return diagnoses.diagnose(finding, catalogue())


def advice_of(finding: Finding) -> Advice:
    """What the finding says about its cause."""
    return diagnoses.advice(finding, catalogue())


def title_of(finding: Finding) -> str:
    """The title of what was observed."""
    return diagnosis(finding.seen or finding.diagnosis).title


def message_of(finding: Finding) -> str:
    """One line: event, handler, line, and the title of what was observed."""
    title = title_of(finding)
    return f"{finding.where}: {title}" if finding.where else title


def finding_as_json(finding: Finding) -> dict:
    """The finding for a file or a page, with its message."""
    own = {name: value for name, value in asdict(finding).items() if name not in _OF_PLAYER}
    return own | {"message": message_of(finding)}


def finding_from_json(data: dict) -> Finding:
    """The finding that finding_as_json() has written, perhaps in another version of the course."""
    known = {field.name for field in fields(Finding)}
    return Finding(**{name: value for name, value in data.items() if name in known})
