"""The verdict on a target, as data, JSON and plain text."""

from dataclasses import dataclass, field

from lessons.workshop.course.diagnoses import (
    advice_of,
    finding_as_json,
    finding_from_json,
    message_of,
)
from lessons.workshop.engine.faults.finding import Finding
from lessons.workshop.engine.recording.events import Event

STATES = ("green", "red", "not run")


@dataclass(frozen=True)
class Outcome:
    """The outcome of one check: `claim` is its docstring, `state` one of STATES."""

    name: str
    claim: str
    state: str
    finding: Finding | None = None
    transcript: tuple[Event, ...] = ()

    def as_json(self) -> dict:
        finding = self.finding and finding_as_json(self.finding)
        transcript = [event.as_json() for event in self.transcript]
        return {**vars(self), "finding": finding, "transcript": transcript}

    @classmethod
    def from_json(cls, data: dict) -> "Outcome":
        finding = data["finding"] and finding_from_json(data["finding"])
        transcript = tuple(Event.from_json(event) for event in data["transcript"])
        return cls(**{**data, "finding": finding, "transcript": transcript})


@dataclass(frozen=True)
class Verdict:
    """The outcomes of a lesson's checks on one target.

    `lesson` is the lesson's key. `problem` says why the target could not be loaded. `output` is
    what it printed (cut after some thousand characters), `digest` the version of its file, and
    `seconds` the time that the checks took.
    """

    lesson: str
    target: str
    outcomes: tuple[Outcome, ...] = ()
    problem: Finding | None = None
    output: str = ""
    digest: str = field(default="", compare=False)
    seconds: float = field(default=0.0, compare=False)

    @property
    def green(self) -> bool:
        """Whether every check is green. A verdict without a check is not green."""
        states = {outcome.state for outcome in self.outcomes}
        return self.problem is None and states == {"green"}

    @property
    def findings(self) -> list[Finding]:
        found = [outcome.finding for outcome in self.outcomes if outcome.finding]
        return [self.problem, *found] if self.problem else found

    @property
    def diagnosis_ids(self) -> list[str]:
        """The ids of the diagnoses, each once, in the order of the checks."""
        return list(dict.fromkeys(finding.diagnosis for finding in self.findings))

    def as_json(self) -> dict:
        return {
            **vars(self),
            "green": self.green,
            "problem": self.problem and finding_as_json(self.problem),
            "outcomes": [outcome.as_json() for outcome in self.outcomes],
            "seconds": round(self.seconds, 4),
        }

    @classmethod
    def from_json(cls, data: dict) -> "Verdict":
        data = {name: value for name, value in data.items() if name != "green"}
        problem = data["problem"] and finding_from_json(data["problem"])
        outcomes = tuple(Outcome.from_json(outcome) for outcome in data["outcomes"])
        return cls(**{**data, "problem": problem, "outcomes": outcomes})


def explain(verdict: Verdict) -> str:
    """The reasons of a red verdict, in plain text."""
    return "\n".join(map(_explain_finding, verdict.findings))


def _explain_finding(finding: Finding) -> str:
    """What happened and where, then the cause and the cure."""
    is_usual, cause, cure = advice_of(finding)
    promise = finding.promise and f"The exercise says: {finding.promise}"
    steps = finding.conversation and f"Play it: {finding.conversation}"
    why, then = ("Usually", "If so") if is_usual else ("Why", "Cure")
    advice = f"{why}: {cause}", f"{then}: {cure}"
    parts = (message_of(finding), finding.detail, promise, steps, *advice)
    return "\n".join(filter(None, parts))
