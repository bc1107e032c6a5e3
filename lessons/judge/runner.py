"""Judges a target in a child process. Every verdict is made here."""

import multiprocessing
import signal
import time
from collections.abc import Callable
from dataclasses import replace

from lessons.core.catalogue import Lesson
from lessons.core.diagnoses import diagnosis
from lessons.judge import exploration as exploring
from lessons.judge.claims import Claims, Play, claim_of, run_claim
from lessons.judge.verdict import STATES, Outcome, Verdict
from lessons.playback.child_process import (
    kill_process_group,
    read_dataclass,
    receive_data,
    set_up_django,
    start_child,
)
from lessons.playback.session import CourseError, SessionEnded, SessionPool
from lessons.playback.target import Target, resolve
from lessons.simulator.finding import Finding, make_finding
from lessons.simulator.student_module import load_file
from lessons.wire.events import Event

CHECK_TIMEOUT = 5.0  # seconds that one check may take
_START_TIMEOUT = 30.0  # seconds: on a busy machine a child starts slowly
_REPORT_TIMEOUT = 1.0  # seconds for a child whose check has timed out to report that


def judge(
    lesson: Lesson,
    target: str | Target = "exercise",
    timeout: float = CHECK_TIMEOUT,
    on_start: Callable[[], object] = lambda: None,
    on_claims: Callable[[Verdict], object] = lambda verdict: None,
) -> Verdict:
    """Run the lesson's checks on `target` ("exercise", "solution", "mistake:NAME", a path).

    Each check has `timeout` seconds. `on_start` is called while they run. If all claims are green,
    `on_claims` is called with the verdict so far, before the generated conversations are played.
    The result is a Verdict, whatever the target's code does. Raises UnknownTarget, and CourseError
    if the lesson's own files are broken.
    """
    if isinstance(target, str):
        target = resolve(lesson, target)
    if has_model(lesson):
        return _judge_with_model(lesson, target, timeout, on_start, on_claims)
    pipe, child_pipe = multiprocessing.Pipe(duplex=False)
    # The digest comes first: a version that is saved during the checks needs another verdict.
    digest = target.digest()
    started = time.monotonic()
    child = start_child(_run_child, child_pipe, lesson, target, timeout)
    child_pipe.close()
    try:
        on_start()
        report = _receive_report(pipe, child, timeout)
    finally:
        kill_process_group(child)
        pipe.close()
    seconds = time.monotonic() - started
    return replace(report.verdict(lesson, target), digest=digest, seconds=seconds)


def has_model(lesson: Lesson) -> bool:
    """Whether the lesson's check.py defines a model."""
    return "(Model)" in lesson.check.read_text(encoding="utf-8")


def _judge_with_model(lesson: Lesson, target: Target, timeout, on_start, on_claims) -> Verdict:
    """The verdict of the claims, and then of the generated conversations."""
    digest = target.digest()
    started = time.monotonic()

    def verdict(sessions, outcomes):
        return Verdict(
            *(lesson.key, target.title, tuple(outcomes), sessions.problem, sessions.output),
            digest=digest,
            seconds=time.monotonic() - started,
        )

    with SessionPool(lesson, target, timeout) as sessions:
        on_start()
        claims = Claims.of(load_file(lesson.check))
        sessions.wait_until_loaded()
        if sessions.problem:
            return verdict(sessions, [])
        outcomes = _run_claims(lesson, sessions, claims)
        if not claims.model.explores:
            return verdict(sessions, outcomes)
        exploration = Outcome(exploring.NAME, exploring.CLAIM, "not run")
        if all(outcome.state == "green" for outcome in outcomes):
            on_claims(verdict(sessions, [*outcomes, exploration]))
            exploration = exploring.explore(lesson, sessions, claims.model)
        return verdict(sessions, [*outcomes, exploration])


def _run_claims(lesson: Lesson, sessions: SessionPool, claims: Claims) -> list[Outcome]:
    outcomes = []
    for function in claims.functions:
        try:
            outcomes.append(run_claim(function, Play(lesson, sessions, claims.model)))
        except SessionEnded as ended:
            name, claim = function.__name__, claim_of(function)
            outcomes.append(Outcome(name, claim, "red", ended.finding))
            break
    rest = claims.functions[len(outcomes) :]
    return [*outcomes, *(Outcome(it.__name__, claim_of(it), "not run") for it in rest)]


class _Report:
    """What a child process has reported so far."""

    def __init__(self):
        self.checks: list[tuple[str, str]] = []  # name and claim
        self.outcomes: list[Outcome] = []
        self.problem: Finding | None = None
        self.output = ""
        self.is_complete = False

    def add(self, kind: str, value) -> None:
        """Raises CourseError; and ValueError, TypeError or LookupError for malformed data."""
        if kind == "checks":
            self.checks = [(_text(name), _text(claim)) for name, claim in value]
        elif kind == "outcome":
            self.outcomes.append(_read_outcome(value))
        elif kind == "problem":
            self.problem = _read_finding(value)
        elif kind == "output":
            self.output = _text(value)
        elif kind == "fault":
            raise CourseError(_text(value))
        self.is_complete = kind == "done"

    def end(self, finding: Finding) -> None:
        """The child has ended too early: the check that ran is red, or the file has a problem."""
        if len(self.outcomes) < len(self.checks):
            name, claim = self.checks[len(self.outcomes)]
            self.outcomes.append(Outcome(name, claim, "red", finding))
        elif self.problem is None:
            self.problem = finding

    def verdict(self, lesson: Lesson, target: Target) -> Verdict:
        rest = self.checks[len(self.outcomes) :]
        outcomes = (*self.outcomes, *(Outcome(name, claim, "not run") for name, claim in rest))
        return Verdict(lesson.key, target.title, outcomes, self.problem, self.output)


def _receive_report(pipe, child, timeout: float) -> _Report:
    report = _Report()
    while not report.is_complete:
        seconds = timeout + _REPORT_TIMEOUT + (0 if report.checks else _START_TIMEOUT)
        try:
            if not pipe.poll(seconds):
                report.end(make_finding("stuck", detail=f"No report for {seconds:g} s."))
                break
            report.add(*receive_data(pipe))
        except EOFError:
            child.join(_REPORT_TIMEOUT)
            report.end(make_finding("process-died", detail=_how_it_ended(child.exitcode)))
            break
        except (OSError, ValueError, TypeError, LookupError) as error:
            detail = f"The process sent a report that cannot be read: {error}"
            report.end(make_finding("process-died", detail=detail))
            break
    return report


def _how_it_ended(code: int | None) -> str:
    if code is not None and code < 0:
        return f"The process was ended by {signal.Signals(-code).name}."
    return f"The process ended with exit code {code}."


def _run_child(pipe, lesson: Lesson, target: Target, timeout: float) -> None:
    set_up_django()
    from lessons.judge import check_process

    check_process.run(pipe, lesson, target, timeout)


# The student's code runs in the process that sends these values, so each field is checked.


def _read_outcome(data: dict) -> Outcome:
    finding = data["finding"] and _read_finding(data["finding"])
    transcript = tuple(read_dataclass(Event, event) for event in data["transcript"])
    outcome = Outcome(_text(data["name"]), _text(data["claim"]), data["state"], finding, transcript)
    if outcome.state not in STATES:
        raise ValueError(f"{outcome.state!r} is not a state of a check")
    return outcome


def _read_finding(data: dict) -> Finding:
    finding = read_dataclass(Finding, data)
    diagnosis(finding.diagnosis)  # raises KeyError if it does not exist
    return finding


def _text(value) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is not a text")
    return value
